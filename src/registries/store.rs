//! The SQL of registries. Whether one is in use is read from the tables of services, deployments and builds.

use super::store_managed;
use crate::storage::{StorageError, Tx, column, from_json, is_taken, parsed, to_json};
use app::model::credential::RegistryUrl;
use app::model::id::{BuildId, CredentialId, JobId, RegistryId, ServiceId};
use app::model::image_ref::RegistryHost;
use app::model::provider::Provider;
use app::model::registry::{Registry, RegistryFields, RegistryUser};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row as _, SqliteExecutor};

const SELECT: &str = "
    SELECT r.id, r.name, r.credential_id, r.base_path, r.is_default, r.platforms, r.created_at, r.version,
           c.name AS credential_name, c.url, c.provider, c.username, c.problem IS NULL AS works,
           m.phase, m.port, m.reach, m.node_id, m.node_name, m.wanted, m.revision,
           (SELECT j.id FROM jobs j WHERE j.subject = 'registry:' || r.id ORDER BY j.created DESC, j.rowid DESC LIMIT 1) AS job
      FROM registries r JOIN credentials c ON c.id = r.credential_id
      LEFT JOIN managed_registries m ON m.id = r.id";

/// A service that uses a registry.
pub(super) struct User {
    /// Which.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
}

pub(super) async fn list(db: &SqlitePool) -> Result<Vec<Registry>, StorageError> {
    let sql = format!("{SELECT} ORDER BY r.is_default DESC, r.name COLLATE NOCASE");
    sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(db).await?.iter().map(read).collect()
}

pub(super) async fn find<'e>(db: impl SqliteExecutor<'e>, id: &RegistryId) -> Result<Option<Registry>, StorageError> {
    let sql = format!("{SELECT} WHERE r.id = ?");
    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.as_str()).fetch_optional(db).await?.as_ref().map(read).transpose()
}

/// Whether it is gone, or going.
pub(super) async fn is_deleted(db: &SqlitePool, id: &RegistryId) -> Result<bool, StorageError> {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM registries r LEFT JOIN managed_registries m ON m.id = r.id
                                   WHERE r.id = ? AND m.phase IS NOT 'deleting')";
    Ok(sqlx::query_scalar(sql).bind(id.as_str()).fetch_one(db).await?)
}

pub(super) async fn default(db: &SqlitePool) -> Result<Option<RegistryId>, StorageError> {
    let row = sqlx::query("SELECT id FROM registries WHERE is_default = 1").fetch_optional(db).await?;
    row.as_ref().map(|row| column(row, "id")).transpose()
}

pub(super) async fn has_default(tx: &mut Tx) -> Result<bool, StorageError> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM registries WHERE is_default = 1)").fetch_one(&mut **tx).await?)
}

/// Those that can take over as the default from one that is deleted: builds can be pushed there now. By name.
pub(super) async fn successors(tx: &mut Tx, of: &RegistryId) -> Result<Vec<(RegistryId, String)>, StorageError> {
    sqlx::query(
        "SELECT r.id, r.name FROM registries r LEFT JOIN managed_registries m ON m.id = r.id
          WHERE r.id <> ? AND (m.id IS NULL OR m.phase = 'running') ORDER BY r.name COLLATE NOCASE",
    )
    .bind(of.as_str())
    .fetch_all(&mut **tx)
    .await?
    .iter()
    .map(|row| Ok((column(row, "id")?, row.try_get("name")?)))
    .collect()
}

/// Whether a registry has this name already.
pub(super) async fn has_name(db: &SqlitePool, name: &str) -> Result<bool, StorageError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM registries WHERE name = ?)";
    Ok(sqlx::query_scalar(sql).bind(name).fetch_one(db).await?)
}

/// Host and provider of a credential that external registries may sign in with; None: it was deleted, or belongs to a
/// managed one.
pub(super) async fn place_of(tx: &mut Tx, id: &CredentialId) -> Result<Option<(RegistryHost, Provider)>, StorageError> {
    let sql = "SELECT url, provider FROM credentials WHERE id = ? AND owned_by IS NULL";
    let row = sqlx::query(sql).bind(id.as_str()).fetch_optional(&mut **tx).await?;
    row.as_ref().map(|row| Ok((column::<RegistryUrl>(row, "url")?.host, column(row, "provider")?))).transpose()
}

