//! The SQL of what happened to managed registries: probes of a week, counts of a month, the newest job.

use super::names;
use super::status::LastJob;
use crate::storage::{StorageError, Tx, column, from_json};
use app::model::id::RegistryId;
use app::model::registry::{ProbeReport, UptimeSlot, Usage};
use sqlx::Row as _;
use sqlx::sqlite::{SqlitePool, SqliteRow};

/// So long probes are kept, in seconds.
const WEEK: i64 = 7 * 86_400;
/// So long counts are kept, in seconds.
const MONTH: i64 = 30 * 86_400;
/// At most one count in so many seconds is kept.
const APART: i64 = 3_600;

/// Keeps a probe; a registry that was deleted meanwhile keeps none.
pub(super) async fn keep_check(tx: &mut Tx, id: &RegistryId, report: &ProbeReport) -> Result<(), StorageError> {
    sqlx::query(
        "INSERT OR REPLACE INTO registry_checks (registry_id, at, ok, millis, problem)
         SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM registries WHERE id = ?1)",
    )
    .bind(id.as_str())
    .bind(report.at)
    .bind(report.ok)
    .bind(report.millis)
    .bind(report.problem.as_ref().filter(|_| !report.ok).map(|problem| problem.cause.as_str()))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Throws probes away that are too old.
pub(super) async fn sweep_checks(tx: &mut Tx, now: i64) -> Result<(), StorageError> {
    sqlx::query("DELETE FROM registry_checks WHERE at < ?").bind(now - WEEK).execute(&mut **tx).await?;
    Ok(())
}

/// `count` pieces of `length` seconds, the last of which `now` is in; oldest first.
pub(super) async fn uptime(
    db: &SqlitePool,
    id: &RegistryId,
    now: i64,
    length: i64,
    count: i64,
) -> Result<Vec<UptimeSlot>, StorageError> {
    let last = now.div_euclid(length);
    let first = last - count + 1;
    let rows = sqlx::query(
        "SELECT at / ?2 AS slot, sum(ok) AS good, sum(1 - ok) AS bad,
                (SELECT f.problem FROM registry_checks f
                  WHERE f.registry_id = ?1 AND f.ok = 0 AND f.at >= c.at / ?2 * ?2 AND f.at < (c.at / ?2 + 1) * ?2
                  ORDER BY f.at LIMIT 1) AS problem
           FROM registry_checks c WHERE registry_id = ?1 AND at >= ?3 GROUP BY slot ORDER BY slot",
    )
    .bind(id.as_str())
    .bind(length)
    .bind(first * length)
    .fetch_all(db)
    .await?;
    let mut slots: Vec<UptimeSlot> =
        (first..=last).map(|slot| UptimeSlot { from: slot * length, good: 0, bad: 0, problem: None }).collect();
    for row in &rows {
        let place = usize::try_from(row.try_get::<i64, _>("slot")? - first).unwrap_or(usize::MAX);
        // A clock that was set back leaves probes in the future; they have no place yet.
        if let Some(slot) = slots.get_mut(place) {
            slot.good = row.try_get("good")?;
            slot.bad = row.try_get("bad")?;
            slot.problem = row.try_get("problem")?;
        }
    }
    Ok(slots)
}

/// Keeps a count, instead of one that is hardly older; throws those away that are too old.
pub(super) async fn keep_usage(tx: &mut Tx, id: &RegistryId, usage: &Usage) -> Result<(), StorageError> {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    sqlx::query("DELETE FROM registry_usage WHERE registry_id = ?1 AND at / ?3 = ?2 / ?3")
        .bind(id.as_str())
        .bind(usage.at)
        .bind(APART)
        .execute(&mut **tx)
        .await?;
    sqlx::query(
        "INSERT INTO registry_usage (registry_id, at, repositories, tags, bytes, shared)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS (SELECT 1 FROM registries WHERE id = ?1)",
    )
    .bind(id.as_str())
    .bind(usage.at)
    .bind(number(usage.repositories))
    .bind(number(usage.tags))
    .bind(number(usage.bytes))
    .bind(number(usage.shared))
    .execute(&mut **tx)
    .await?;
    sqlx::query("DELETE FROM registry_usage WHERE at < ?").bind(usage.at - MONTH).execute(&mut **tx).await?;
    Ok(())
}

/// The newest count.
pub(super) async fn usage(db: &SqlitePool, id: &RegistryId) -> Result<Option<Usage>, StorageError> {
    let sql = "SELECT at, repositories, tags, bytes, shared FROM registry_usage
                WHERE registry_id = ? ORDER BY at DESC LIMIT 1";
    sqlx::query(sql).bind(id.as_str()).fetch_optional(db).await?.as_ref().map(read).transpose()
}

/// When and how many bytes, oldest first.
pub(super) async fn growth(db: &SqlitePool, id: &RegistryId) -> Result<Vec<(i64, u64)>, StorageError> {
    let sql = "SELECT at, bytes FROM registry_usage WHERE registry_id = ? ORDER BY at";
    let rows = sqlx::query(sql).bind(id.as_str()).fetch_all(db).await?;
    rows.iter().map(|row| Ok((row.try_get("at")?, unsigned(row, "bytes")?))).collect()
}

/// The newest job about it.
pub(super) async fn last_job(db: &SqlitePool, id: &RegistryId) -> Result<Option<LastJob>, StorageError> {
    let sql = "SELECT id, kind, problem, state IN ('queued', 'running', 'cancelling') AS is_open FROM jobs
                WHERE subject = ? ORDER BY is_open DESC, created DESC, rowid DESC LIMIT 1";
    let row = sqlx::query(sql).bind(names::subject(id)).fetch_optional(db).await?;
    row.map(|row| {
        let problem: Option<String> = row.try_get("problem")?;
        Ok(LastJob {
            id: column(&row, "id")?,
            kind: row.try_get("kind")?,
            is_open: row.try_get("is_open")?,
            problem: problem.map(|text| from_json(&text, "problem of a job")).transpose()?,
        })
    })
    .transpose()
}

fn read(row: &SqliteRow) -> Result<Usage, StorageError> {
    Ok(Usage {
        at: row.try_get("at")?,
        repositories: unsigned(row, "repositories")?,
        tags: unsigned(row, "tags")?,
        bytes: unsigned(row, "bytes")?,
        shared: unsigned(row, "shared")?,
    })
}

fn unsigned(row: &SqliteRow, name: &'static str) -> Result<u64, StorageError> {
    u64::try_from(row.try_get::<i64, _>(name)?).map_err(|_| StorageError::Unreadable { what: name })
}
