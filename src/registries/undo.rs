//! Takes away all that a failed or cancelled creation made, and nothing else. Idempotent.

use super::record::Record;
use super::{Registries, names, store_managed};
use crate::docker::DockerError;
use crate::jobs::{self, JobContext, JobError};
use app::model::id::RegistryId;
use app::model::registry::{Phase, Storage};
use std::time::Duration;
use tokio::time::Instant;

const POLL: Duration = Duration::from_millis(300);
/// So long it is tried after a failure; containers need a while to stop.
const PATIENCE: Duration = Duration::from_secs(80);
/// So long for the network: what is still on it then is somebody else's.
const NETWORK: Duration = Duration::from_secs(15);
/// So long after a cancel, which has to end within 12 s.
const HASTE: Duration = Duration::from_secs(9);

impl Registries {
    /// Removes what there is of a registry that was never up; it counts as failed from then on.
    pub(super) async fn take_down(&self, id: &RegistryId, cx: &JobContext) {
        let limit = if cx.cancel.is_cancelled() { HASTE } else { PATIENCE };
        let until = Instant::now() + limit;
        match self.try_take_down(id, until, cx).await {
            Ok(()) | Err(JobError::Cancelled) => {}
            Err(JobError::Retry { problem, .. } | JobError::Fail(problem)) => {
                cx.log(&format!("What was made couldn't be removed: {problem} The next try makes up for it."));
                tracing::warn!(registry.id = %id, cause = problem.cause, "a creation couldn't be undone");
            }
        }
    }

    async fn try_take_down(&self, id: &RegistryId, until: Instant, cx: &JobContext) -> Result<(), JobError> {
        let found = store_managed::record_of(self.parts.db.read(), id).await.map_err(jobs::internal)?;
        // One that was up once is never taken down by its creation.
        let Some(record) = found.filter(|record| matches!(record.phase, Phase::Creating | Phase::Failed)) else {
            return Ok(());
        };
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store_managed::set_phase(&mut tx, id, Phase::Failed).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        self.remove_services(id, cx).await?;
        self.remove_secrets(id, until, cx).await?;
        self.remove_own_volume(&record, until, cx).await?;
        self.remove_empty_network(id, until, cx).await
    }

    /// The registry's service and its proxy.
    pub(super) async fn remove_services(&self, id: &RegistryId, cx: &JobContext) -> Result<(), JobError> {
        for found in self.parts.docker.services(&names::filter(id)).await? {
            self.parts.docker.remove_service(&found.id).await?;
            cx.log(&format!("Swarm service {} removed.", found.name));
        }
        Ok(())
    }

    /// All its secrets, of all revisions.
    pub(super) async fn remove_secrets(
        &self,
        id: &RegistryId,
        until: Instant,
        cx: &JobContext,
    ) -> Result<(), JobError> {
        for secret in self.parts.docker.secrets(&names::filter(id)).await? {
            patiently(until, || self.parts.docker.remove_secret(&secret.id)).await?;
            cx.log(&format!("Secret {} removed.", secret.name));
        }
        Ok(())
    }

    /// The volume, if it was made for this registry and no other: one that was there before stays.
    pub(super) async fn remove_own_volume(
        &self,
        record: &Record,
        until: Instant,
        cx: &JobContext,
    ) -> Result<(), JobError> {
        let Storage::Volume { name } = &record.wanted.storage else { return Ok(()) };
        let found = self.parts.docker.find_volume(name).await?;
        if found.is_some_and(|volume| names::are_of(&volume.labels, &record.id)) {
            patiently(until, || self.parts.docker.remove_volume(name)).await?;
            cx.log(&format!("Volume {name} removed."));
        }
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store_managed::set_volume_created(&mut tx, &record.id, None).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)
    }

    /// The network, once no other registry needs it.
    pub(super) async fn remove_empty_network(
        &self,
        id: &RegistryId,
        until: Instant,
        cx: &JobContext,
    ) -> Result<(), JobError> {
        let records = store_managed::records(self.parts.db.read()).await.map_err(jobs::internal)?;
        if records.iter().any(|record| record.id != *id && record.phase != Phase::Failed) {
            return Ok(());
        }
        if self.parts.docker.find_network(names::NETWORK).await?.is_none() {
            return Ok(());
        }
        let until = until.min(Instant::now() + NETWORK);
        match patiently(until, || self.parts.docker.remove_network(names::NETWORK)).await {
            Ok(()) => cx.log(&format!("Network {} removed.", names::NETWORK)),
            Err(error) if error.is_away() => return Err(error.into()),
            // Somebody else's container is on it, or another registry's by now: then it stays.
            Err(error) => cx.log(&format!("The network {} stays: {error}.", names::NETWORK)),
        }
        Ok(())
    }
}

/// Tries while Docker refuses because something that is about to go still uses it.
pub(super) async fn patiently<F: Future<Output = Result<(), DockerError>>>(
    until: Instant,
    mut remove: impl FnMut() -> F,
) -> Result<(), DockerError> {
    loop {
        match remove().await {
            Err(DockerError::Refused { .. }) if Instant::now() < until => tokio::time::sleep(POLL).await,
            done => return done,
        }
    }
}
