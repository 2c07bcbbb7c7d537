//! SQL of deployments. Their state is that of their job; nothing else about them changes.

use super::kept::Kept;
use super::pull::Reach;
use crate::storage::{StorageError, Tx, from_json, parsed, to_json};
use app::error::Problem;
use app::model::build::CommitSha;
use app::model::id::{BuildId, CredentialId, DeploymentId, JobId, RegistryId, ServiceId};
use app::model::image_ref::{Digest, ImageRef};
use app::model::job::JobState;
use app::model::retention::Need;
use app::model::service::{Deployment, Origin, Settings};
use sqlx::SqliteExecutor;

/// A deployment to be written.
#[derive(Clone, Debug)]
pub(super) struct New {
    pub service: ServiceId,
    pub image: ImageRef,
    pub reach: Reach,
    /// None: Slipway didn't build it.
    pub commit: Option<CommitSha>,
    pub commit_subject: Option<String>,
    /// With the values of environment variables; they are sealed on the way.
    pub settings: Settings,
    pub origin: Origin,
    pub asked_by: String,
}

impl New {
    /// The build it came from, which is deployed once.
    pub(super) fn build(&self) -> Option<&BuildId> {
        match &self.origin {
            Origin::Build { build, .. } => Some(build),
            Origin::Image
            | Origin::Hook
            | Origin::Watch
            | Origin::Restart { .. }
            | Origin::Scale { .. }
            | Origin::RollBack { .. } => None,
        }
    }
}

/// Writes it under the next number. `settings` comes without the values of environment variables.
pub(super) async fn insert(
    tx: &mut Tx,
    id: &DeploymentId,
    job: &JobId,
    new: &New,
    settings: &Settings,
    now: i64,
) -> Result<(), StorageError> {
    sqlx::query(
        "INSERT INTO deployments (id, service_id, number, job_id, image, registry_id, credential_id, commit_sha, commit_subject,
                                  settings, origin, from_build, asked_by, created)
         VALUES (?1, ?2, (SELECT coalesce(max(number), 0) + 1 FROM deployments WHERE service_id = ?2), ?3, ?4, ?5, ?6, ?7,
                 ?8, ?9, ?10, ?11, ?12, ?13)",
    )
    .bind(id.as_str())
    .bind(new.service.as_str())
    .bind(job.as_str())
    .bind(new.image.to_string())
    .bind(new.reach.registry().map(RegistryId::as_str))
    .bind(new.reach.credential().map(CredentialId::as_str))
    .bind(new.commit.as_ref().map(CommitSha::as_str))
    .bind(&new.commit_subject)
    .bind(to_json(settings, "settings")?)
    .bind(to_json(&new.origin, "origin")?)
    .bind(new.build().map(BuildId::as_str))
    .bind(&new.asked_by)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    sqlx::query("UPDATE services SET changed = ? WHERE id = ?")
        .bind(now)
        .bind(new.service.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Whether the build was deployed already.
pub(super) async fn is_deployed(tx: &mut Tx, build: &BuildId) -> Result<bool, StorageError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM deployments WHERE from_build = ?)";
    Ok(sqlx::query_scalar(sql).bind(build.as_str()).fetch_one(&mut **tx).await?)
}

/// This is what runs now.
pub(super) async fn make_current(
    tx: &mut Tx,
    service: &ServiceId,
    id: &DeploymentId,
    now: i64,
) -> Result<(), StorageError> {
    sqlx::query("UPDATE services SET current_deployment = ?, changed = ? WHERE id = ? AND deleted_at IS NULL")
        .bind(id.as_str())
        .bind(now)
        .bind(service.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

const COLUMNS: &str =
    "d.id, d.number, d.service_id, d.image, d.registry_id, d.credential_id, d.commit_sha, d.commit_subject, d.settings,
    d.origin, d.job_id, d.asked_by, d.created, j.state, j.problem, j.finished,
    coalesce(s.current_deployment = d.id AND s.deleted_at IS NULL, 0) AS is_current
    FROM deployments d JOIN jobs j ON j.id = d.job_id JOIN services s ON s.id = d.service_id";

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    number: i64,
    service_id: String,
    image: String,
    registry_id: Option<String>,
    credential_id: Option<String>,
    commit_sha: Option<String>,
    commit_subject: Option<String>,
    settings: String,
    origin: String,
    job_id: String,
    asked_by: String,
    created: i64,
    state: String,
    problem: Option<String>,
    finished: Option<i64>,
    is_current: bool,
}

impl Row {
    fn read(self) -> Result<(Deployment, Reach), StorageError> {
        let reach = match (&self.registry_id, &self.credential_id) {
            (Some(registry), _) => Reach::Registry(parsed(registry, "registry id")?),
            (None, Some(credential)) => Reach::Credential(parsed(credential, "credential id")?),
            (None, None) => Reach::Public,
        };
        let deployment = Deployment {
            id: parsed(&self.id, "deployment id")?,
            number: self.number,
            service: parsed(&self.service_id, "service id")?,
            image: parsed(&self.image, "image")?,
            commit: self.commit_sha.map(|commit| parsed(&commit, "commit id")).transpose()?,
            commit_subject: self.commit_subject,
            settings: from_json(&self.settings, "settings")?,
            origin: from_json(&self.origin, "origin")?,
            state: parsed(&self.state, "job state")?,
            problem: self.problem.map(|json| from_json::<Problem>(&json, "problem")).transpose()?,
            is_current: self.is_current,
            job: parsed(&self.job_id, "job id")?,
            asked_by: self.asked_by,
            created: self.created,
            finished: self.finished,
        };
        Ok((deployment, reach))
    }
}

/// The deployments of a service, newest first, without the values of environment variables.
pub(super) async fn of_service<'e>(
    db: impl SqliteExecutor<'e>,
    service: &ServiceId,
) -> Result<Vec<Deployment>, StorageError> {
    let sql = format!("SELECT {COLUMNS} WHERE d.service_id = ? ORDER BY d.number DESC");
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(service.as_str()).fetch_all(db).await?;
    rows.into_iter().map(|row| row.read().map(|(deployment, _)| deployment)).collect()
}

