//! Collects the garbage of a registry: frees what deleted images leave, while pulls go on and pushes of ours wait.
//!
//! The registry's own `garbage-collect` runs beside it, on the same storage. It marks what manifests lead to and deletes the
//! rest, so nothing may be pushed meanwhile: builds wait at the [gate](super::gate), everybody else finds the registry
//! read-only. It is never told `--delete-untagged`: 2.8 then deletes the parts of images for several platforms.
//!
//! What must always hold: wherever it is broken off, the registry is writable and complete in the end, and its gate open.
//! Docker is asked by jobs alone: an undo writes that there is something left to do, and another job does it. A sweep that
//! has begun isn't broken off.

mod ask;
mod due;
mod lock;
mod measure;
mod sweep;

use super::bring_up::id_of;
use super::record::Record;
use super::{Registries, names, store_garbage, store_managed};
use crate::jobs::{self, Handler, JobContext, JobError, Lane, NewJob};
use crate::storage::Tx;
use app::error::Problem;
use app::model::id::{JobId, RegistryId};
use app::model::registry::{GarbageWhy, Phase};
use app::model::text;
use async_trait::async_trait;

/// The job's kind.
pub(super) const KIND: &str = "collect_garbage";
/// What is left to do is tried again and again: for days.
const TRIES: i64 = 100_000;

/// Collects garbage; with `finish`, only puts right what another job left.
pub(super) struct Collect(pub(super) Registries);

#[async_trait]
impl Handler for Collect {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, payload: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        let (id, registries) = (id_of(payload)?, &self.0);
        if payload["finish"] == true {
            return registries.finish_collection(&id, cx).await;
        }
        let why = serde_json::from_value(payload["why"].clone()).map_err(jobs::internal)?;
        match registries.collect(&id, why, cx).await {
            Err(JobError::Fail(problem)) => Err(JobError::Fail(registries.after_failure(&id, problem, cx).await)),
            outcome => outcome,
        }
    }

    /// Only writes rows: there is no time for more after a cancel, and no need for Docker to be there.
    async fn undo(&self, payload: &serde_json::Value, cx: &JobContext) {
        let Ok(id) = id_of(payload) else { return };
        if let Err(error) = self.0.leave_the_rest(&id, cx).await {
            // The watch finds the mark, and asks for the same.
            tracing::warn!(registry.id = %id, ?error, "what a collection of garbage left isn't asked for yet");
        }
    }
}

impl Registries {
    async fn collect(&self, id: &RegistryId, why: GarbageWhy, cx: &JobContext) -> Result<(), JobError> {
        let record = self.load(id).await?;
        if !Self::is_meant_to_run(&record, cx) {
            return Ok(());
        }
        cx.step("look", "Look at the registry", self.look_before(&record, why, cx)).await?;
        cx.step("gate", "Wait for pushes that run", async {
            self.shut_gate(id, cx).await?;
            self.note_shut(cx).await
        })
        .await?;
        cx.step("read_only", "Make it read-only", async { self.lock(id, true, cx).await.map(drop) }).await?;
        let record = self.load(id).await?;
        let before: measure::Before = cx.step("measure", "Measure what is there", self.measure(&record, cx)).await?;
        let swept: sweep::Progress = cx.step("collect", "Collect the garbage", self.sweep(&record, cx)).await?;
        let after: Option<u64> = cx
            .step("tidy", "Remove what collected it", async {
                self.end_sweeps(&record, cx).await?;
                Ok(self.bytes_of(&record).await)
            })
            .await?;
        cx.step("writable", "Make it writable again", async { self.lock(id, false, cx).await.map(drop) }).await?;
        let record = self.load(id).await?;
        cx.step("verify", "Push, pull, and read a kept image", async {
            self.try_push(&record, cx).await?;
            self.check_known(&record, before.known.as_ref(), cx).await
        })
        .await?;
        cx.step("open", "Let pushes in again", async {
            self.settle(&record, cx).await?;
            let freed = before.bytes.zip(after).map(|(before, after)| before.saturating_sub(after));
            let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
            let now = self.parts.clock.seconds();
            let blobs = swept.eligible.unwrap_or(swept.deleted);
            store_garbage::end_run(&mut tx, &cx.id, now, Some(blobs), freed).await.map_err(jobs::internal)?;
            tx.commit().await.map_err(jobs::internal)?;
            let deleted = format!("{} {} deleted", text::count(blobs, "blob"), if blobs == 1 { "was" } else { "were" });
            cx.log(&match freed {
                Some(bytes) => format!("{deleted}; {} came free.", text::bytes(bytes)),
                None => format!("{deleted}. How much came free can't be seen from here."),
            });
            self.open_gate(id, cx).await
        })
        .await
    }

