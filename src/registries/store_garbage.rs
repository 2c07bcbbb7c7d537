//! The SQL of collecting garbage: the mark that keeps pushes away, when it is done by itself, and what came of it.

use super::names;
use crate::storage::{StorageError, Tx, column, maybe_column};
use app::model::id::{JobId, RegistryId};
use app::model::registry::{Below, GarbageRule, GarbageRun, GarbageWhy};
use sqlx::Row as _;
use sqlx::SqliteExecutor;
use sqlx::sqlite::{SqlitePool, SqliteRow};

/// Whose garbage is being collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The job that collects, or did when it was broken off.
    pub job: JobId,
    /// Unix seconds.
    pub since: i64,
}

/// The mark of a registry; None: its gate is open.
pub(super) async fn mark<'e>(db: impl SqliteExecutor<'e>, id: &RegistryId) -> Result<Option<Mark>, StorageError> {
    let sql = "SELECT job_id, since FROM garbage_marks WHERE registry_id = ?";
    let row = sqlx::query(sql).bind(id.as_str()).fetch_optional(db).await?;
    row.map(|row| Ok(Mark { job: column(&row, "job_id")?, since: row.try_get("since")? })).transpose()
}

/// Marks it, or takes the mark over from a job that was broken off. False: the registry isn't there any more.
pub(super) async fn put_mark(tx: &mut Tx, id: &RegistryId, job: &JobId, now: i64) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "INSERT INTO garbage_marks (registry_id, job_id, since)
         SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM registries WHERE id = ?1)
         ON CONFLICT (registry_id) DO UPDATE SET job_id = excluded.job_id",
    )
    .bind(id.as_str())
    .bind(job.as_str())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Takes the mark away.
pub(super) async fn remove_mark(tx: &mut Tx, id: &RegistryId) -> Result<(), StorageError> {
    sqlx::query("DELETE FROM garbage_marks WHERE registry_id = ?").bind(id.as_str()).execute(&mut **tx).await?;
    Ok(())
}

/// What a registry is called.
pub(super) async fn name<'e>(db: impl SqliteExecutor<'e>, id: &RegistryId) -> Result<String, StorageError> {
    let sql = "SELECT name FROM registries WHERE id = ?";
    Ok(sqlx::query_scalar(sql).bind(id.as_str()).fetch_optional(db).await?.unwrap_or_default())
}

