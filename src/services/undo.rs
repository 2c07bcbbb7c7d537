//! The way back from a deployment that failed or was cancelled: the version that ran before gets its specification again,
//! or the Swarm service goes when there was none. Idempotent.

use super::Services;
use super::deploy::Plan;
use super::failure::is_ours;
use super::{store, store_deployments};
use crate::jobs::{JobContext, JobError};
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
        let found = store_deployments::find(read, id).await.map_err(crate::jobs::internal)?;
        let Some((deployment, _)) = found else { return Ok(()) };
        let service = store::find(read, &deployment.service).await.map_err(crate::jobs::internal)?;
        let Some(service) = service.filter(|service| !service.is_deleted) else { return Ok(()) };
        if service.current.as_ref() == Some(id) {
            return Ok(());
        }
        let in_swarm = self.in_swarm(&service).await?;
        // Nothing of this deployment got there, or somebody else took over.
        let Some(found) = in_swarm.filter(|found| is_ours(found, id)) else { return Ok(()) };
        let Some(previous) = &service.current else {
            self.inner.docker.remove_service(&found.id).await?;
            cx.log("The Swarm service was removed again; nothing ran before.");
            return Ok(());
        };
        let plan = self.plan(previous).await?;
        self.put_back(&plan, cx).await
    }

    async fn put_back(&self, plan: &Plan, cx: &JobContext) -> Result<(), JobError> {
        if let Some(login) = &plan.pull.access.login {
            cx.mask(&login.password);
        }
        self.update_swarm(plan, cx).await?;
        cx.log(&format!("Deployment {} was put back; it runs again.", plan.deployment.number));
        Ok(())
    }
}
