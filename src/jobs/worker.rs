//! Claims jobs and runs them, each in a task of its own that catches panics, keeps the claim, watches for cancel, and ends
//! the job in a final state whatever happens.

use super::context::JobContext;
use super::queue::Claimed;
use super::{JobError, Jobs, Lane, recovery};
use crate::problems;
use crate::storage::StorageError;
use app::error::Problem;
use app::model::job::JobState;
use futures::FutureExt as _;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long running steps may go on after the stop.
pub(super) const GRACE: Duration = Duration::from_secs(20);
/// The queue is looked into at least this often.
const LOOK: Duration = Duration::from_secs(5);
const RENEW: Duration = Duration::from_secs(10);
/// How long work may take to end after a cancel, before it is dropped; the undo still fits into 15 s.
const CANCEL: Duration = Duration::from_millis(12_500);
const UNDO_AFTER_CANCEL: Duration = Duration::from_secs(2);
const UNDO: Duration = Duration::from_secs(120);

/// How the work of a job came out.
#[derive(Debug)]
pub(super) enum Outcome {
    Succeeded,
    Failed(Problem),
    Cancelled,
    Again {
        after: Duration,
        problem: Problem,
    },
    /// Slipway stops; the next run goes on.
    Left,
}

/// Works until `stop`, then until all is quiet.
pub(super) async fn dispatch(jobs: Jobs, stop: CancellationToken, grace: Duration) {
    while !stop.is_cancelled() {
        let wait = match look(&jobs).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::error!(error = %problems::chain(&error), "the queue can't be looked into; trying again");
                LOOK
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = jobs.inner.wake.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    jobs.inner.pausing.cancel();
    jobs.inner.tasks.close();
    if tokio::time::timeout(grace, jobs.inner.tasks.wait()).await.is_err() {
        jobs.inner.leaving.cancel();
        jobs.inner.tasks.wait().await;
    }
}

/// Starts all that may run now; returns how long to wait before the next look.
async fn look(jobs: &Jobs) -> Result<Duration, StorageError> {
    recovery::look(jobs).await?;
    for lane in Lane::ALL {
        while let Some(claimed) = jobs.claim(lane).await? {
            jobs.inner.hub.state_changed(&claimed.job.id);
            spawn(jobs, claimed, None);
        }
    }
    let due = jobs.next_due().await?.map(|at| at.saturating_sub(jobs.inner.clock.millis()));
    Ok(due.map_or(LOOK, |millis| Duration::from_millis(u64::try_from(millis).unwrap_or(0)).min(LOOK)))
}

/// Runs a claimed job in its own task; with `ended`, only undoes it and ends it that way.
pub(super) fn spawn(jobs: &Jobs, claimed: Claimed, ended: Option<Outcome>) {
    let cancel = CancellationToken::new();
    jobs.running().insert(claimed.job.id.clone(), cancel.clone());
    let jobs = jobs.clone();
    jobs.inner.tasks.clone().spawn(async move {
        let id = claimed.job.id.clone();
        let cx = JobContext::new(&jobs, &claimed, cancel);
        let outcome = match ended {
            Some(outcome) => outcome,
            None => run(&jobs, &claimed, &cx).await,
        };
        let outcome = settle(&claimed, &cx, outcome);
        undo(&jobs, &claimed, &cx, &outcome).await;
        say(&cx, &outcome);
        cx.end_log();
        end(&jobs, &claimed, outcome).await;
        jobs.running().remove(&id);
        jobs.wake();
    });
}

async fn run(jobs: &Jobs, claimed: &Claimed, cx: &JobContext) -> Outcome {
    // A cancel that came between the claim and the token is in the row.
    if let Ok(Some((job, _))) = jobs.read(&claimed.job.id).await
        && job.state == JobState::Cancelling
    {
        cx.cancel.cancel();
    }
    let Some(handler) = jobs.handler(&claimed.job.kind) else {
        return Outcome::Failed(Problem::new(
            "job.unknown",
            format!("This version of Slipway doesn't know how to do {}.", claimed.job.kind),
            "Start it again, or use the version that asked for it.",
        ));
    };
    if claimed.crashes > 0 {
        cx.log("Slipway was interrupted here and goes on.");
    }
    #[cfg(feature = "testing")]
    super::failpoints::reach(&format!("{}.claimed", claimed.job.kind), &cx.cancel).await;
    let mut work = Box::pin(AssertUnwindSafe(handler.run(&claimed.payload, cx)).catch_unwind());
    // Beside the work and not in between: the work may hold the one writing connection while it waits.
    let keep = async {
        let mut renew = tokio::time::interval(RENEW);
        loop {
            renew.tick().await;
            if let Err(error) = jobs.renew(&claimed.job.id).await {
                tracing::warn!(job.id = %claimed.job.id, error = %problems::chain(&error), "a claim wasn't renewed");
            }
        }
    };
    tokio::pin!(keep);
    let hung = async {
        cx.cancel.cancelled().await;
        tokio::time::sleep(CANCEL).await;
    };
    tokio::pin!(hung);
    loop {
        tokio::select! {
            result = &mut work => return match result {
                Ok(Ok(())) => Outcome::Succeeded,
                Ok(Err(JobError::Fail(problem))) => Outcome::Failed(problem),
                Ok(Err(JobError::Cancelled)) => Outcome::Cancelled,
                Ok(Err(JobError::Retry { after, problem })) => Outcome::Again { after, problem },
                Err(panic) => Outcome::Failed(panicked(claimed, panic.as_ref())),
            },
            () = &mut hung => {
                tracing::warn!(job.id = %claimed.job.id, "a job didn't end after its cancel and was dropped");
                return Outcome::Cancelled;
            }
            () = cx.parked() => return Outcome::Left,
            () = jobs.inner.leaving.cancelled() => return Outcome::Left,
            () = &mut keep => {}
        }
    }
}

fn panicked(claimed: &Claimed, panic: &(dyn std::any::Any + Send)) -> Problem {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(job.id = %claimed.job.id, job.kind = claimed.job.kind, panic = text, "a job panicked");
    Problem::new(
        "internal",
        format!("Slipway has a fault here and broke off. Its own log has the reason under {}.", claimed.job.id),
        "Try again; if it happens again, report it with that part of the log.",
    )
}

/// Failures after a cancel are its consequence; tries run out.
fn settle(claimed: &Claimed, cx: &JobContext, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Failed(_) | Outcome::Again { .. } if cx.cancel.is_cancelled() => Outcome::Cancelled,
        Outcome::Again { problem, .. } if claimed.job.attempt - claimed.crashes >= claimed.max_attempts => {
            Outcome::Failed(problem)
        }
        outcome => outcome,
    }
}

