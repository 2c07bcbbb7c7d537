//! What runs in the Swarm, and its versions.
//!
//! What must always hold: a deployment never changes once it is written; one job at a time changes a service; the Swarm
//! service carries the ids of service and deployment as labels, so that a job that was broken off finds its work again;
//! pages read what [`Services::watch`] saw and never wait for Docker.

mod again;
mod api;
mod ask;
mod build_settings;
mod deploy;
mod deploy_image;
mod differences;
mod env;
mod failure;
mod kept;
mod lamp;
mod lamps;
mod monitor;
mod platforms;
mod pull;
mod readiness;
mod remove;
mod resend_login;
mod roll_back;
mod save;
mod secret_files;
mod spec;
mod store;
mod store_deployments;
mod store_standing;
mod store_watch;
mod swarm;
mod tag_watch;
mod undo;
mod watch;
mod ways_back;
mod words;

pub use deploy_image::{ImageWish, Ready};
pub use kept::Kept;

use crate::builds::{self, FinishedBuild, HandedOver, ServiceFacts};
use crate::clock::{Clock, random};
use crate::config::Config;
use crate::credentials::Credentials;
use crate::docker::Docker;
use crate::images::Images;
use crate::jobs::{Handler, Jobs, Lane, NewJob};
use crate::problems;
use crate::registries::Registries;
use crate::settings::Settings;
use crate::storage::{Db, Tx};
use crate::vault::Vault;
use crate::{activity, oci};
use app::error::{AppError, Blocker, Link};
use app::model::build_record::Trigger;
use app::model::id::{DeploymentId, ServiceId};
use app::model::service::{Origin, Source};
use app::paths;
use async_trait::async_trait;
use std::sync::Arc;

/// Services and deployments. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    vault: Vault,
    clock: Clock,
    jobs: Jobs,
    credentials: Credentials,
    registries: Registries,
    images: Images,
    oci: oci::Client,
    docker: Docker,
    config: Config,
    settings: Settings,
    observed: watch::Observed,
    lamps: lamps::Lamps,
}

impl Services {
    /// All that it works with.
    #[expect(clippy::too_many_arguments, reason = "start.rs wires the parts once, by name")]
    pub fn new(
        db: Db,
        vault: Vault,
        clock: Clock,
        jobs: Jobs,
        credentials: Credentials,
        registries: Registries,
        images: Images,
        oci: oci::Client,
        docker: Docker,
        config: Config,
        settings: Settings,
    ) -> Self {
        let observed = watch::Observed::default();
        let lamps = lamps::Lamps::default();
        let inner = Inner {
            db,
            vault,
            clock,
            jobs,
            credentials,
            registries,
            images,
            oci,
            docker,
            config,
            settings,
            observed,
            lamps,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The jobs that it runs; `start.rs` registers them.
    pub fn handlers(&self) -> Vec<Arc<dyn Handler>> {
        vec![
            Arc::new(deploy::Deploy::new(self.clone())),
            Arc::new(remove::Remove::new(self.clone())),
            Arc::new(resend_login::ResendLogin::new(self.clone())),
        ]
    }

    /// Writes a deployment and its job, and ends older ones that still wait. Call `jobs.wake` after the commit.
    async fn add_deployment(&self, tx: &mut Tx, new: &store_deployments::New) -> Result<DeploymentId, AppError> {
        let id = DeploymentId::from_random(random());
        let subject = subject(&new.service);
        let job = NewJob {
            kind: deploy::KIND,
            payload: serde_json::json!({ "deployment": id }),
            subject: subject.clone(),
            key: None,
            lane: Lane::Swarm,
            resource: None,
            asked_by: new.asked_by.clone(),
            max_attempts: deploy::TRIES,
        };
        let job = self.inner.jobs.enqueue(tx, job).await.map_err(problems::of)?;
        self.inner.jobs.supersede(tx, deploy::KIND, &subject, &job).await.map_err(problems::of)?;
        let names = env::without_values(&new.settings);
        let now = self.inner.clock.millis();
        store_deployments::insert(tx, &id, &job, new, &names, now).await.map_err(problems::of)?;
        env::keep(&self.inner.vault, &self.inner.clock, tx, id.as_str(), &new.settings).await.map_err(problems::of)?;
        Ok(id)
    }
}

/// What jobs of a service change; one of them runs at a time.
fn subject(service: &ServiceId) -> String {
    format!("service:{service}")
}

#[async_trait]
impl builds::Services for Services {
    async fn facts(&self, service: &ServiceId) -> Result<ServiceFacts, AppError> {
        let record = self.live(service).await?;
        match record.source {
            Source::Git(source) => {
                Ok(ServiceFacts { name: record.name, slug: record.slug, project_slug: record.project_slug, source })
            }
            Source::Image(_) => Err(AppError::Blocked(vec![Blocker {
                reason: format!(
                    "{} runs an image that is there already: deploy it, there is nothing to build.",
                    record.name
                ),
                link: Some(Link { href: paths::service(&record.id), text: format!("Open {}", record.name) }),
            }])),
        }
    }

    async fn deploy(&self, tx: &mut Tx, build: &FinishedBuild) -> Result<HandedOver, AppError> {
        if store_deployments::is_deployed(tx, &build.id).await.map_err(problems::of)? {
            return Ok(HandedOver::Queued);
        }
        // What a person asks for is deployed in a pause too.
        let is_by_hand = matches!(build.trigger, Trigger::Hand | Trigger::Retry { .. });
        if !is_by_hand && self.is_paused(tx, &build.service).await? {
            return Ok(HandedOver::Held);
        }
        self.deploy_build(tx, build).await?;
        Ok(HandedOver::Queued)
    }
}

impl Services {
    /// Makes the deployment of a build and its job. Call `jobs.wake` after the commit.
    async fn deploy_build(&self, tx: &mut Tx, build: &FinishedBuild) -> Result<DeploymentId, AppError> {
        let found = store::find(&mut **tx, &build.service).await.map_err(problems::of)?;
        let record = found.filter(|record| !record.is_deleted).ok_or_else(|| AppError::NotFound("service".into()))?;
        let settings = env::with_values(&self.inner.vault, &mut **tx, record.id.as_str(), record.settings)
            .await
            .map_err(problems::of)?;
        let new = store_deployments::New {
            service: record.id,
            image: build.image.clone(),
            reach: pull::Reach::Registry(build.registry.clone()),
            commit: Some(build.commit.clone()),
            commit_subject: build.commit_subject.clone(),
            settings,
            origin: Origin::Build { build: build.id.clone(), number: build.number },
            asked_by: build.asked_by.clone(),
        };
        let id = self.add_deployment(tx, &new).await?;
        let (by, image) = (&build.asked_by, new.image.to_string());
        activity::record(tx, &self.inner.clock, by, "service.deployed", id.as_str(), &image)
            .await
            .map_err(problems::of)?;
        Ok(id)
    }

    /// A service that isn't deleted.
    async fn live(&self, id: &ServiceId) -> Result<store::Record, AppError> {
        let found = store::find(self.inner.db.read(), id).await.map_err(problems::of)?;
        found.filter(|record| !record.is_deleted).ok_or_else(|| AppError::NotFound("service".into()))
    }
}
