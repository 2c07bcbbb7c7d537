//! Stops a registry and starts it anew, makes what is missing on the way, and says how that went.

use super::Registries;
use super::apply::Start;
use super::bring_up::id_of;
use super::create::blocked;
use crate::jobs::{self, Handler, JobContext, JobError};
use crate::problems;
use app::error::AppError;
use app::model::account::Actor;
use app::model::id::{JobId, RegistryId};
use app::model::registry::Phase;
use async_trait::async_trait;

/// The job's kind.
pub(super) const KIND: &str = "restart_registry";

/// Restarts registries.
pub(super) struct Restart(pub(super) Registries);

#[async_trait]
impl Handler for Restart {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, payload: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        let record = self.0.load(&id_of(payload)?).await?;
        if !Registries::is_meant_to_run(&record, cx) {
            return Ok(());
        }
        let number: u64 = serde_json::from_value(payload["number"].clone()).map_err(jobs::internal)?;
        self.0.bring_up(&record, Start::Anew(number), cx).await?;
        self.0.prove(&record, cx).await
    }
}

impl Registries {
    /// Asks for the restart of one that is meant to run.
    pub(super) async fn ask_for_restart(&self, actor: &Actor, id: &RegistryId) -> Result<JobId, AppError> {
        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        let record = self.idle(&mut tx, id).await?;
        if record.phase != Phase::Running {
            return Err(blocked(id, "Only a registry that was created can be restarted."));
        }
        // Grows with time, and is the same however often the job is broken off.
        let more = serde_json::json!({ "number": self.parts.clock.millis() });
        let job = self.enqueue(&mut tx, KIND, id, more, &actor.username).await?;
        self.record(&mut tx, actor, "restarted", id, &record.name).await?;
        tx.commit().await.map_err(problems::of)?;
        self.parts.jobs.wake();
        Ok(job)
    }
}
