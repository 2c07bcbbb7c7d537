//! SQL of runs: what was asked for, what they did, and when the next one is due.

use crate::storage::{StorageError, Tx, column, from_json, to_json};
use app::model::id::{JobId, RegistryId};
use app::model::trash::{ReportLine, RunReport, RunSummary};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteExecutor};
use std::collections::HashSet;

/// Runs that are listed.
const LISTED: i64 = 20;
/// Runs of a registry whose reports are kept.
const KEPT: i64 = 200;

/// A run begins; that it begins once more after a restart changes nothing. Reports of long ago go.
pub(super) async fn begin(
    tx: &mut Tx,
    run: &JobId,
    registry: &RegistryId,
    by_rules: bool,
    by: &str,
    now: i64,
) -> Result<(), StorageError> {
    sqlx::query(
        "INSERT INTO retention_runs (id, registry_id, by_rules, asked_by, started_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING",
    )
    .bind(run.as_str())
    .bind(registry.as_str())
    .bind(by_rules)
    .bind(by)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "DELETE FROM retention_runs WHERE registry_id = ?1 AND id NOT IN (
             SELECT id FROM retention_runs WHERE registry_id = ?1 ORDER BY started_at DESC, rowid DESC LIMIT ?2)",
    )
    .bind(registry.as_str())
    .bind(KEPT)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What the rules said.
pub(super) async fn judged(
    tx: &mut Tx,
    run: &JobId,
    judged: usize,
    frees: u64,
    unread: &[String],
) -> Result<(), StorageError> {
    sqlx::query("UPDATE retention_runs SET judged = ?, frees = ?, unread = ? WHERE id = ?")
        .bind(i64::try_from(judged).unwrap_or(i64::MAX))
        .bind(i64::try_from(frees).unwrap_or(i64::MAX))
        .bind(to_json(&unread, "report of a run")?)
        .bind(run.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// One more line of the report.
pub(super) async fn line(tx: &mut Tx, run: &JobId, line: &ReportLine) -> Result<(), StorageError> {
    sqlx::query(
        "INSERT INTO retention_lines (run_id, position, repository, tag, digest, outcome, note)
         SELECT ?1, (SELECT coalesce(max(position), 0) + 1 FROM retention_lines WHERE run_id = ?1), ?2, ?3, ?4, ?5, ?6
          WHERE EXISTS (SELECT 1 FROM retention_runs WHERE id = ?1)",
    )
    .bind(run.as_str())
    .bind(line.repository.as_str())
    .bind(&line.tag)
    .bind(line.digest.as_str())
    .bind(line.outcome.as_str())
    .bind(&line.note)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Tags that the report speaks of already: repository and tag.
pub(super) async fn spoken_of<'e>(
    db: impl SqliteExecutor<'e>,
    run: &JobId,
) -> Result<HashSet<(String, String)>, StorageError> {
    let sql = "SELECT repository, tag FROM retention_lines WHERE run_id = ? AND outcome IN ('deleted', 'skipped')";
    let rows: Vec<(String, String)> = sqlx::query_as(sql).bind(run.as_str()).fetch_all(db).await?;
    Ok(rows.into_iter().collect())
}

/// The run came to its end, good or bad.
pub(super) async fn end(tx: &mut Tx, run: &JobId, now: i64) -> Result<(), StorageError> {
    sqlx::query("UPDATE retention_runs SET ended_at = coalesce(ended_at, ?) WHERE id = ?")
        .bind(now)
        .bind(run.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

const COLUMNS: &str = "SELECT r.id, r.by_rules, r.asked_by, r.started_at, r.ended_at, r.judged, r.frees, r.unread, \
     (SELECT count(*) FROM retention_lines l WHERE l.run_id = r.id AND l.outcome = 'deleted') AS deleted, \
     (SELECT count(*) FROM retention_lines l WHERE l.run_id = r.id AND l.outcome = 'skipped') AS skipped, \
     (SELECT count(*) FROM retention_lines l WHERE l.run_id = r.id AND l.outcome = 'expired') AS expired, \
     (SELECT count(*) FROM retention_lines l WHERE l.run_id = r.id AND l.outcome = 'stayed') AS stayed \
     FROM retention_runs r";

fn summary(row: &SqliteRow) -> Result<RunSummary, StorageError> {
    let figure = |name: &str| Ok::<u64, StorageError>(row.try_get::<i64, _>(name)?.try_into().unwrap_or_default());
    Ok(RunSummary {
        job: column(row, "id")?,
        by_rules: row.try_get("by_rules")?,
        by: row.try_get("asked_by")?,
        at: row.try_get("started_at")?,
        ended: row.try_get("ended_at")?,
        judged: figure("judged")?,
        frees: figure("frees")?,
        deleted: figure("deleted")?,
        skipped: figure("skipped")?,
        expired: figure("expired")?,
        stayed: figure("stayed")?,
    })
}

/// The last ones, newest first.
pub(super) async fn list<'e>(
    db: impl SqliteExecutor<'e>,
    registry: &RegistryId,
) -> Result<Vec<RunSummary>, StorageError> {
    let sql = format!("{COLUMNS} WHERE r.registry_id = ? ORDER BY r.started_at DESC, r.rowid DESC LIMIT ?");
    let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(registry.as_str()).bind(LISTED);
    query.fetch_all(db).await?.iter().map(summary).collect()
}

/// One, with its lines.
pub(super) async fn report<'e>(
    db: impl SqliteExecutor<'e> + Copy,
    registry: &RegistryId,
    run: &JobId,
) -> Result<Option<RunReport>, StorageError> {
    let sql = format!("{COLUMNS} WHERE r.registry_id = ? AND r.id = ?");
    let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(registry.as_str()).bind(run.as_str());
    let Some(row) = query.fetch_optional(db).await? else { return Ok(None) };
    let sql =
        "SELECT repository, tag, digest, outcome, note FROM retention_lines WHERE run_id = ? ORDER BY position LIMIT ?";
    let lines = sqlx::query(sql).bind(run.as_str()).bind(RunReport::MOST).fetch_all(db).await?;
    let lines = lines.iter().map(|row| {
        Ok::<_, StorageError>(ReportLine {
            repository: column(row, "repository")?,
            tag: row.try_get("tag")?,
            digest: column(row, "digest")?,
            outcome: column(row, "outcome")?,
            note: row.try_get("note")?,
        })
    });
    Ok(Some(RunReport {
        summary: summary(&row)?,
        unread: from_json(row.try_get("unread")?, "report of a run")?,
        lines: lines.collect::<Result<_, _>>()?,
    }))
}

/// From when on the hours to the next run are counted; None: it was never looked at.
pub(super) async fn last_at<'e>(
    db: impl SqliteExecutor<'e>,
    registry: &RegistryId,
) -> Result<Option<i64>, StorageError> {
    let sql = "SELECT last_at FROM retention_schedule WHERE registry_id = ?";
    Ok(sqlx::query_scalar(sql).bind(registry.as_str()).fetch_optional(db).await?)
}

/// Counts from here on.
pub(super) async fn set_last_at(tx: &mut Tx, registry: &RegistryId, at: i64) -> Result<(), StorageError> {
    sqlx::query(
        "INSERT INTO retention_schedule (registry_id, last_at) VALUES (?, ?)
         ON CONFLICT (registry_id) DO UPDATE SET last_at = excluded.last_at",
    )
    .bind(registry.as_str())
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