/// A run begins; once more changes nothing.
pub(super) async fn begin_run(
    tx: &mut Tx,
    job: &JobId,
    id: &RegistryId,
    why: GarbageWhy,
    now: i64,
) -> Result<(), StorageError> {
    sqlx::query("INSERT OR IGNORE INTO garbage_runs (job_id, registry_id, why, started) VALUES (?, ?, ?, ?)")
        .bind(job.as_str())
        .bind(id.as_str())
        .bind(why.as_str())
        .bind(now)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// From now on nothing is pushed.
pub(super) async fn note_shut(tx: &mut Tx, job: &JobId, now: i64) -> Result<(), StorageError> {
    let sql = "UPDATE garbage_runs SET shut = coalesce(shut, ?) WHERE job_id = ?";
    sqlx::query(sql).bind(now).bind(job.as_str()).execute(&mut **tx).await?;
    Ok(())
}

/// What came of a run.
pub(super) async fn end_run(
    tx: &mut Tx,
    job: &JobId,
    now: i64,
    blobs: Option<u64>,
    bytes: Option<u64>,
) -> Result<(), StorageError> {
    let number = |n: Option<u64>| n.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    sqlx::query("UPDATE garbage_runs SET ended = ?, blobs = ?, bytes = ? WHERE job_id = ?")
        .bind(now)
        .bind(number(blobs))
        .bind(number(bytes))
        .bind(job.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Runs of a registry that were broken off ended now.
pub(super) async fn end_runs(tx: &mut Tx, id: &RegistryId, now: i64) -> Result<(), StorageError> {
    let sql = "UPDATE garbage_runs SET ended = ? WHERE registry_id = ? AND ended IS NULL";
    sqlx::query(sql).bind(now).bind(id.as_str()).execute(&mut **tx).await?;
    Ok(())
}

/// The newest runs, the newest first.
pub(super) async fn runs(db: &SqlitePool, id: &RegistryId, most: i64) -> Result<Vec<GarbageRun>, StorageError> {
    let rows = sqlx::query(
        "SELECT r.job_id, j.state, r.why, r.started, r.ended, r.shut, r.blobs, r.bytes
           FROM garbage_runs r LEFT JOIN jobs j ON j.id = r.job_id
          WHERE r.registry_id = ? ORDER BY r.started DESC, r.job_id LIMIT ?",
    )
    .bind(id.as_str())
    .bind(most)
    .fetch_all(db)
    .await?;
    rows.iter().map(run).collect()
}

fn run(row: &SqliteRow) -> Result<GarbageRun, StorageError> {
    let number = |name: &'static str| -> Result<Option<u64>, StorageError> {
        Ok(row.try_get::<Option<i64>, _>(name)?.and_then(|n| u64::try_from(n).ok()))
    };
    Ok(GarbageRun {
        job: column(row, "job_id")?,
        state: maybe_column(row, "state")?,
        why: column(row, "why")?,
        started: row.try_get("started")?,
        ended: row.try_get("ended")?,
        shut: row.try_get("shut")?,
        blobs: number("blobs")?,
        bytes: number("bytes")?,
    })
}

/// When the newest run began, Unix seconds.
pub(super) async fn last_begun(db: &SqlitePool, id: &RegistryId) -> Result<Option<i64>, StorageError> {
    let sql = "SELECT max(started) FROM garbage_runs WHERE registry_id = ?";
    Ok(sqlx::query_scalar(sql).bind(id.as_str()).fetch_one(db).await?)
}

/// When a job of this kind about it ended last, Unix seconds.
pub(super) async fn last_ended(db: &SqlitePool, id: &RegistryId, kind: &str) -> Result<Option<i64>, StorageError> {
    let sql = "SELECT max(finished) / 1000 FROM jobs WHERE subject = ? AND kind = ?";
    Ok(sqlx::query_scalar(sql).bind(names::subject(id)).bind(kind).fetch_one(db).await?)
}

/// When it is done by itself, and since when that holds; None: nobody said.
pub(super) async fn rule(db: &SqlitePool, id: &RegistryId) -> Result<Option<(GarbageRule, i64)>, StorageError> {
    let sql = "SELECT every_hours, below_bytes, below_percent, since FROM garbage_rules WHERE registry_id = ?";
    let Some(row) = sqlx::query(sql).bind(id.as_str()).fetch_optional(db).await? else { return Ok(None) };
    let bytes = row.try_get::<Option<i64>, _>("below_bytes")?.and_then(|n| u64::try_from(n).ok());
    let percent: Option<u8> = row.try_get("below_percent")?;
    let rule = GarbageRule {
        every_hours: row.try_get("every_hours")?,
        below: bytes.map(Below::Bytes).or(percent.map(Below::Percent)),
    };
    Ok(Some((rule, row.try_get("since")?)))
}

/// Keeps when it is done by itself. The hours count anew when they change, and go on when they don't.
pub(super) async fn set_rule(tx: &mut Tx, id: &RegistryId, rule: GarbageRule, now: i64) -> Result<(), StorageError> {
    let (bytes, percent) = match rule.below {
        Some(Below::Bytes(bytes)) => (Some(i64::try_from(bytes).unwrap_or(i64::MAX)), None),
        Some(Below::Percent(percent)) => (None, Some(percent)),
        None => (None, None),
    };
    sqlx::query(
        "INSERT INTO garbage_rules (registry_id, every_hours, below_bytes, below_percent, since) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (registry_id) DO UPDATE SET
             since = CASE WHEN every_hours IS excluded.every_hours THEN since ELSE excluded.since END,
             every_hours = excluded.every_hours, below_bytes = excluded.below_bytes,
             below_percent = excluded.below_percent",
    )
    .bind(id.as_str())
    .bind(rule.every_hours)
    .bind(bytes)
    .bind(percent)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