async fn undo(jobs: &Jobs, claimed: &Claimed, cx: &JobContext, outcome: &Outcome) {
    let limit = match outcome {
        Outcome::Cancelled => UNDO_AFTER_CANCEL,
        Outcome::Failed(_) => UNDO,
        Outcome::Succeeded | Outcome::Again { .. } | Outcome::Left => return,
    };
    let Some(handler) = jobs.handler(&claimed.job.kind) else { return };
    cx.leave_step();
    let work = AssertUnwindSafe(handler.undo(&claimed.payload, cx)).catch_unwind();
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(())) => {}
        Ok(Err(panic)) => {
            panicked(claimed, panic.as_ref());
        }
        Err(_) => cx.log("Slipway couldn't put everything right in time."),
    }
}

/// The log tells by itself how it ended.
fn say(cx: &JobContext, outcome: &Outcome) {
    match outcome {
        Outcome::Succeeded => {}
        Outcome::Cancelled => cx.log("Cancelled."),
        Outcome::Left => cx.log("Slipway stops; this goes on after its next start."),
        Outcome::Failed(problem) => cx.log(&format!("Failed: {} {}", problem.cause, problem.remedy)),
        Outcome::Again { after, problem } => {
            cx.log(&format!("{} Trying again in {} s.", problem.cause, after.as_secs()));
        }
    }
}

/// Writes the outcome, again and again if need be: without it the job would stay running. When Slipway stops before that
/// works, the next start finds the job and takes it up.
async fn end(jobs: &Jobs, claimed: &Claimed, outcome: Outcome) {
    let id = &claimed.job.id;
    let now = jobs.inner.clock.millis();
    loop {
        let written = match &outcome {
            Outcome::Succeeded => jobs.finish(id, JobState::Succeeded, None).await,
            Outcome::Failed(problem) => jobs.finish(id, JobState::Failed, Some(problem)).await,
            Outcome::Cancelled => jobs.finish(id, JobState::Cancelled, None).await,
            Outcome::Again { after, .. } => {
                let after = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
                jobs.put_back(id, now.saturating_add(after), true).await
            }
            Outcome::Left => jobs.put_back(id, now, false).await,
        };
        let Err(error) = written else { break };
        tracing::error!(job.id = %id, error = %problems::chain(&error), "the end of a job can't be written; trying again");
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = jobs.inner.leaving.cancelled() => break,
        }
    }
    jobs.inner.hub.state_changed(id);
    let duration_ms = claimed.job.started.map(|started| jobs.inner.clock.millis() - started);
    tracing::info!(job.id = %id, job.kind = claimed.job.kind, outcome = outcome.name(), duration_ms, "a job ended");
}

impl Outcome {
    fn name(&self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed(_) => "failed",
            Self::Cancelled => "cancelled",
            Self::Again { .. } => "again",
            Self::Left => "left",
        }
    }
}
