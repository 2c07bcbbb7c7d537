//! Where queued jobs stand and what they wait for, in one query.

use super::{Jobs, Lane};
use crate::storage::{StorageError, parsed};
use app::model::id::JobId;
use app::model::queue::{Waiting, WaitsFor};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

impl Jobs {
    /// All that wait in a lane, in their order.
    pub async fn queue(&self, lane: Lane) -> Result<Vec<Waiting>, StorageError> {
        self.look_at_queue(lane, None).await
    }

    /// Where one job stands; none: it doesn't wait.
    pub async fn waits(&self, id: &JobId) -> Result<Option<Waiting>, StorageError> {
        let lane: Option<String> = sqlx::query_scalar("SELECT lane FROM jobs WHERE id = ? AND state = 'queued'")
            .bind(id.as_str())
            .fetch_optional(self.inner.db.read())
            .await?;
        let Some(lane) = Lane::ALL.into_iter().find(|other| lane.as_deref() == Some(other.as_str())) else {
            return Ok(None);
        };
        Ok(self.look_at_queue(lane, Some(id)).await?.pop())
    }

    async fn look_at_queue(&self, lane: Lane, only: Option<&JobId>) -> Result<Vec<Waiting>, StorageError> {
        let rows = sqlx::query(
            "SELECT * FROM (
                 SELECT id, run_after,
                        row_number() OVER (ORDER BY priority DESC, created, rowid) AS position,
                        count(*) OVER () AS queued,
                        coalesce(
                            (SELECT other.id FROM jobs AS other
                             WHERE other.subject = waiting.subject AND other.state IN ('running', 'cancelling')),
                            first_value(id) OVER (PARTITION BY subject ORDER BY priority DESC, created, rowid)
                        ) AS before,
                        (SELECT count(*) FROM jobs AS other
                         WHERE other.resource = waiting.resource AND other.state IN ('running', 'cancelling')) AS taken,
                        (SELECT most FROM job_limits WHERE resource = waiting.resource) AS places,
                        (SELECT count(*) FROM jobs AS other
                         WHERE other.lane = ?1 AND other.state IN ('running', 'cancelling')) AS lane_taken,
                        coalesce((SELECT most FROM job_limits WHERE resource = ?2), ?3) AS lane_places
                 FROM jobs AS waiting WHERE lane = ?1 AND state = 'queued')
             WHERE ?4 IS NULL OR id = ?4
             ORDER BY position",
        )
        .bind(lane.as_str())
        .bind(lane.resource())
        .bind(self.usual_limit(lane))
        .bind(only.map(JobId::as_str))
        .fetch_all(self.inner.db.read())
        .await?;
        let now = self.inner.clock.millis();
        rows.iter().map(|row| waiting(row, now)).collect()
    }
}

fn waiting(row: &SqliteRow, now: i64) -> Result<Waiting, StorageError> {
    let id: String = row.try_get("id")?;
    let before: String = row.try_get("before")?;
    let run_after: i64 = row.try_get("run_after")?;
    let (taken, places): (i64, Option<i64>) = (row.try_get("taken")?, row.try_get("places")?);
    let (lane_taken, lane_places): (i64, i64) = (row.try_get("lane_taken")?, row.try_get("lane_places")?);
    let count = |number: i64| u32::try_from(number.max(0)).unwrap_or(u32::MAX);
    let waits_for = if run_after > now {
        WaitsFor::Later { at: run_after }
    } else if before != id {
        WaitsFor::Other { job: parsed(&before, "id of a job")? }
    } else if let Some(places) = places.filter(|places| taken >= *places) {
        WaitsFor::Resource { most: count(places) }
    } else if lane_taken >= lane_places {
        WaitsFor::Lane { most: count(lane_places) }
    } else {
        WaitsFor::Turn
    };
    Ok(Waiting {
        job: parsed(&id, "id of a job")?,
        position: count(row.try_get("position")?),
        queued: count(row.try_get("queued")?),
        waits_for,
    })
}
