//! SQL of projects and services; that of deployments is in [`super::store_deployments`].
//!
//! Settings are kept with the names of environment variables alone; their values are sealed, see [`super::env`].

use crate::storage::{StorageError, Tx, from_json, parsed, to_json};
use app::model::credential::RegistryUrl;
use app::model::git_access::AccessKind;
use app::model::id::{CredentialId, DeploymentId, GitAccessId, JobId, ProjectId, RegistryId, ServiceId};
use app::model::image_ref::{ImageRef, RegistryHost};
use app::model::job::JobState;
use app::model::service::{Settings, Source};
use app::model::tag_watch::WatchMode;
use sqlx::SqliteExecutor;

/// A project.
#[derive(Clone, Debug)]
pub(super) struct Project {
    pub id: ProjectId,
    pub slug: String,
}

/// A service with its project.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub id: ServiceId,
    pub name: String,
    pub slug: String,
    pub project: ProjectId,
    pub project_name: String,
    pub project_slug: String,
    pub source: Source,
    /// Without the values of environment variables.
    pub settings: Settings,
    /// What happens when its tag leads to a new digest.
    pub watch: WatchMode,
    pub current: Option<DeploymentId>,
    pub is_deleted: bool,
    pub version: i64,
}

/// A line of the list of services.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub id: ServiceId,
    pub name: String,
    pub project: String,
    pub deployment: Option<i64>,
    pub last_build: Option<JobState>,
    pub changed: i64,
}

/// A live service and what it publishes: by its settings and by the deployment that runs.
#[derive(Clone, Debug)]
pub(super) struct Publisher {
    pub id: ServiceId,
    pub name: String,
    pub project: String,
    pub settings: Vec<Settings>,
}

/// What saving a service writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saved<'a> {
    pub name: &'a str,
    pub slug: &'a str,
    pub source: &'a Source,
    /// Without the values of environment variables.
    pub settings: &'a Settings,
    pub watch: WatchMode,
    pub now: i64,
}

impl Saved<'_> {
    /// The registry it is built to, when it chose one.
    fn registry(&self) -> Option<&str> {
        self.source.git()?.registry.as_ref().map(RegistryId::as_str)
    }

    /// The credential its image is pulled with.
    fn credential(&self) -> Option<&str> {
        self.source.image()?.credential.as_ref().map(CredentialId::as_str)
    }

    /// The access its repository is read with.
    fn git_access(&self) -> Option<&str> {
        self.source.git()?.access.as_ref().map(GitAccessId::as_str)
    }
}

pub(super) async fn project_names<'e>(db: impl SqliteExecutor<'e>) -> Result<Vec<String>, StorageError> {
    Ok(sqlx::query_scalar("SELECT name FROM projects ORDER BY name COLLATE NOCASE").fetch_all(db).await?)
}

pub(super) async fn project_named(tx: &mut Tx, name: &str) -> Result<Option<Project>, StorageError> {
    let row: Option<(String, String)> =
        sqlx::query_as("SELECT id, slug FROM projects WHERE name = ?").bind(name).fetch_optional(&mut **tx).await?;
    row.map(|(id, slug)| Ok(Project { id: parsed(&id, "project id")?, slug })).transpose()
}

pub(super) async fn project_slugs(tx: &mut Tx) -> Result<Vec<String>, StorageError> {
    Ok(sqlx::query_scalar("SELECT slug FROM projects").fetch_all(&mut **tx).await?)
}

pub(super) async fn insert_project(tx: &mut Tx, project: &Project, name: &str, now: i64) -> Result<(), StorageError> {
    sqlx::query("INSERT INTO projects (id, name, slug, created_at) VALUES (?, ?, ?, ?)")
        .bind(project.id.as_str())
        .bind(name)
        .bind(&project.slug)
        .bind(now)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Names and slugs of the live services of a project, but for one service.
pub(super) async fn names_in(
    tx: &mut Tx,
    project: &ProjectId,
    but: Option<&ServiceId>,
) -> Result<Vec<(String, String)>, StorageError> {
    let sql = "SELECT name, slug FROM services WHERE project_id = ? AND deleted_at IS NULL AND id IS NOT ?";
    let but = but.map(ServiceId::as_str);
    Ok(sqlx::query_as(sql).bind(project.as_str()).bind(but).fetch_all(&mut **tx).await?)
}

/// Whether it is there to stay: nothing new comes to one that is being deleted.
pub(super) async fn registry_exists(tx: &mut Tx, id: &RegistryId) -> Result<bool, StorageError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM registries r LEFT JOIN managed_registries m ON m.id = r.id
                               WHERE r.id = ? AND m.phase IS NOT 'deleting')";
    Ok(sqlx::query_scalar(sql).bind(id.as_str()).fetch_one(&mut **tx).await?)
}

