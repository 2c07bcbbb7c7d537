//! What people can ask about runs and the trash.

use super::{Retention, store_runs, store_trash};
use crate::problems;
use app::api::trash::TrashApi;
use app::error::AppError;
use app::model::account::{Action, Actor};
use app::model::id::{JobId, RegistryId, TrashId};
use app::model::trash::{EmptyForm, RunReport, RunSummary, Trashed};
use async_trait::async_trait;

#[async_trait]
impl TrashApi for Retention {
    async fn trash(&self, actor: &Actor, registry: &RegistryId) -> Result<Vec<Trashed>, AppError> {
        actor.may(Action::Read)?;
        let found = store_trash::list(self.parts.db.read(), registry).await.map_err(problems::of)?;
        Ok(found.into_iter().map(store_trash::Entry::shown).collect())
    }

    async fn runs(&self, actor: &Actor, registry: &RegistryId) -> Result<Vec<RunSummary>, AppError> {
        actor.may(Action::Read)?;
        store_runs::list(self.parts.db.read(), registry).await.map_err(problems::of)
    }

    async fn report(&self, actor: &Actor, registry: &RegistryId, run: &JobId) -> Result<RunReport, AppError> {
        actor.may(Action::Read)?;
        let found = store_runs::report(self.parts.db.read(), registry, run).await.map_err(problems::of)?;
        found.ok_or_else(|| AppError::NotFound("run".into()))
    }

    async fn run(&self, actor: &Actor, registry: &RegistryId) -> Result<JobId, AppError> {
        actor.may(Action::ManageRegistries)?;
        self.parts.registries.of(registry).await?;
        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        let job = self.enqueue_run(&mut tx, registry, &actor.username).await?;
        self.announce(&mut tx, registry, &job, true, actor).await?;
        tx.commit().await.map_err(problems::of)?;
        self.parts.jobs.wake();
        Ok(job)
    }

    async fn restore(&self, actor: &Actor, id: &TrashId, over: bool) -> Result<JobId, AppError> {
        actor.may(Action::ManageRegistries)?;
        self.ask_to_restore(actor, id, over).await
    }

    async fn empty(&self, actor: &Actor, registry: &RegistryId, form: EmptyForm) -> Result<JobId, AppError> {
        actor.may(Action::ManageRegistries)?;
        self.parts.registries.of(registry).await?;
        if form.sure.is_none() {
            return Err(AppError::field("sure", "Confirm that nothing of it can be brought back afterwards."));
        }
        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        let job = self.enqueue_emptying(&mut tx, registry, true, &actor.username).await?;
        self.announce(&mut tx, registry, &job, false, actor).await?;
        tx.commit().await.map_err(problems::of)?;
        self.parts.jobs.wake();
        Ok(job)
    }
}

impl Retention {
    /// The report is there as soon as the run is asked for, so that its page is.
    async fn announce(
        &self,
        tx: &mut crate::storage::Tx,
        registry: &RegistryId,
        job: &JobId,
        by_rules: bool,
        actor: &Actor,
    ) -> Result<(), AppError> {
        let now = self.parts.clock.seconds();
        store_runs::begin(tx, job, registry, by_rules, &actor.username, now).await.map_err(problems::of)
    }
}