/// The newest deployment of a service, without the values of environment variables.
pub(super) async fn newest<'e>(
    db: impl SqliteExecutor<'e>,
    service: &ServiceId,
) -> Result<Option<Deployment>, StorageError> {
    let sql = format!("SELECT {COLUMNS} WHERE d.service_id = ? ORDER BY d.number DESC LIMIT 1");
    let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(service.as_str()).fetch_optional(db).await?;
    row.map(|row| row.read().map(|(deployment, _)| deployment)).transpose()
}

/// One deployment, without the values of environment variables, and how its image is reached.
pub(super) async fn find<'e>(
    db: impl SqliteExecutor<'e>,
    id: &DeploymentId,
) -> Result<Option<(Deployment, Reach)>, StorageError> {
    let sql = format!("SELECT {COLUMNS} WHERE d.id = ?");
    let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(id.as_str()).fetch_optional(db).await?;
    row.map(Row::read).transpose()
}

/// Number and state of the deployments of a digest, newest first.
pub(super) async fn of_digest<'e>(
    db: impl SqliteExecutor<'e>,
    service: &ServiceId,
    digest: &Digest,
) -> Result<Vec<(i64, JobState)>, StorageError> {
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "SELECT d.number, j.state FROM deployments d JOIN jobs j ON j.id = d.job_id
          WHERE d.service_id = ? AND instr(d.image, ?) > 0 ORDER BY d.number DESC",
    )
    .bind(service.as_str())
    .bind(digest.as_str())
    .fetch_all(db)
    .await?;
    rows.into_iter().map(|(number, state)| Ok((number, parsed(&state, "job state")?))).collect()
}

/// Whether a deployment of the service was made with the value of this mark.
pub(super) async fn mentions(tx: &mut Tx, service: &ServiceId, mark: &str) -> Result<bool, StorageError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM deployments WHERE service_id = ? AND instr(settings, ?) > 0)";
    Ok(sqlx::query_scalar(sql).bind(service.as_str()).bind(mark).fetch_one(&mut **tx).await?)
}

#[derive(sqlx::FromRow)]
struct KeptRow {
    service: String,
    name: String,
    deployment: String,
    number: i64,
    image: String,
    registry: Option<String>,
    credential: Option<String>,
    need: String,
}

/// What deployments of live services need.
pub(super) async fn kept<'e>(db: impl SqliteExecutor<'e>) -> Result<Vec<Kept>, StorageError> {
    let rows: Vec<KeptRow> = sqlx::query_as(
        "WITH all_of AS (
             SELECT d.*, s.name, s.keep, s.current_deployment, j.state,
                    sum(j.state = 'succeeded') OVER (PARTITION BY d.service_id ORDER BY d.number DESC) AS place
               FROM deployments d JOIN jobs j ON j.id = d.job_id JOIN services s ON s.id = d.service_id
              WHERE s.deleted_at IS NULL
         ), judged AS (
             SELECT *, CASE WHEN id = current_deployment THEN 'runs'
                            WHEN state IN ('queued', 'running', 'cancelling') THEN 'under_way'
                            WHEN pinned_at IS NOT NULL THEN 'pinned'
                            WHEN state = 'succeeded' AND place <= keep THEN 'window' END AS need
               FROM all_of
         )
         SELECT service_id AS service, name, id AS deployment, number, image, registry_id AS registry,
                credential_id AS credential, need
           FROM judged WHERE need IS NOT NULL ORDER BY service_id, number DESC",
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Kept {
                service: parsed(&row.service, "service id")?,
                name: row.name,
                deployment: parsed(&row.deployment, "deployment id")?,
                number: row.number,
                image: parsed(&row.image, "image")?,
                registry: row.registry.map(|id| parsed(&id, "registry id")).transpose()?,
                credential: row.credential.map(|id| parsed(&id, "credential id")).transpose()?,
                need: match row.need.as_str() {
                    "runs" => Need::Runs,
                    "under_way" => Need::UnderWay,
                    "pinned" => Need::Pinned,
                    _ => Need::Window,
                },
            })
        })
        .collect()
}