/// Where a credential signs in; None: it was deleted, or is being deleted with its registry.
pub(super) async fn credential_url(tx: &mut Tx, id: &CredentialId) -> Result<Option<RegistryUrl>, StorageError> {
    let sql = "SELECT c.url FROM credentials c LEFT JOIN managed_registries m ON m.id = c.owned_by
                WHERE c.id = ? AND m.phase IS NOT 'deleting'";
    let url: Option<String> = sqlx::query_scalar(sql).bind(id.as_str()).fetch_optional(&mut **tx).await?;
    url.map(|url| parsed(&url, "registry address")).transpose()
}

/// What an access to a git host is for; None: it was deleted.
pub(super) async fn git_access(
    tx: &mut Tx,
    id: &GitAccessId,
) -> Result<Option<(AccessKind, RegistryHost)>, StorageError> {
    let row: Option<(String, String)> = sqlx::query_as("SELECT kind, host FROM git_accesses WHERE id = ?")
        .bind(id.as_str())
        .fetch_optional(&mut **tx)
        .await?;
    row.map(|(kind, host)| Ok((parsed(&kind, "kind of access")?, parsed(&host, "host")?))).transpose()
}

pub(super) async fn insert(
    tx: &mut Tx,
    id: &ServiceId,
    project: &ProjectId,
    saved: Saved<'_>,
) -> Result<(), StorageError> {
    sqlx::query(
        "INSERT INTO services (id, project_id, name, slug, source, settings, registry_id, credential_id, git_access_id,
                               watch, created_at, changed)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id.as_str())
    .bind(project.as_str())
    .bind(saved.name)
    .bind(saved.slug)
    .bind(to_json(saved.source, "source")?)
    .bind(to_json(saved.settings, "settings")?)
    .bind(saved.registry())
    .bind(saved.credential())
    .bind(saved.git_access())
    .bind(saved.watch.as_str())
    .bind(saved.now.div_euclid(1_000))
    .bind(saved.now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// False: it is deleted, or somebody changed it since `version`.
pub(super) async fn update(tx: &mut Tx, id: &ServiceId, version: i64, saved: Saved<'_>) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "UPDATE services SET name = ?, slug = ?, source = ?, settings = ?, registry_id = ?, credential_id = ?, git_access_id = ?,
                watch = ?, changed = ?, version = version + 1
         WHERE id = ? AND version = ? AND deleted_at IS NULL",
    )
    .bind(saved.name)
    .bind(saved.slug)
    .bind(to_json(saved.source, "source")?)
    .bind(to_json(saved.settings, "settings")?)
    .bind(saved.registry())
    .bind(saved.credential())
    .bind(saved.git_access())
    .bind(saved.watch.as_str())
    .bind(saved.now)
    .bind(id.as_str())
    .bind(version)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// One service, also a deleted one.
pub(super) async fn find<'e>(db: impl SqliteExecutor<'e>, id: &ServiceId) -> Result<Option<Record>, StorageError> {
    #[derive(sqlx::FromRow)]
    struct Row {
        name: String,
        slug: String,
        project_id: String,
        project_name: String,
        project_slug: String,
        source: String,
        settings: String,
        watch: String,
        current_deployment: Option<String>,
        deleted_at: Option<i64>,
        version: i64,
    }
    let row: Option<Row> = sqlx::query_as(
        "SELECT s.name, s.slug, s.project_id, p.name AS project_name, p.slug AS project_slug, s.source, s.settings,
                s.watch, s.current_deployment, s.deleted_at, s.version
         FROM services s JOIN projects p ON p.id = s.project_id WHERE s.id = ?",
    )
    .bind(id.as_str())
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Record {
        id: id.clone(),
        name: row.name,
        slug: row.slug,
        project: parsed(&row.project_id, "project id")?,
        project_name: row.project_name,
        project_slug: row.project_slug,
        source: from_json(&row.source, "source")?,
        settings: from_json(&row.settings, "settings")?,
        watch: parsed(&row.watch, "watch")?,
        current: row.current_deployment.map(|id| parsed(&id, "deployment id")).transpose()?,
        is_deleted: row.deleted_at.is_some(),
        version: row.version,
    }))
}