    /// Whether it can be done now; from here on it is among the runs.
    async fn look_before(&self, record: &Record, why: GarbageWhy, cx: &JobContext) -> Result<(), JobError> {
        let found = self.in_swarm(&record.id, names::SERVES).await?;
        if found.is_none_or(|found| found.replicas == 0) {
            return Err(Problem::new(
                "registry.stopped",
                "The registry doesn't run now.",
                "Start it on its page, then collect its garbage.",
            )
            .into());
        }
        if let Some(room) = self.room_of(record).await {
            cx.log(&format!("On its disk, {}.", crate::disk::words(room)));
        }
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        let now = self.parts.clock.seconds();
        store_garbage::begin_run(&mut tx, &cx.id, &record.id, why, now).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)
    }

    async fn note_shut(&self, cx: &JobContext) -> Result<(), JobError> {
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store_garbage::note_shut(&mut tx, &cx.id, self.parts.clock.seconds()).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)
    }

    /// Takes the mark away; whoever waits goes on.
    async fn open_gate(&self, id: &RegistryId, cx: &JobContext) -> Result<(), JobError> {
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store_garbage::remove_mark(&mut tx, id).await.map_err(jobs::internal)?;
        store_garbage::end_runs(&mut tx, id, self.parts.clock.seconds()).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        self.gate.opened();
        cx.log("Pushes go on.");
        Ok(())
    }

    /// What people read of a failure, after the registry was made writable again.
    async fn after_failure(&self, id: &RegistryId, problem: Problem, cx: &JobContext) -> Problem {
        cx.log(&format!("That didn't work: {} {}", problem.cause, problem.remedy));
        let cause = match cx.step("return", "Make it writable again", self.put_right(id, cx)).await {
            Ok(true) => format!("{} The registry is writable again.", problem.cause),
            Ok(false) => return problem,
            Err(JobError::Fail(second) | JobError::Retry { problem: second, .. }) => {
                format!("{} It isn't as before yet: {} Slipway goes on with that.", problem.cause, second.cause)
            }
            Err(JobError::Cancelled) => format!("{} Slipway makes the registry writable again.", problem.cause),
        };
        Problem { cause, ..problem }
    }

    /// Does what a job left that was broken off.
    async fn finish_collection(&self, id: &RegistryId, cx: &JobContext) -> Result<(), JobError> {
        let found = store_managed::record_of(self.parts.db.read(), id).await.map_err(jobs::internal)?;
        // Its deletion takes away all that is left.
        if found.is_none_or(|record| record.phase == Phase::Deleting) {
            cx.log("The registry is gone, or going; there is nothing left to do.");
            return Ok(());
        }
        cx.step("return", "Make it writable again", self.put_right(id, cx)).await.map(drop)
    }

    /// Ends what runs beside it, makes it writable and lets pushes in. Idempotent. False: nothing had been changed.
    async fn put_right(&self, id: &RegistryId, cx: &JobContext) -> Result<bool, JobError> {
        let record = self.load(id).await?;
        if is_untouched(&record) {
            self.open_gate(id, cx).await?;
            return Ok(false);
        }
        self.end_sweeps(&record, cx).await?;
        let record = self.lock(id, false, cx).await?;
        // Before the probe: if that fails, a disk may be full, which isn't mended by keeping builds waiting.
        self.open_gate(id, cx).await?;
        if self.in_swarm(id, names::SERVES).await?.is_some_and(|found| found.replicas > 0) {
            self.try_push(&record, cx).await?;
            self.settle(&record, cx).await?;
        }
        Ok(true)
    }

    /// After the end of a collection that wasn't one: opens the gate if nothing was changed yet, else asks for the job that
    /// puts it right.
    async fn leave_the_rest(&self, id: &RegistryId, cx: &JobContext) -> Result<(), JobError> {
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        let record = store_managed::record_of(&mut *tx, id).await.map_err(jobs::internal)?;
        let mark = store_garbage::mark(&mut *tx, id).await.map_err(jobs::internal)?;
        let now = self.parts.clock.seconds();
        match record {
            // Also of one whose mark somebody else has by now: nothing of ours is left then.
            Some(record) if mark.is_some() && !is_untouched(&record) => {
                self.ask_to_finish(&mut tx, id).await.map_err(jobs::internal)?;
                cx.log("The registry is made writable again by another job; pushes wait until then.");
            }
            _ => {
                store_garbage::remove_mark(&mut tx, id).await.map_err(jobs::internal)?;
                store_garbage::end_runs(&mut tx, id, now).await.map_err(jobs::internal)?;
            }
        }
        tx.commit().await.map_err(jobs::internal)?;
        self.gate.opened();
        self.parts.jobs.wake();
        Ok(())
    }

    /// Asks for the job that puts right what another left; wake the jobs after the commit.
    async fn ask_to_finish(&self, tx: &mut Tx, id: &RegistryId) -> Result<JobId, sqlx::Error> {
        let job = NewJob {
            kind: KIND,
            payload: serde_json::json!({ "registry": id, "finish": true }),
            subject: names::subject(id),
            key: Some(format!("{KIND}:{id}:finish")),
            lane: Lane::Swarm,
            resource: None,
            asked_by: "slipway".into(),
            max_attempts: TRIES,
        };
        self.parts.jobs.enqueue(tx, job).await
    }
}

/// Whether the Swarm has it as it was before.
fn is_untouched(record: &Record) -> bool {
    !record.wanted.read_only && record.settled.as_ref().is_some_and(|(_, revision)| *revision == record.revision)
}