/// No registry is the default; the caller makes one so in the same transaction.
pub(super) async fn clear_default(tx: &mut Tx) -> Result<(), StorageError> {
    let sql = "UPDATE registries SET is_default = 0, version = version + 1 WHERE is_default = 1";
    sqlx::query(sql).execute(&mut **tx).await?;
    Ok(())
}

pub(super) async fn set_default(tx: &mut Tx, id: &RegistryId) -> Result<(), StorageError> {
    let sql = "UPDATE registries SET is_default = 1, version = version + 1 WHERE id = ?";
    sqlx::query(sql).bind(id.as_str()).execute(&mut **tx).await?;
    Ok(())
}

/// False: another registry has the name.
pub(super) async fn insert(
    tx: &mut Tx,
    id: &RegistryId,
    fields: &RegistryFields,
    is_default: bool,
    now: i64,
) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "INSERT INTO registries (id, name, credential_id, base_path, is_default, platforms, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id.as_str())
    .bind(&fields.name)
    .bind(fields.credential.as_str())
    .bind(fields.base_path.as_ref().map(|path| path.as_str()))
    .bind(is_default)
    .bind(to_json(&fields.platforms, "platforms of a registry")?)
    .bind(now)
    .execute(&mut **tx)
    .await;
    unless_taken(done)
}

/// False: another registry has the name.
pub(super) async fn update(
    tx: &mut Tx,
    id: &RegistryId,
    fields: &RegistryFields,
    is_default: bool,
) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "UPDATE registries SET name = ?, credential_id = ?, base_path = ?, is_default = ?, platforms = ?, version = version + 1
          WHERE id = ?",
    )
    .bind(&fields.name)
    .bind(fields.credential.as_str())
    .bind(fields.base_path.as_ref().map(|path| path.as_str()))
    .bind(is_default)
    .bind(to_json(&fields.platforms, "platforms of a registry")?)
    .bind(id.as_str())
    .execute(&mut **tx)
    .await;
    unless_taken(done)
}

/// Deleted services, whose rows stay for their history, forget that they chose it.
pub(super) async fn delete(tx: &mut Tx, id: &RegistryId) -> Result<(), StorageError> {
    let sql = "UPDATE services SET registry_id = NULL WHERE registry_id = ? AND deleted_at IS NOT NULL";
    sqlx::query(sql).bind(id.as_str()).execute(&mut **tx).await?;
    sqlx::query("DELETE FROM registries WHERE id = ?").bind(id.as_str()).execute(&mut **tx).await?;
    Ok(())
}

/// Services that choose it explicitly.
pub(super) async fn services_choosing(tx: &mut Tx, id: &RegistryId) -> Result<Vec<User>, StorageError> {
    users(
        tx,
        "SELECT id, name FROM services
          WHERE registry_id = ? AND deleted_at IS NULL ORDER BY name COLLATE NOCASE LIMIT 10",
        id,
    )
    .await
}

/// Services whose current deployment is an image from it, or that pull with its own credential.
pub(super) async fn services_running_from(tx: &mut Tx, id: &RegistryId) -> Result<Vec<User>, StorageError> {
    users(
        tx,
        "SELECT s.id, s.name FROM services s LEFT JOIN deployments d ON d.id = s.current_deployment
           LEFT JOIN credentials c ON c.owned_by = ?1
          WHERE s.deleted_at IS NULL AND (d.registry_id = ?1 OR c.id IN (s.credential_id, d.credential_id))
          ORDER BY s.name COLLATE NOCASE LIMIT 10",
        id,
    )
    .await
}