pub(super) async fn list<'e>(db: impl SqliteExecutor<'e>) -> Result<Vec<Line>, StorageError> {
    type Row = (String, String, String, Option<i64>, Option<String>, i64);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT s.id, s.name, p.name, d.number,
                (SELECT j.state FROM builds b JOIN jobs j ON j.id = b.job_id
                 WHERE b.service_id = s.id ORDER BY b.number DESC LIMIT 1),
                max(s.changed, coalesce((SELECT max(b.created) FROM builds b WHERE b.service_id = s.id), 0))
         FROM services s JOIN projects p ON p.id = s.project_id LEFT JOIN deployments d ON d.id = s.current_deployment
         WHERE s.deleted_at IS NULL ORDER BY p.name COLLATE NOCASE, s.name COLLATE NOCASE",
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(id, name, project, deployment, last_build, changed)| {
            Ok(Line {
                id: parsed(&id, "service id")?,
                name,
                project,
                deployment,
                last_build: last_build.map(|state| parsed(&state, "job state")).transpose()?,
                changed,
            })
        })
        .collect()
}

/// The live services, but for one, with what they publish.
pub(super) async fn publishers(tx: &mut Tx, but: Option<&ServiceId>) -> Result<Vec<Publisher>, StorageError> {
    let rows: Vec<(String, String, String, String, Option<String>)> = sqlx::query_as(
        "SELECT s.id, s.name, p.name, s.settings, d.settings
         FROM services s JOIN projects p ON p.id = s.project_id LEFT JOIN deployments d ON d.id = s.current_deployment
         WHERE s.deleted_at IS NULL AND s.id IS NOT ?",
    )
    .bind(but.map(ServiceId::as_str))
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|(id, name, project, own, deployed)| {
            let settings = std::iter::once(own)
                .chain(deployed)
                .map(|json| from_json(&json, "settings"))
                .collect::<Result<_, _>>()?;
            Ok(Publisher { id: parsed(&id, "service id")?, name, project, settings })
        })
        .collect()
}

/// Takes it out of all lists. Its registry, its credential and its access may be deleted from now on. False: it was deleted before.
pub(super) async fn mark_deleted(tx: &mut Tx, id: &ServiceId, now: i64) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "UPDATE services SET deleted_at = ?, changed = ?, registry_id = NULL, credential_id = NULL,
                git_access_id = NULL, version = version + 1
         WHERE id = ? AND deleted_at IS NULL",
    )
    .bind(now.div_euclid(1_000))
    .bind(now)
    .bind(id.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What each live service runs: id, name, image.
pub(super) async fn running<'e>(
    db: impl SqliteExecutor<'e>,
) -> Result<Vec<(ServiceId, String, ImageRef)>, StorageError> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT s.id, s.name, d.image FROM services s JOIN deployments d ON d.id = s.current_deployment
         WHERE s.deleted_at IS NULL ORDER BY s.name COLLATE NOCASE, s.id",
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(|(id, name, image)| Ok((parsed(&id, "service id")?, name, parsed(&image, "image")?))).collect()
}

/// The live services whose Swarm service has the login of a credential, or is just getting it: pulled with it directly, or
/// from a registry that signs in with it.
pub(super) async fn running_with(tx: &mut Tx, credential: &CredentialId) -> Result<Vec<ServiceId>, StorageError> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT s.id
           FROM services s JOIN deployments d ON d.service_id = s.id JOIN jobs j ON j.id = d.job_id
          WHERE s.deleted_at IS NULL
            AND (d.id = s.current_deployment OR j.state IN ('queued', 'running', 'cancelling'))
            AND (d.credential_id = ?1 OR d.registry_id IN (SELECT id FROM registries WHERE credential_id = ?1))
          ORDER BY s.id",
    )
    .bind(credential.as_str())
    .fetch_all(&mut **tx)
    .await?;
    ids.iter().map(|id| parsed(id, "service id")).collect()
}

/// Whether a project has live services.
pub(super) async fn is_populated<'e>(db: impl SqliteExecutor<'e>, project: &ProjectId) -> Result<bool, StorageError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM services WHERE project_id = ? AND deleted_at IS NULL)";
    Ok(sqlx::query_scalar(sql).bind(project.as_str()).fetch_one(db).await?)
}

/// Builds and deployments of the service that haven't ended.
pub(super) async fn unfinished_jobs<'e>(
    db: impl SqliteExecutor<'e>,
    id: &ServiceId,
) -> Result<Vec<JobId>, StorageError> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT j.id FROM jobs j
         WHERE j.state IN ('queued', 'running', 'cancelling')
           AND j.id IN (SELECT job_id FROM deployments WHERE service_id = ?1
                        UNION SELECT job_id FROM builds WHERE service_id = ?1)",
    )
    .bind(id.as_str())
    .fetch_all(db)
    .await?;
    ids.iter().map(|id| parsed(id, "job id")).collect()
}
