//! The use cases behind `app::api::services`.

use super::{Services, env, remove, store, store_deployments, store_standing, subject};
use crate::jobs::{Lane, NewJob};
use crate::{activity, problems};
use app::api::services::ServicesApi;
use app::error::AppError;
use app::model::account::{Action, Actor};
use app::model::build_form::BuildForm;
use app::model::diff::Change;
use app::model::id::{DeploymentId, ServiceId};
use app::model::platform::Platform;
use app::model::service::{Deployment, Service, ServiceForm, ServiceSummary, Task};
use app::model::standing::{Back, Readiness, Standing};
use app::model::tag_watch::{News, TagWatch};
use async_trait::async_trait;
use std::collections::HashMap;

#[async_trait]
impl ServicesApi for Services {
    async fn list(&self, actor: &Actor) -> Result<Vec<ServiceSummary>, AppError> {
        actor.may(Action::Read)?;
        let lines = store::list(self.inner.db.read()).await.map_err(problems::of)?;
        let mut news: HashMap<ServiceId, News> = HashMap::new();
        for watch in self.tag_watches(None).await? {
            news.extend(watch.news.map(|found| (watch.service, found)));
        }
        let mut summary = |line: store::Line| ServiceSummary {
            news: news.remove(&line.id),
            state: self.inner.observed.state_of(&line.id, line.deployment.is_some()),
            id: line.id,
            name: line.name,
            project: line.project,
            deployment: line.deployment,
            last_build: line.last_build,
            changed: line.changed,
        };
        Ok(lines.into_iter().map(&mut summary).collect())
    }

    async fn projects(&self, actor: &Actor) -> Result<Vec<String>, AppError> {
        actor.may(Action::Read)?;
        store::project_names(self.inner.db.read()).await.map_err(problems::of)
    }

    async fn get(&self, actor: &Actor, id: &ServiceId) -> Result<Service, AppError> {
        actor.may(Action::Read)?;
        let record = self.live(id).await?;
        let settings = env::with_values(&self.inner.vault, self.inner.db.read(), id.as_str(), record.settings)
            .await
            .map_err(problems::of)?;
        Ok(Service {
            id: record.id,
            name: record.name,
            slug: record.slug,
            project: record.project,
            project_name: record.project_name,
            project_slug: record.project_slug,
            source: record.source,
            settings,
            watch: record.watch,
            current: record.current,
            version: record.version,
        })
    }

    async fn create(&self, actor: &Actor, form: ServiceForm) -> Result<ServiceId, AppError> {
        actor.may(Action::ManageServices)?;
        self.insert(actor, form.validated()?).await
    }

    async fn update(&self, actor: &Actor, id: &ServiceId, version: i64, form: ServiceForm) -> Result<(), AppError> {
        actor.may(Action::ManageServices)?;
        self.change(actor, id, version, form.validated()?).await
    }

    async fn change_build(&self, actor: &Actor, id: &ServiceId, version: i64, form: BuildForm) -> Result<(), AppError> {
        actor.may(Action::ManageServices)?;
        self.save_build(actor, id, version, form.validated()?).await
    }

