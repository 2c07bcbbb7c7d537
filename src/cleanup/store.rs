//! SQL of the clean-up: its rules, its runs, and what Slipway ever built or deployed.

use super::decide::Version;
use crate::storage::{StorageError, Tx, from_json, parsed, to_json};
use app::model::cleanup::{CleanupReport, CleanupRules, CleanupRun};
use app::model::id::JobId;
use sqlx::SqliteExecutor;

/// The rules; the usual ones while nobody has set any.
pub(super) async fn rules<'e>(db: impl SqliteExecutor<'e>) -> Result<CleanupRules, StorageError> {
    let rules: Option<String> = sqlx::query_scalar("SELECT rules FROM cleanup_rules").fetch_optional(db).await?;
    Ok(rules.map(|rules| from_json(&rules, "rules of the clean-up")).transpose()?.unwrap_or_default())
}

/// Writes them; `now` in Unix milliseconds.
pub(super) async fn set_rules(tx: &mut Tx, rules: &CleanupRules, by: &str, now: i64) -> Result<(), StorageError> {
    sqlx::query(
        "INSERT INTO cleanup_rules (id, rules, changed, changed_by) VALUES (1, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET rules = excluded.rules, changed = excluded.changed, changed_by = excluded.changed_by",
    )
    .bind(to_json(rules, "rules of the clean-up")?)
    .bind(now)
    .bind(by)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// When the rules were changed, and when the last run was asked for, Unix milliseconds.
pub(super) async fn times<'e>(db: impl SqliteExecutor<'e>) -> Result<(Option<i64>, Option<i64>), StorageError> {
    let times =
        sqlx::query_as("SELECT (SELECT changed FROM cleanup_rules), (SELECT max(created) FROM jobs WHERE kind = ?)")
            .bind(super::run::KIND)
            .fetch_one(db)
            .await?;
    Ok(times)
}

/// Writes what a run did so far.
pub(super) async fn set_report(tx: &mut Tx, job: &JobId, report: &CleanupReport, now: i64) -> Result<(), StorageError> {
    sqlx::query(
        "INSERT INTO cleanup_runs (job_id, report, created) VALUES (?, ?, ?)
         ON CONFLICT (job_id) DO UPDATE SET report = excluded.report",
    )
    .bind(job.as_str())
    .bind(to_json(report, "report of a clean-up")?)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What a run did so far.
pub(super) async fn report<'e>(db: impl SqliteExecutor<'e>, job: &JobId) -> Result<CleanupReport, StorageError> {
    let found: Option<String> = sqlx::query_scalar("SELECT report FROM cleanup_runs WHERE job_id = ?")
        .bind(job.as_str())
        .fetch_optional(db)
        .await?;
    Ok(found.map(|text| from_json(&text, "report of a clean-up")).transpose()?.unwrap_or_default())
}

#[derive(sqlx::FromRow)]
struct RunRow {
    job: String,
    report: String,
    created: i64,
    asked_by: String,
    state: String,
}

/// The last runs, newest first.
pub(super) async fn runs<'e>(db: impl SqliteExecutor<'e>, limit: u32) -> Result<Vec<CleanupRun>, StorageError> {
    let rows: Vec<RunRow> = sqlx::query_as(
        "SELECT r.job_id AS job, r.report, r.created, j.asked_by, j.state
           FROM cleanup_runs r JOIN jobs j ON j.id = r.job_id ORDER BY r.created DESC, r.job_id LIMIT ?",
    )
    .bind(limit)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(CleanupRun {
                job: parsed(&row.job, "job id")?,
                created: row.created,
                asked_by: row.asked_by,
                state: from_json(&format!("\"{}\"", row.state), "state of a job")?,
                report: from_json(&row.report, "report of a clean-up")?,
            })
        })
        .collect()
}

#[derive(sqlx::FromRow)]
struct VersionRow {
    service: String,
    name: String,
    is_live: bool,
    image: String,
    digest: Option<String>,
    place: Option<i64>,
    at: i64,
    is_open: bool,
}

/// All images that Slipway built or deployed, of deleted services too. The place of a deployment that ran well counts
/// images, not deployments: going back and forth between two doesn't push out the third.
pub(super) async fn versions<'e>(db: impl SqliteExecutor<'e>) -> Result<Vec<Version>, StorageError> {
    let rows: Vec<VersionRow> = sqlx::query_as(
        "WITH ran AS (
             SELECT d.service_id, d.image, max(d.number) AS number
               FROM deployments d JOIN jobs j ON j.id = d.job_id
              WHERE j.state = 'succeeded' GROUP BY d.service_id, d.image
         ), placed AS (
             SELECT service_id, image, row_number() OVER (PARTITION BY service_id ORDER BY number DESC) AS place FROM ran
         )
         SELECT s.id AS service, s.name, s.deleted_at IS NULL AS is_live, d.image, NULL AS digest, p.place,
                max(d.created) AS at, max(j.state IN ('queued', 'running', 'cancelling')) AS is_open
           FROM deployments d JOIN jobs j ON j.id = d.job_id JOIN services s ON s.id = d.service_id
           LEFT JOIN placed p ON p.service_id = d.service_id AND p.image = d.image
          GROUP BY s.id, d.image
         UNION ALL
         SELECT s.id, s.name, s.deleted_at IS NULL, b.reference, b.digest, NULL, max(b.created, coalesce(j.finished, 0)),
                j.state IN ('queued', 'running', 'cancelling')
           FROM builds b JOIN jobs j ON j.id = b.job_id JOIN services s ON s.id = b.service_id
          WHERE b.reference IS NOT NULL",
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let mut image: app::model::image_ref::ImageRef = parsed(&row.image, "image")?;
            if let Some(digest) = row.digest {
                image.digest = Some(parsed(&digest, "digest")?);
            }
            Ok(Version {
                service: parsed(&row.service, "service id")?,
                name: row.name,
                is_live: row.is_live,
                image,
                place: row.place.and_then(|place| u32::try_from(place).ok()),
                at: row.at / 1_000,
                is_open: row.is_open,
            })
        })
        .collect()
}

/// Ids of all services there ever were.
pub(super) async fn services<'e>(db: impl SqliteExecutor<'e>) -> Result<Vec<String>, StorageError> {
    Ok(sqlx::query_scalar("SELECT id FROM services").fetch_all(db).await?)
}
