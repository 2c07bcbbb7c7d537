//! The rows of builds.

use crate::storage::{StorageError, Tx, column, from_json, maybe_column};
use app::model::build::{Build, CommitSha};
use app::model::build_record::Trigger;
use app::model::id::{BuildId, JobId, RegistryId, ServiceId};
use app::model::image_ref::{Digest, ImageRef};
use app::model::service::Branch;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteExecutor};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT builds.id, builds.number, builds.service_id, services.name AS service_name, builds.job_id,
                    builds.registry_id, builds.deploys, builds.reference, builds.commit_sha, builds.branch,
                    builds.commit_subject,
                    builds.commit_author, builds.digest, builds.trigger, builds.no_cache, builds.builder,
                    builds.telling_line, builds.record, builds.created, jobs.state, jobs.problem, jobs.asked_by,
                    jobs.started, jobs.finished, deployments.id AS deployment_id
             FROM builds
             JOIN jobs ON jobs.id = builds.job_id
             JOIN services ON services.id = builds.service_id
             LEFT JOIN deployments ON deployments.from_build = builds.id ",
            $rest
        )
    };
}

/// A build that is asked for.
pub(super) struct New<'a> {
    pub(super) id: &'a BuildId,
    pub(super) service: &'a ServiceId,
    pub(super) job: &'a JobId,
    pub(super) registry: &'a RegistryId,
    pub(super) deploys: bool,
    pub(super) trigger: &'a Trigger,
    pub(super) no_cache: bool,
    pub(super) commit: Option<&'a CommitSha>,
    pub(super) branch: Option<&'a Branch>,
    pub(super) created: i64,
}

/// Writes the row; the number counts within the service.
pub(super) async fn insert(tx: &mut Tx, new: &New<'_>) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "INSERT INTO builds (id, service_id, number, job_id, registry_id, deploys, created, trigger, no_cache, wanted_commit,
                             wanted_branch)
         VALUES (?1, ?2, (SELECT coalesce(max(number), 0) + 1 FROM builds WHERE service_id = ?2), ?3, ?4, ?5, ?6, ?7, ?8, ?9,
                 ?10)
         RETURNING number",
    )
    .bind(new.id.as_str())
    .bind(new.service.as_str())
    .bind(new.job.as_str())
    .bind(new.registry.as_str())
    .bind(new.deploys)
    .bind(new.created)
    .bind(serde_json::to_string(new.trigger).unwrap_or_default())
    .bind(new.no_cache)
    .bind(new.commit.map(CommitSha::as_str))
    .bind(new.branch.map(Branch::as_str))
    .fetch_one(&mut **tx)
    .await
}

/// One build.
pub(super) async fn find<'e>(db: impl SqliteExecutor<'e>, id: &BuildId) -> Result<Option<Build>, StorageError> {
    let row = sqlx::query(select!("WHERE builds.id = ?")).bind(id.as_str()).fetch_optional(db).await?;
    row.as_ref().map(build).transpose()
}

/// The build behind a job.
pub(super) async fn of_job<'e>(db: impl SqliteExecutor<'e>, job: &JobId) -> Result<Option<Build>, StorageError> {
    let row = sqlx::query(select!("WHERE builds.job_id = ?")).bind(job.as_str()).fetch_optional(db).await?;
    row.as_ref().map(build).transpose()
}

/// The branch and the commit that were asked for, where somebody asked for one.
pub(super) async fn wanted<'e>(
    db: impl SqliteExecutor<'e>,
    id: &BuildId,
) -> Result<(Option<Branch>, Option<CommitSha>), StorageError> {
    let row = sqlx::query("SELECT wanted_branch, wanted_commit FROM builds WHERE id = ?")
        .bind(id.as_str())
        .fetch_one(db)
        .await?;
    Ok((maybe_column(&row, "wanted_branch")?, maybe_column(&row, "wanted_commit")?))
}

/// Who builds it.
pub(super) async fn record_builder(tx: &mut Tx, id: &BuildId, builder: &str) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE builds SET builder = ? WHERE id = ?")
        .bind(builder)
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The line of the log that tells why it failed.
pub(super) async fn record_telling_line(tx: &mut Tx, id: &BuildId, line: u64) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE builds SET telling_line = ? WHERE id = ?")
        .bind(i64::try_from(line).unwrap_or(i64::MAX))
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The newest.
pub(super) async fn list<'e>(
    db: impl SqliteExecutor<'e>,
    of: Option<&ServiceId>,
    limit: u32,
) -> Result<Vec<Build>, StorageError> {
    let rows = match of {
        Some(service) => {
            sqlx::query(select!("WHERE builds.service_id = ? ORDER BY builds.number DESC LIMIT ?"))
                .bind(service.as_str())
                .bind(limit)
                .fetch_all(db)
                .await?
        }
        None => {
            sqlx::query(select!("ORDER BY builds.created DESC, builds.rowid DESC LIMIT ?"))
                .bind(limit)
                .fetch_all(db)
                .await?
        }
    };
    rows.iter().map(build).collect()
}

/// What is built, where it was found, and what the push is called.
pub(super) async fn record_commit(
    tx: &mut Tx,
    id: &BuildId,
    branch: &Branch,
    commit: &CommitSha,
    reference: &ImageRef,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE builds SET branch = ?, commit_sha = ?, reference = ? WHERE id = ?")
        .bind(branch.as_str())
        .bind(commit.as_str())
        .bind(reference.to_string())
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Who made the commit, and what its message begins with.
pub(super) async fn record_message(
    tx: &mut Tx,
    id: &BuildId,
    subject: Option<&str>,
    author: Option<&str>,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE builds SET commit_subject = ?, commit_author = ? WHERE id = ?")
        .bind(subject)
        .bind(author)
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What the registry confirmed.
pub(super) async fn record_digest(tx: &mut Tx, id: &BuildId, digest: &Digest) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE builds SET digest = ? WHERE id = ?")
        .bind(digest.as_str())
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

fn build(row: &SqliteRow) -> Result<Build, StorageError> {
    let problem: Option<String> = row.try_get("problem")?;
    let record: Option<String> = row.try_get("record")?;
    Ok(Build {
        id: column(row, "id")?,
        number: row.try_get("number")?,
        service: column(row, "service_id")?,
        service_name: row.try_get("service_name")?,
        job: column(row, "job_id")?,
        state: column(row, "state")?,
        problem: problem.map(|text| from_json(&text, "problem")).transpose()?,
        registry: column(row, "registry_id")?,
        reference: maybe_column(row, "reference")?,
        commit: maybe_column(row, "commit_sha")?,
        branch: maybe_column(row, "branch")?,
        commit_subject: row.try_get("commit_subject")?,
        commit_author: row.try_get("commit_author")?,
        digest: maybe_column(row, "digest")?,
        deploys: row.try_get("deploys")?,
        deployment: maybe_column(row, "deployment_id")?,
        asked_by: row.try_get("asked_by")?,
        trigger: from_json(&row.try_get::<String, _>("trigger")?, "trigger of a build")?,
        no_cache: row.try_get("no_cache")?,
        builder: row.try_get("builder")?,
        telling_line: row
            .try_get::<Option<i64>, _>("telling_line")?
            .map(|line| u64::try_from(line).unwrap_or_default()),
        record: record.map(|text| from_json(&text, "record of a build")).transpose()?,
        created: row.try_get("created")?,
        started: row.try_get("started")?,
        finished: row.try_get("finished")?,
    })
}
