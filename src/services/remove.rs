//! The job that takes a deleted service out of the Swarm. It goes on until it is done, also over restarts: the service is
//! out of all lists already, so nothing of it may stay.

use super::{Services, secret_files, spec, store, store_deployments};
use crate::builds;
use crate::docker::DockerError;
use crate::jobs::{self, Handler, JobContext, JobError};
use crate::storage::StorageError;
use app::error::Problem;
use app::model::id::ServiceId;
use async_trait::async_trait;
use std::time::Duration;
use tokio::time::Instant;

/// The job's kind.
pub(super) const KIND: &str = "remove_service";
/// It is tried again and again: for days.
pub(super) const TRIES: i64 = 100_000;
const AGAIN: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(300);
/// A cancel ends within 15 s.
const OTHER_WORK: Duration = Duration::from_secs(20);
/// Tasks leave a network when they have stopped, 10 s after they are told.
const NETWORK: Duration = Duration::from_secs(40);

/// Takes services out of the Swarm.
pub(super) struct Remove(Services);

impl Remove {
    pub(super) fn new(services: Services) -> Self {
        Self(services)
    }
}

#[async_trait]
impl Handler for Remove {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, payload: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        let id: ServiceId = serde_json::from_value(payload["service"].clone()).map_err(jobs::internal)?;
        let services = &self.0;
        cx.step("cancel", "Stop its builds and deployments", services.end_other_work(&id)).await?;
        cx.step("service", "Remove the Swarm service", services.remove_from_swarm(&id, cx)).await?;
        cx.step("network", "Remove the project's network if it is empty", services.remove_network(&id, cx)).await?;
        cx.step("secrets", "Forget its environment variables and secrets", services.forget(&id)).await?;
        drop(services.look().await);
        Ok(())
    }
}

/// Whatever Docker says, nothing may stay in the Swarm that no list shows any more.
fn again(error: DockerError) -> JobError {
    JobError::Retry { after: AGAIN, problem: error.problem() }
}

impl Services {
    /// Asks builds and deployments of the service to stop.
    pub(super) async fn cancel_other_work(&self, id: &ServiceId) -> Result<(), StorageError> {
        for job in store::unfinished_jobs(self.inner.db.read(), id).await? {
            self.inner.jobs.cancel(&job).await?;
        }
        Ok(())
    }

    async fn end_other_work(&self, id: &ServiceId) -> Result<(), JobError> {
        let begun = Instant::now();
        loop {
            self.cancel_other_work(id).await.map_err(jobs::internal)?;
            let left = store::unfinished_jobs(self.inner.db.read(), id).await.map_err(jobs::internal)?;
            if left.is_empty() {
                return Ok(());
            }
            if begun.elapsed() > OTHER_WORK {
                return Err(JobError::Retry {
                    after: AGAIN,
                    problem: Problem::new(
                        "service.busy",
                        "A build or deployment of the service doesn't end.",
                        "Look at it on the page of jobs.",
                    ),
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn remove_from_swarm(&self, id: &ServiceId, cx: &JobContext) -> Result<(), JobError> {
        for found in self.inner.docker.services(&spec::service_filter(id)).await.map_err(again)? {
            self.inner.docker.remove_service(&found.id).await.map_err(again)?;
            cx.log(&format!("Swarm service {} removed.", found.name));
        }
        for secret in self.inner.docker.secrets(&spec::service_filter(id)).await.map_err(again)? {
            self.inner.docker.remove_secret(&secret.id).await.map_err(again)?;
        }
        Ok(())
    }

    async fn remove_network(&self, id: &ServiceId, cx: &JobContext) -> Result<(), JobError> {
        let service = store::find(self.inner.db.read(), id).await.map_err(jobs::internal)?;
        let Some(service) = service else { return Ok(()) };
        let name = spec::network_name(&service.project_slug, &service.project);
        let begun = Instant::now();
        loop {
            if store::is_populated(self.inner.db.read(), &service.project).await.map_err(jobs::internal)? {
                return Ok(());
            }
            match self.inner.docker.remove_network(&name).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_away() => return Err(again(error)),
                // Tasks are still stopping, or somebody's own container is on it: then it stays.
                Err(error) if begun.elapsed() > NETWORK => {
                    cx.log(&format!("The network {name} stays: {error}."));
                    return Ok(());
                }
                Err(_) => {}
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                () = cx.cancel.cancelled() => return Err(JobError::Cancelled),
            }
        }
    }

    async fn forget(&self, id: &ServiceId) -> Result<(), JobError> {
        let deployments = store_deployments::of_service(self.inner.db.read(), id).await.map_err(jobs::internal)?;
        let mut tx = self.inner.db.write().await.map_err(jobs::internal)?;
        self.inner.vault.forget(&mut tx, id.as_str()).await.map_err(jobs::internal)?;
        self.inner.vault.forget(&mut tx, &secret_files::owner(id)).await.map_err(jobs::internal)?;
        self.inner.vault.forget(&mut tx, &builds::secrets_of(id)).await.map_err(jobs::internal)?;
        for deployment in deployments {
            self.inner.vault.forget(&mut tx, deployment.id.as_str()).await.map_err(jobs::internal)?;
        }
        tx.commit().await.map_err(jobs::internal)
    }
}
