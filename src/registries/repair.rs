//! Brings the Swarm back to what should be, after something was removed or changed outside of Slipway. What somebody scaled
//! to zero stays so.

use super::apply::Start;
use super::bring_up::id_of;
use super::{Registries, names};
use crate::jobs::{Handler, JobContext, JobError, Lane, NewJob};
use crate::problems;
use app::error::AppError;
use app::model::id::{JobId, RegistryId};
use async_trait::async_trait;

/// The job's kind.
pub(super) const KIND: &str = "repair_registry";
/// How often it is tried while Docker is away: an hour at least.
const TRIES: i64 = 1_000;

/// Repairs registries.
pub(super) struct Repair(pub(super) Registries);

#[async_trait]
impl Handler for Repair {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, payload: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        let record = self.0.load(&id_of(payload)?).await?;
        cx.log(payload["why"].as_str().unwrap_or("Something isn't as it should be."));
        if !Registries::is_meant_to_run(&record, cx) {
            return Ok(());
        }
        if self.0.bring_up(&record, Start::Keep, cx).await? {
            self.0.prove(&record, cx).await?;
        }
        Ok(())
    }
}

impl Registries {
    /// Brings the Swarm back to what should be. `why` is what was found, in a sentence, for the job's log. While such a job
    /// hasn't ended, it is the answer.
    pub(super) async fn ask_for_repair(&self, id: &RegistryId, why: &str) -> Result<JobId, AppError> {
        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        let job = NewJob {
            kind: KIND,
            payload: serde_json::json!({ "registry": id, "why": why }),
            subject: names::subject(id),
            key: Some(format!("{KIND}:{id}")),
            lane: Lane::Swarm,
            resource: None,
            asked_by: "slipway".into(),
            max_attempts: TRIES,
        };
        let job = self.parts.jobs.enqueue(&mut tx, job).await.map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)?;
        self.parts.jobs.wake();
        tracing::info!(registry.id = %id, why, "a registry is being repaired");
        Ok(job)
    }
}
