//! The way back from a deployment that failed or was cancelled: the version that ran before gets its specification again,
//! or the Swarm service goes when there was none. Idempotent.

use super::Services;
use super::deploy::{Plan, mask};
use super::failure::is_ours;
use super::{store, store_deployments, store_standing};
use crate::jobs::{JobContext, JobError, internal};
use crate::problems;
use crate::storage::StorageError;
use app::error::Problem;
use app::model::id::DeploymentId;
use std::time::Duration;

const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(700);

impl Services {
    /// Restores what ran before `id`; says in the log what it did.
    pub(super) async fn restore(&self, id: &DeploymentId, cx: &JobContext) {
        for attempt in 1..=TRIES {
            match self.try_restore(id, cx).await {
                Ok(()) => break,
                Err(JobError::Retry { .. }) if attempt < TRIES => tokio::time::sleep(PAUSE).await,
                Err(JobError::Retry { problem, .. } | JobError::Fail(problem)) => {
                    cx.log(&format!("What ran before couldn't be restored: {problem} Roll back by hand."));
                    tracing::warn!(deployment.id = %id, cause = problem.cause, "a deployment couldn't be undone");
                    break;
                }
                Err(JobError::Cancelled) => break,
            }
        }
        // Only so that pages are right at once; the watch looks anyway.
        drop(self.look().await);
    }

    async fn try_restore(&self, id: &DeploymentId, cx: &JobContext) -> Result<(), JobError> {
        let read = self.inner.db.read();
        let found = store_deployments::find(read, id).await.map_err(internal)?;
        let Some((deployment, _)) = found else { return Ok(()) };
        let service = store::find(read, &deployment.service).await.map_err(internal)?;
        let Some(service) = service.filter(|service| !service.is_deleted) else { return Ok(()) };
        if service.current.as_ref() == Some(id) {
            return Ok(());
        }
        let in_swarm = self.in_swarm(&service).await?;
        let Some(found) = in_swarm else { return Ok(()) };
        if !is_ours(&found, id) {
            // Nothing of this deployment got there, or somebody else took over, or Slipway died after it had put back.
            if service.current.as_ref().is_some_and(|previous| is_ours(&found, previous)) {
                self.was_put_back(id).await?;
            }
            return Ok(());
        }
        let Some(previous) = &service.current else {
            self.inner.docker.remove_service(&found.id).await?;
            cx.log("The Swarm service was removed again; nothing ran before.");
            self.drop_files(&service.id, &[]).await;
            return Ok(());
        };
        let plan = self.plan(previous).await?;
        let mut tx = self.inner.db.write().await.map_err(internal)?;
        store_standing::putting_back(&mut tx, id, previous).await.map_err(internal)?;
        tx.commit().await.map_err(internal)?;
        self.put_back(&plan, cx).await?;
        self.was_put_back(id).await
    }

    /// The record that what ran before runs again, if it was being put back.
    async fn was_put_back(&self, id: &DeploymentId) -> Result<(), JobError> {
        let mut tx = self.inner.db.write().await.map_err(internal)?;
        store_standing::was_put_back(&mut tx, id, self.inner.clock.seconds()).await.map_err(internal)?;
        tx.commit().await.map_err(internal)
    }

    /// Why a deployment was given up in an earlier life.
    pub(super) async fn gave_up(&self, id: &DeploymentId) -> Result<Option<Problem>, JobError> {
        store_standing::gave_up(self.inner.db.read(), id).await.map_err(internal)
    }

    /// Writes down why a deployment is given up, before anything is undone.
    pub(super) async fn give_up(&self, id: &DeploymentId, problem: &Problem) {
        let written = async {
            let mut tx = self.inner.db.write().await?;
            store_standing::give_up(&mut tx, id, problem).await?;
            Ok::<_, StorageError>(tx.commit().await?)
        };
        if let Err(error) = written.await {
            // The job still fails with it; only a death right now would find another reason.
            tracing::warn!(deployment.id = %id, error = %problems::chain(&error), "a reason wasn't written");
        }
    }

    async fn put_back(&self, plan: &Plan, cx: &JobContext) -> Result<(), JobError> {
        mask(plan, cx);
        self.update_swarm(plan, cx).await?;
        self.drop_files(&plan.service.id, &plan.deployment.settings.secrets).await;
        cx.log(&format!("Deployment {} was put back; it runs again.", plan.deployment.number));
        Ok(())
    }
}