    async fn delete(&self, actor: &Actor, id: &ServiceId) -> Result<(), AppError> {
        actor.may(Action::ManageServices)?;
        let mut tx = self.inner.db.write().await.map_err(problems::of)?;
        if !store::mark_deleted(&mut tx, id, self.inner.clock.millis()).await.map_err(problems::of)? {
            return Err(AppError::NotFound("service".into()));
        }
        let job = NewJob {
            kind: remove::KIND,
            payload: serde_json::json!({ "service": id }),
            subject: subject(id),
            key: Some(format!("{}:{id}", remove::KIND)),
            lane: Lane::Swarm,
            resource: None,
            asked_by: actor.username.clone(),
            max_attempts: remove::TRIES,
        };
        self.inner.jobs.enqueue(&mut tx, job).await.map_err(problems::of)?;
        activity::record(&mut tx, &self.inner.clock, &actor.username, "service.deleted", id.as_str(), "")
            .await
            .map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)?;
        self.cancel_other_work(id).await.map_err(problems::of)?;
        self.inner.jobs.wake();
        Ok(())
    }

    async fn tasks(&self, actor: &Actor, id: &ServiceId) -> Result<(Vec<Task>, i64), AppError> {
        actor.may(Action::Read)?;
        let record = self.live(id).await?;
        let (tasks, at) = self.inner.observed.tasks_of(id, &record.settings.ports);
        let age = if at == 0 { 0 } else { self.inner.clock.seconds() - at };
        Ok((tasks, age))
    }

    async fn uncovered(&self, actor: &Actor, id: &ServiceId) -> Result<Vec<Platform>, AppError> {
        actor.may(Action::Read)?;
        Ok(self.inner.observed.uncovered(id))
    }

    async fn deployments(&self, actor: &Actor, id: &ServiceId) -> Result<Vec<Deployment>, AppError> {
        actor.may(Action::Read)?;
        store_deployments::of_service(self.inner.db.read(), id).await.map_err(problems::of)
    }

    async fn deployment(&self, actor: &Actor, id: &DeploymentId) -> Result<Deployment, AppError> {
        actor.may(Action::Read)?;
        let found = store_deployments::find(self.inner.db.read(), id).await.map_err(problems::of)?;
        found.map(|(deployment, _)| deployment).ok_or_else(|| AppError::NotFound("deployment".into()))
    }

    async fn deploy_image(&self, actor: &Actor, id: &ServiceId) -> Result<DeploymentId, AppError> {
        actor.may(Action::ManageServices)?;
        // Before the transaction: nobody else may write while a registry takes its time.
        let ready = self.ready(id, None).await?;
        let mut tx = self.inner.db.write().await.map_err(problems::of)?;
        let deployment = self.deploy_ready(&mut tx, ready, &actor.username).await?;
        tx.commit().await.map_err(problems::of)?;
        self.inner.jobs.wake();
        Ok(deployment)
    }

    async fn restart(&self, actor: &Actor, id: &ServiceId) -> Result<DeploymentId, AppError> {
        actor.may(Action::ManageServices)?;
        self.start_anew(actor, id).await
    }

    async fn scale(&self, actor: &Actor, id: &ServiceId, replicas: &str) -> Result<DeploymentId, AppError> {
        actor.may(Action::ManageServices)?;
        self.copies(actor, id, replicas).await
    }

    async fn changes(
        &self,
        actor: &Actor,
        before: &DeploymentId,
        after: &DeploymentId,
    ) -> Result<Vec<Change>, AppError> {
        actor.may(Action::Read)?;
        self.differences(before, after).await
    }

    async fn histories(&self, actor: &Actor, id: &ServiceId) -> Result<Vec<(DeploymentId, Vec<Change>)>, AppError> {
        actor.may(Action::Read)?;
        self.history(id).await
    }

    async fn tag_watch(&self, actor: &Actor, id: &ServiceId) -> Result<Option<TagWatch>, AppError> {
        actor.may(Action::Read)?;
        Ok(self.tag_watches(Some(id)).await?.pop())
    }

    async fn look_at_tag(&self, actor: &Actor, id: &ServiceId) -> Result<Option<DeploymentId>, AppError> {
        actor.may(Action::ManageServices)?;
        Self::look_at_tag(self, id).await
    }

    async fn roll_back(&self, actor: &Actor, to: &DeploymentId, what: Back) -> Result<DeploymentId, AppError> {
        actor.may(Action::ManageServices)?;
        self.go_back(actor, to, what).await
    }

    async fn cancel_deployment(&self, actor: &Actor, id: &DeploymentId) -> Result<(), AppError> {
        actor.may(Action::ManageServices)?;
        let found = store_deployments::find(self.inner.db.read(), id).await.map_err(problems::of)?;
        let (deployment, _) = found.ok_or_else(|| AppError::NotFound("deployment".into()))?;
        self.inner.jobs.cancel(&deployment.job).await.map_err(problems::of)
    }

    async fn standing(&self, actor: &Actor, id: &ServiceId) -> Result<Standing, AppError> {
        actor.may(Action::Read)?;
        self.standing_of(id).await
    }

    async fn paused(&self, actor: &Actor) -> Result<Vec<(ServiceId, i64)>, AppError> {
        actor.may(Action::Read)?;
        store_standing::paused(self.inner.db.read()).await.map_err(problems::of)
    }

    async fn check_readiness(&self, actor: &Actor, id: &DeploymentId) -> Result<Readiness, AppError> {
        actor.may(Action::ManageServices)?;
        self.look_now(id).await
    }

    async fn pin(&self, actor: &Actor, id: &DeploymentId, on: bool) -> Result<(), AppError> {
        actor.may(Action::ManageServices)?;
        self.set_pin(actor, id, on).await
    }

    async fn set_keep(&self, actor: &Actor, id: &ServiceId, keep: u32) -> Result<(), AppError> {
        actor.may(Action::ManageServices)?;
        self.change_keep(actor, id, keep).await
    }

    async fn resume(&self, actor: &Actor, id: &ServiceId, deploy: bool) -> Result<Option<DeploymentId>, AppError> {
        actor.may(Action::ManageServices)?;
        self.end_pause(actor, id, deploy).await
    }
}
