//! The rows of jobs: asked for, claimed, ended. All of it is one statement each, or in the caller's transaction.

use super::{Jobs, NewJob};
use crate::storage::{StorageError, Tx, from_json, parsed};
use app::error::Problem;
use app::model::id::JobId;
use app::model::job::{Job, JobState};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

/// How long a claim holds without renewal.
pub(super) const LEASE_MILLIS: i64 = 30_000;

/// A job that this process runs now.
#[derive(Clone, Debug)]
pub(super) struct Claimed {
    pub(super) job: Job,
    pub(super) payload: serde_json::Value,
    pub(super) max_attempts: i64,
    pub(super) crashes: i64,
}

/// Job columns in the order that [`job`] reads.
macro_rules! columns {
    () => {
        "id, kind, subject, state, problem, attempt, asked_by, created, started, finished"
    };
}
pub(super) use columns;

impl Jobs {
    /// Asks for a job in the caller's transaction; call [`Jobs::wake`] after the commit.
    pub async fn enqueue(&self, tx: &mut Tx, job: NewJob) -> Result<JobId, sqlx::Error> {
        if let Some(key) = &job.key {
            let first: Option<String> = sqlx::query_scalar(
                "SELECT id FROM jobs WHERE key = ? AND state IN ('queued', 'running', 'cancelling')",
            )
            .bind(key)
            .fetch_optional(&mut **tx)
            .await?;
            if let Some(first) = first {
                return first.parse().map_err(|error| sqlx::Error::Decode(Box::<app::model::id::NotAnId>::new(error)));
            }
        }
        let id = JobId::from_random(crate::clock::random());
        let now = self.inner.clock.millis();
        sqlx::query(
            "INSERT INTO jobs (id, kind, payload, subject, key, lane, resource, run_after, state, max_attempts, asked_by,
                               created)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?)",
        )
        .bind(id.as_str())
        .bind(job.kind)
        .bind(job.payload.to_string())
        .bind(job.subject)
        .bind(job.key)
        .bind(job.lane.as_str())
        .bind(job.resource)
        .bind(now)
        .bind(job.max_attempts)
        .bind(job.asked_by)
        .bind(now)
        .execute(&mut **tx)
        .await?;
        Ok(id)
    }

    /// Ends queued jobs of a kind and subject as superseded, but for one, which gets the place that people gave them. Call
    /// [`Jobs::wake`] after the commit.
    pub async fn supersede(&self, tx: &mut Tx, kind: &str, subject: &str, but: &JobId) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE jobs SET priority = max(priority, coalesce(
                 (SELECT max(priority) FROM jobs WHERE kind = ? AND subject = ? AND state = 'queued'), 0))
             WHERE id = ?",
        )
        .bind(kind)
        .bind(subject)
        .bind(but.as_str())
        .execute(&mut **tx)
        .await?;
        sqlx::query(
            "UPDATE jobs SET state = 'superseded', finished = ?
             WHERE kind = ? AND subject = ? AND id <> ? AND state = 'queued'",
        )
        .bind(self.inner.clock.millis())
        .bind(kind)
        .bind(subject)
        .bind(but.as_str())
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The next job of a lane that may run, now ours; None: there is none, or there is no place: in the lane, or at what a
    /// job takes a place of beside it.
    pub(super) async fn claim(&self, lane: super::Lane) -> Result<Option<Claimed>, StorageError> {
        let now = self.inner.clock.millis();
        let mut tx = self.inner.db.write().await?;
        let row = sqlx::query(concat!(
            "UPDATE jobs SET state = 'running', boot = ?1, lease_until = ?2, attempt = attempt + 1,
                             started = coalesce(started, ?3)
             WHERE id = (
                 SELECT id FROM jobs AS next
                 WHERE lane = ?4 AND state = 'queued' AND run_after <= ?3
                   AND NOT EXISTS (SELECT 1 FROM jobs AS other
                                   WHERE other.subject = next.subject AND other.state IN ('running', 'cancelling'))
                   AND (SELECT count(*) FROM jobs WHERE lane = ?4 AND state IN ('running', 'cancelling'))
                       < coalesce((SELECT most FROM job_limits WHERE resource = ?6), ?5)
                   AND (next.resource IS NULL
                        OR (SELECT count(*) FROM jobs AS other
                            WHERE other.resource = next.resource AND other.state IN ('running', 'cancelling'))
                           < coalesce((SELECT most FROM job_limits WHERE resource = next.resource), ?7))
                 ORDER BY priority DESC, created, rowid LIMIT 1)
             RETURNING payload, max_attempts, crashes, ",
            columns!()
        ))
        .bind(&self.inner.boot)
        .bind(now + LEASE_MILLIS)
        .bind(now)
        .bind(lane.as_str())
        .bind(self.usual_limit(lane))
        .bind(lane.resource())
        .bind(i64::MAX)
        .fetch_optional(&mut *tx)
        .await?;
        let claimed = row.as_ref().map(claimed).transpose()?;
        tx.commit().await?;
        Ok(claimed)
    }

    /// Holds a claim for longer.
    pub(super) async fn renew(&self, id: &JobId) -> Result<(), StorageError> {
        let mut tx = self.inner.db.write().await?;
        sqlx::query("UPDATE jobs SET lease_until = ? WHERE id = ? AND boot = ?")
            .bind(self.inner.clock.millis() + LEASE_MILLIS)
            .bind(id.as_str())
            .bind(&self.inner.boot)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Ends a job of ours for good, with its unfinished steps.
    pub(super) async fn finish(
        &self,
        id: &JobId,
        state: JobState,
        problem: Option<&Problem>,
    ) -> Result<(), StorageError> {
        let now = self.inner.clock.millis();
        let problem = problem.map(|problem| serde_json::to_string(problem).unwrap_or_default());
        let mut tx = self.inner.db.write().await?;
        sqlx::query(
            "UPDATE jobs SET state = ?, problem = ?, finished = ?, lease_until = NULL
             WHERE id = ? AND boot = ? AND state IN ('running', 'cancelling')",
        )
        .bind(state.as_str())
        .bind(problem)
        .bind(now)
        .bind(id.as_str())
        .bind(&self.inner.boot)
        .execute(&mut *tx)
        .await?;
        sqlx::query("UPDATE job_steps SET state = 'failed', finished = ? WHERE job_id = ? AND state = 'running'")
            .bind(now)
            .bind(id.as_str())
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Puts a job of ours back into the queue. A job that was only left (`counts` is false) hasn't used up a try.
    /// One that was cancelled meanwhile stays, for [`super::recovery`] to end.
    pub(super) async fn put_back(&self, id: &JobId, run_after: i64, counts: bool) -> Result<(), StorageError> {
        let mut tx = self.inner.db.write().await?;
        sqlx::query(
            "UPDATE jobs SET state = CASE state WHEN 'running' THEN 'queued' ELSE state END, boot = NULL,
                             lease_until = NULL, run_after = ?, attempt = attempt - ?
             WHERE id = ? AND boot = ? AND state IN ('running', 'cancelling')",
        )
        .bind(run_after)
        .bind(i64::from(!counts))
        .bind(id.as_str())
        .bind(&self.inner.boot)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// When the next job that has to wait may run.
    pub(super) async fn next_due(&self) -> Result<Option<i64>, StorageError> {
        Ok(sqlx::query_scalar("SELECT min(run_after) FROM jobs WHERE state = 'queued' AND run_after > ?")
            .bind(self.inner.clock.millis())
            .fetch_one(self.inner.db.read())
            .await?)
    }
}

/// A row of [`columns`] with payload, max_attempts and crashes.
pub(super) fn claimed(row: &SqliteRow) -> Result<Claimed, StorageError> {
    let payload: String = row.try_get("payload")?;
    Ok(Claimed {
        job: job(row)?,
        payload: from_json(&payload, "payload of a job")?,
        max_attempts: row.try_get("max_attempts")?,
        crashes: row.try_get("crashes")?,
    })
}

/// A row of [`columns`].
pub(super) fn job(row: &SqliteRow) -> Result<Job, StorageError> {
    let id: String = row.try_get("id")?;
    let state: String = row.try_get("state")?;
    let problem: Option<String> = row.try_get("problem")?;
    Ok(Job {
        id: parsed(&id, "id of a job")?,
        kind: row.try_get("kind")?,
        subject: row.try_get("subject")?,
        state: parsed(&state, "state of a job")?,
        problem: problem.map(|text| from_json(&text, "problem of a job")).transpose()?,
        attempt: row.try_get("attempt")?,
        asked_by: row.try_get("asked_by")?,
        created: row.try_get("created")?,
        started: row.try_get("started")?,
        finished: row.try_get("finished")?,
    })
}