/// All services that use it, by name. What runs is what the current deployment says, or the next one will.
pub(super) async fn users_of(db: &SqlitePool, id: &RegistryId) -> Result<Vec<RegistryUser>, StorageError> {
    let rows = sqlx::query(
        "SELECT * FROM (
             SELECT s.id, s.name,
                    s.registry_id IS ?1
                        OR (s.registry_id IS NULL AND r.is_default AND s.source ->> '$.kind' IS 'git') AS builds,
                    d.registry_id IS ?1 OR coalesce(c.id IN (s.credential_id, d.credential_id), 0) AS runs
               FROM services s JOIN registries r ON r.id = ?1 LEFT JOIN deployments d ON d.id = s.current_deployment
               LEFT JOIN credentials c ON c.owned_by = ?1
              WHERE s.deleted_at IS NULL)
          WHERE builds OR runs ORDER BY name COLLATE NOCASE",
    )
    .bind(id.as_str())
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(RegistryUser {
                service: column(row, "id")?,
                name: row.try_get("name")?,
                builds: row.try_get("builds")?,
                runs: row.try_get("runs")?,
            })
        })
        .collect()
}

/// Services with any deployment from it, which a roll-back may ask for.
pub(super) async fn services_with_images_in(tx: &mut Tx, id: &RegistryId) -> Result<Vec<User>, StorageError> {
    users(
        tx,
        "SELECT DISTINCT s.id, s.name FROM services s JOIN deployments d ON d.service_id = s.id
          WHERE d.registry_id = ? AND s.deleted_at IS NULL ORDER BY s.name COLLATE NOCASE LIMIT 10",
        id,
    )
    .await
}

/// Builds that push to it now, with a name for people.
pub(super) async fn builds_running_to(
    db: &SqlitePool,
    id: &RegistryId,
) -> Result<Vec<(BuildId, String)>, StorageError> {
    sqlx::query(
        "SELECT b.id, s.name || ' #' || b.number AS title
           FROM builds b JOIN services s ON s.id = b.service_id JOIN jobs j ON j.id = b.job_id
          WHERE b.registry_id = ? AND j.state IN ('running', 'cancelling') ORDER BY b.created",
    )
    .bind(id.as_str())
    .fetch_all(db)
    .await?
    .iter()
    .map(|row| Ok((column(row, "id")?, row.try_get("title")?)))
    .collect()
}

/// From now on nothing new comes to a managed one. `keep_data`: its volume stays.
pub(super) async fn begin_deletion(tx: &mut Tx, id: &RegistryId, keep_data: bool) -> Result<(), StorageError> {
    sqlx::query("UPDATE managed_registries SET phase = 'deleting', wants_default = 0, keep_data = ? WHERE id = ?")
        .bind(keep_data)
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    sqlx::query("UPDATE registries SET version = version + 1 WHERE id = ?")
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Unfinished jobs about a registry but those of a kind.
pub(super) async fn other_jobs(tx: &mut Tx, subject: &str, but: &str) -> Result<Vec<JobId>, StorageError> {
    let sql = "SELECT id FROM jobs WHERE subject = ? AND kind <> ? AND state IN ('queued', 'running', 'cancelling') ORDER BY rowid";
    sqlx::query(sql).bind(subject).bind(but).fetch_all(&mut **tx).await?.iter().map(|row| column(row, "id")).collect()
}

async fn users(tx: &mut Tx, sql: &'static str, id: &RegistryId) -> Result<Vec<User>, StorageError> {
    let rows = sqlx::query(sql).bind(id.as_str()).fetch_all(&mut **tx).await?;
    rows.iter().map(|row| Ok(User { id: column(row, "id")?, name: row.try_get("name")? })).collect()
}

fn unless_taken<T>(done: Result<T, sqlx::Error>) -> Result<bool, StorageError> {
    match done {
        Ok(_) => Ok(true),
        Err(error) if is_taken(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn read(row: &SqliteRow) -> Result<Registry, StorageError> {
    let base_path: Option<String> = row.try_get("base_path")?;
    let base_path = base_path.map(|text| parsed(&text, "base path of a registry")).transpose()?;
    Ok(Registry {
        id: column(row, "id")?,
        name: row.try_get("name")?,
        host: column::<RegistryUrl>(row, "url")?.host,
        provider: column(row, "provider")?,
        credential: column(row, "credential_id")?,
        credential_name: row.try_get("credential_name")?,
        credential_works: row.try_get("works")?,
        base_path,
        is_default: row.try_get("is_default")?,
        platforms: from_json(&row.try_get::<String, _>("platforms")?, "platforms of a registry")?,
        managed: store_managed::read(row)?,
        created_at: row.try_get("created_at")?,
        version: row.try_get("version")?,
    })
}
