//! Takes up what nobody runs any more: jobs of an earlier run of the program, and jobs whose claim ran out.
//!
//! They go back into the queue and skip the steps they had done. A job that was being stopped is undone and ends as
//! cancelled; one that Slipway didn't survive three times ends as failed, for it may be the reason.

use super::queue::{Claimed, LEASE_MILLIS, claimed, columns};
use super::{Jobs, worker};
use crate::storage::StorageError;
use app::error::Problem;
use app::model::job::JobState;

/// Crashes after which a job isn't tried again.
const MOST_CRASHES: i64 = 3;

/// Looks for jobs without an owner. Called at start and with every look into the queue.
pub(super) async fn look(jobs: &Jobs) -> Result<(), StorageError> {
    let now = jobs.inner.clock.millis();
    let rows = sqlx::query(concat!(
        "SELECT payload, max_attempts, crashes, ",
        columns!(),
        " FROM jobs WHERE state IN ('running', 'cancelling') AND (boot IS NOT ? OR coalesce(lease_until, 0) < ?)"
    ))
    .bind(&jobs.inner.boot)
    .bind(now)
    .fetch_all(jobs.inner.db.read())
    .await?;
    for row in &rows {
        let found = claimed(row)?;
        if jobs.running().contains_key(&found.job.id) {
            continue;
        }
        let is_cancelling = found.job.state == JobState::Cancelling;
        if !is_cancelling && found.crashes + 1 < MOST_CRASHES {
            queue_again(jobs, &found).await?;
        } else {
            end(jobs, found, is_cancelling).await?;
        }
    }
    Ok(())
}

async fn queue_again(jobs: &Jobs, found: &Claimed) -> Result<(), StorageError> {
    let mut tx = jobs.inner.db.write().await?;
    sqlx::query(
        "UPDATE jobs SET state = 'queued', boot = NULL, lease_until = NULL, crashes = crashes + 1
         WHERE id = ? AND state = 'running'",
    )
    .bind(found.job.id.as_str())
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    tracing::info!(job.id = %found.job.id, job.kind = found.job.kind, "a job was interrupted and is taken up again");
    jobs.inner.hub.state_changed(&found.job.id);
    Ok(())
}

/// Makes the job ours, undoes what it did and ends it.
async fn end(jobs: &Jobs, found: Claimed, is_cancelling: bool) -> Result<(), StorageError> {
    let mut tx = jobs.inner.db.write().await?;
    sqlx::query(
        "UPDATE jobs SET boot = ?, lease_until = ?, crashes = crashes + ?
         WHERE id = ? AND state IN ('running', 'cancelling')",
    )
    .bind(&jobs.inner.boot)
    .bind(jobs.inner.clock.millis() + LEASE_MILLIS)
    .bind(i64::from(!is_cancelling))
    .bind(found.job.id.as_str())
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    let how = if is_cancelling { worker::Outcome::Cancelled } else { worker::Outcome::Failed(crash_loop()) };
    worker::spawn(jobs, found, Some(how));
    Ok(())
}

fn crash_loop() -> Problem {
    Problem::new(
        "job.crash_loop",
        "Slipway stopped three times while this ran, so it isn't tried again.",
        "Look into Slipway's own log for the reason, then start it again.",
    )
}
