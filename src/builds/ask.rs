//! Asking for a build: by hand, again, or by something outside.

use super::{Builds, ServiceFacts, activity, build_image, store, subject};
use crate::builders::{self, Chosen, Wish};
use crate::clock::random;
use crate::jobs::{Lane, NewJob};
use crate::problems;
use crate::storage::Tx;
use app::error::AppError;
use app::model::build::CommitSha;
use app::model::build_record::Trigger;
use app::model::id::{BuildId, RegistryId, ServiceId};
use app::model::service::Branch;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Of which service.
    pub service: ServiceId,
    /// Whether it is deployed when it is done.
    pub deploy: bool,
    /// Why.
    pub trigger: Trigger,
    /// Whether nothing is taken from the cache.
    pub no_cache: bool,
    /// Which commit; none: the newest of the branch.
    pub commit: Option<CommitSha>,
    /// Which branch; none: the service's.
    pub branch: Option<Branch>,
    /// Who asks.
    pub asked_by: String,
}

impl Ask {
    /// The newest commit of the service's branch, deployed.
    pub fn by_hand(service: &ServiceId, asked_by: &str) -> Self {
        Self {
            service: service.clone(),
            deploy: true,
            trigger: Trigger::Hand,
            no_cache: false,
            commit: None,
            branch: None,
            asked_by: asked_by.to_owned(),
        }
    }
}

impl Builds {
    /// Queues a build. Refused at once when there is no registry to push to, or no room.
    pub async fn ask(&self, ask: Ask) -> Result<BuildId, AppError> {
        let mut tx = self.inner.db.write().await.map_err(problems::of)?;
        let id = self.ask_in(&mut tx, ask).await?;
        tx.commit().await.map_err(problems::of)?;
        self.inner.jobs.wake();
        Ok(id)
    }

    /// [`Builds::ask`] in the caller's transaction; call `jobs.wake` after the commit.
    pub async fn ask_in(&self, tx: &mut Tx, ask: Ask) -> Result<BuildId, AppError> {
        let facts = self.services()?.facts(&ask.service).await?;
        let registry = self.registry_for(&ask.service, &facts).await?;
        self.inner.disks.may_ask(&registry).await?;
        let rules = self.inner.settings.build_rules().await.map_err(problems::of)?;
        let (builder, resource) = self.builder_for(&facts, &registry).await?;
        let id = BuildId::from_random(random());
        let job = NewJob {
            kind: build_image::KIND,
            payload: serde_json::json!({ "build": id }),
            subject: subject(&ask.service),
            key: None,
            lane: Lane::Build,
            resource: Some(resource),
            asked_by: ask.asked_by.clone(),
            max_attempts: 1,
        };
        let job = self.inner.jobs.enqueue(tx, job).await.map_err(problems::of)?;
        let new = store::New {
            id: &id,
            service: &ask.service,
            job: &job,
            registry: &registry,
            deploys: ask.deploy,
            trigger: &ask.trigger,
            no_cache: ask.no_cache,
            commit: ask.commit.as_ref(),
            branch: ask.branch.as_ref(),
            created: self.inner.clock.millis(),
        };
        let number = store::insert(tx, &new).await.map_err(problems::of)?;
        store::record_builder(tx, &id, &builder).await.map_err(problems::of)?;
        // Who asks for a certain commit again doesn't mean that nobody wants the newest any more.
        let is_newest = ask.commit.is_none() || !matches!(ask.trigger, Trigger::Retry { .. });
        if is_newest && rules.supersedes {
            let subject = subject(&ask.service);
            self.inner.jobs.supersede(tx, build_image::KIND, &subject, &job).await.map_err(problems::of)?;
        }
        let detail = format!("{} build {number}", facts.name);
        activity::record(tx, &self.inner.clock, &ask.asked_by, "build.start", id.as_str(), &detail)
            .await
            .map_err(problems::of)?;
        Ok(id)
    }

    /// The name of what will build by what is known now, and what the job takes a place of. While the engine can't be asked its own is as good as any: the build itself says
    /// what is wrong.
    async fn builder_for(&self, facts: &ServiceFacts, registry: &RegistryId) -> Result<(String, String), AppError> {
        let options = &facts.source.build;
        let registry = self.inner.registries.of(registry).await?;
        let platforms = if options.platforms.is_empty() { &registry.platforms } else { &options.platforms };
        let wish = Wish { platforms, wanted: options.builder.as_ref(), is_local: registry.host.is_loopback() };
        match self.inner.builders.choose(&wish).await {
            Ok(chosen) => Ok((chosen.name, chosen.resource)),
            Err(AppError::Problem(problem)) if problem.code == builders::AWAY => {
                let engine = Chosen::default();
                Ok((engine.name, engine.resource))
            }
            Err(error) => Err(error),
        }
    }
}
