//! Keeps pushes and the collection of garbage out of each other's way: a blob that is pushed between marking and sweeping
//! would be swept away, and what was pushed would be damaged.
//!
//! Pushes of ours share the gate; a collection has it alone. What must always hold: as long as the mark is in the database
//! no push of ours begins, also after a restart; whoever waits can be cancelled, and doesn't fail; a collection waits for
//! the pushes that run already.

use super::{Registries, store_garbage};
use crate::jobs::{self, JobContext, JobError};
use crate::problems;
use app::error::{AppError, Problem};
use app::model::id::{JobId, RegistryId};
use app::paths;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Those who wait look so often by themselves.
const LOOK: Duration = Duration::from_secs(2);
/// So long a collection waits for pushes to end; the longest builds take an hour.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// Who pushes now; shared by all clones.
#[derive(Clone, Debug, Default)]
pub(super) struct Gate(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    pushes: Mutex<HashMap<RegistryId, BTreeMap<u64, String>>>,
    /// Jobs that wait, and for which registry.
    waiting: Mutex<HashMap<JobId, RegistryId>>,
    next: AtomicU64,
    /// A push ended.
    left: watch::Sender<()>,
    /// A mark was taken away.
    opened: watch::Sender<()>,
}

/// The right to push to a registry, as long as it is held.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub struct PushPass {
    gate: Gate,
    registry: RegistryId,
    number: u64,
}

impl Drop for PushPass {
    fn drop(&mut self) {
        let mut pushes = self.gate.0.pushes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ours) = pushes.get_mut(&self.registry) {
            ours.remove(&self.number);
            if ours.is_empty() {
                pushes.remove(&self.registry);
            }
        }
        drop(pushes);
        self.gate.0.left.send_replace(());
    }
}

/// A job that waits, as long as it is held.
struct Waits<'a>(&'a Gate, &'a JobId);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(self.1);
    }
}

impl Gate {
    fn wait<'a>(&'a self, job: &'a JobId, id: &RegistryId) -> Waits<'a> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(job.clone(), id.clone());
        Waits(self, job)
    }

    /// The registry that a job waits for.
    fn awaited(&self, job: &JobId) -> Option<RegistryId> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).get(job).cloned()
    }

    fn enter(&self, id: &RegistryId, who: &str) -> PushPass {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let mut pushes = self.0.pushes.lock().unwrap_or_else(PoisonError::into_inner);
        pushes.entry(id.clone()).or_default().insert(number, who.to_owned());
        PushPass { gate: self.clone(), registry: id.clone(), number }
    }

    /// Who pushes now, the first first.
    pub(super) fn pushing(&self, id: &RegistryId) -> Vec<String> {
        let pushes = self.0.pushes.lock().unwrap_or_else(PoisonError::into_inner);
        pushes.get(id).map(|ours| ours.values().cloned().collect()).unwrap_or_default()
    }

    /// The mark of a registry was taken away: whoever waits may go on.
    pub(super) fn opened(&self) {
        self.0.opened.send_replace(());
    }
}

impl Registries {
    /// The right to push to a registry, or to delete from it. Waits while its garbage is being collected, and says so in the
    /// job's log. `who` pushes, in words that a collection waits for: `build 12 of web`.
    pub async fn push_pass(&self, id: &RegistryId, who: &str, cx: &JobContext) -> Result<PushPass, JobError> {
        let mut opened = self.gate.0.opened.subscribe();
        let mut waits = None;
        loop {
            opened.borrow_and_update();
            if self.mark(id).await.map_err(jobs::internal)?.is_none() {
                let pass = self.gate.enter(id, who);
                // Looked at again: a collection marks first and counts pushes then, so one of both sees the other.
                if self.mark(id).await.map_err(jobs::internal)?.is_none() {
                    if waits.is_some() {
                        cx.log("The garbage is collected; going on.");
                    }
                    return Ok(pass);
                }
            }
            if waits.is_none() {
                let name = store_garbage::name(self.parts.db.read(), id).await.map_err(jobs::internal)?;
                cx.log(&format!("Waiting: the garbage of the registry {name} is being collected."));
                waits = Some(self.gate.wait(&cx.id, id));
            }
            tokio::select! {
                _ = opened.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
                () = cx.cancel.cancelled() => return Err(JobError::Cancelled),
            }
        }
    }

    /// Since when pushes to a registry wait for its garbage, Unix seconds; None: they don't.
    pub async fn shut_since(&self, id: &RegistryId) -> Result<Option<i64>, AppError> {
        Ok(self.mark(id).await.map_err(problems::of)?.map(|mark| mark.since))
    }

    /// Since when a job waits with its push, Unix seconds.
    pub(super) async fn waits_since(&self, job: &JobId) -> Result<Option<i64>, AppError> {
        match self.gate.awaited(job) {
            Some(id) => self.shut_since(&id).await,
            None => Ok(None),
        }
    }

    async fn mark(&self, id: &RegistryId) -> Result<Option<store_garbage::Mark>, crate::storage::StorageError> {
        store_garbage::mark(self.parts.db.read(), id).await
    }

    /// Shuts the gate for this job, and waits until nobody pushes any more.
    pub(super) async fn shut_gate(&self, id: &RegistryId, cx: &JobContext) -> Result<(), JobError> {
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        let now = self.parts.clock.seconds();
        store_garbage::put_mark(&mut tx, id, &cx.id, now).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        let mut left = self.gate.0.left.subscribe();
        let until = Instant::now() + PATIENCE;
        let mut told = Vec::new();
        loop {
            left.borrow_and_update();
            let pushing = self.gate.pushing(id);
            if pushing.is_empty() {
                cx.log("Nobody pushes; new pushes of builds wait from now on.");
                return Ok(());
            }
            if pushing != told {
                cx.log(&format!("Waiting for pushes that run already: {}. New ones wait.", pushing.join(", ")));
                told.clone_from(&pushing);
            }
            tokio::select! {
                _ = left.changed() => {}
                () = tokio::time::sleep_until(until) => return Err(busy(id, &pushing).into()),
                () = cx.cancel.cancelled() => return Err(JobError::Cancelled),
            }
        }
    }
}

fn busy(id: &RegistryId, pushing: &[String]) -> Problem {
    Problem::new(
        "registry.garbage_busy",
        format!("Pushes to the registry didn't end within an hour: {}.", pushing.join(", ")),
        "Collect the garbage when fewer builds run. Nothing was changed.",
    )
    .with_link(paths::registry(id), "Open the registry")
}
