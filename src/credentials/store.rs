//! The SQL of credentials.

use crate::storage::{StorageError, Tx, column, from_json, is_taken, parsed, to_json};
use app::error::Problem;
use app::model::credential::{Credential, CredentialFields, CredentialState, Trust};
use app::model::id::{CredentialId, ImportId, RegistryId, ServiceId};
use app::model::image_ref::Repository;
use app::model::report::Report;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row as _, SqliteExecutor};

const SELECT: &str = "
    SELECT c.id, c.name, c.url, c.username, c.problem, c.checked_at, c.version, c.provider, c.namespaces, c.internal,
           c.ca, c.realm, c.expires_on, c.report, c.owned_by,
           coalesce((SELECT set_at FROM secrets WHERE owner = c.id AND name = 'password'), c.created_at) AS set_at,
           (SELECT json_group_array(name) FROM (
                SELECT name FROM registries WHERE credential_id = c.id ORDER BY name COLLATE NOCASE
           )) AS used_by,
           (SELECT json_group_array(json_array(id, name)) FROM (
                SELECT s.id, s.name FROM services s LEFT JOIN deployments d ON d.id = s.current_deployment
                 WHERE s.deleted_at IS NULL AND c.id IN (s.credential_id, d.credential_id) ORDER BY s.name COLLATE NOCASE
           )) AS services
      FROM credentials c";

/// What became of an update.
pub(super) enum Updated {
    /// Done.
    Yes,
    /// The row is gone or has another version.
    Stale,
    /// Another credential has the name.
    NameTaken,
}

pub(super) async fn list(db: &SqlitePool) -> Result<Vec<Credential>, StorageError> {
    let sql = format!("{SELECT} ORDER BY c.name COLLATE NOCASE");
    sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(db).await?.iter().map(read).collect()
}

pub(super) async fn find(db: &SqlitePool, id: &CredentialId) -> Result<Option<Credential>, StorageError> {
    let sql = format!("{SELECT} WHERE c.id = ?");
    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.as_str()).fetch_optional(db).await?.as_ref().map(read).transpose()
}

pub(super) async fn has_name(db: &SqlitePool, name: &str, but: Option<&CredentialId>) -> Result<bool, StorageError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM credentials WHERE name = ? AND id IS NOT ?)";
    Ok(sqlx::query_scalar(sql).bind(name).bind(but.map(CredentialId::as_str)).fetch_one(db).await?)
}

/// False: another credential has the name.
pub(super) async fn insert(
    tx: &mut Tx,
    id: &CredentialId,
    fields: &CredentialFields,
    now: i64,
) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "INSERT INTO credentials
                (id, name, url, username, problem, checked_at, created_at, provider, namespaces, internal, ca, realm, expires_on)
         VALUES (?, ?, ?, ?, NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id.as_str())
    .bind(&fields.name)
    .bind(fields.url.to_string())
    .bind(&fields.username)
    .bind(now)
    .bind(now)
    .bind(fields.provider.as_str())
    .bind(to_json(&fields.namespaces, "list of namespaces")?)
    .bind(fields.trust.internal)
    .bind(&fields.trust.ca)
    .bind(&fields.trust.realm)
    .bind(fields.expires_on.map(|day| day.to_string()))
    .execute(&mut **tx)
    .await;
    match done {
        Err(error) if is_taken(&error) => Ok(false),
        done => Ok(done.map(|_| true)?),
    }
}

/// It belongs to a registry that Slipway runs.
pub(super) async fn set_owner(tx: &mut Tx, id: &CredentialId, owner: &RegistryId) -> Result<(), StorageError> {
    let sql = "UPDATE credentials SET owned_by = ? WHERE id = ?";
    sqlx::query(sql).bind(owner.as_str()).bind(id.as_str()).execute(&mut **tx).await?;
    Ok(())
}

/// What belongs to a registry: one, or none when it is gone.
pub(super) async fn owned_by<'e>(
    db: impl SqliteExecutor<'e>,
    owner: &RegistryId,
) -> Result<Vec<CredentialId>, StorageError> {
    let rows = sqlx::query("SELECT id FROM credentials WHERE owned_by = ?").bind(owner.as_str()).fetch_all(db).await?;
    rows.iter().map(|row| column(row, "id")).collect()
}

/// Those of registries that don't run: being created or deleted, or never made. It is no wonder that they don't answer.
pub(super) async fn resting(db: &SqlitePool) -> Result<Vec<CredentialId>, StorageError> {
    let sql = "SELECT c.id FROM credentials c LEFT JOIN managed_registries m ON m.id = c.owned_by
                WHERE c.owned_by IS NOT NULL AND m.phase IS NOT 'running'";
    sqlx::query(sql).fetch_all(db).await?.iter().map(|row| column(row, "id")).collect()
}

/// Another password, which was tried at the registry just before.
pub(super) async fn renew(tx: &mut Tx, id: &CredentialId, now: i64) -> Result<(), StorageError> {
    let sql =
        "UPDATE credentials SET problem = NULL, checked_at = ?, report = NULL, version = version + 1 WHERE id = ?";
    sqlx::query(sql).bind(now).bind(id.as_str()).execute(&mut **tx).await?;
    Ok(())
}

/// An update was tested just before, so it also says that the credential works.
pub(super) async fn update(
    tx: &mut Tx,
    id: &CredentialId,
    version: i64,
    fields: &CredentialFields,
    now: i64,
) -> Result<Updated, StorageError> {
    let done = sqlx::query(
        "UPDATE credentials
            SET name = ?, url = ?, username = ?, problem = NULL, checked_at = ?, provider = ?, namespaces = ?,
                internal = ?, ca = ?, realm = ?, expires_on = ?, report = NULL, version = version + 1
          WHERE id = ? AND version = ?",
    )
    .bind(&fields.name)
    .bind(fields.url.to_string())
    .bind(&fields.username)
    .bind(now)
    .bind(fields.provider.as_str())
    .bind(to_json(&fields.namespaces, "list of namespaces")?)
    .bind(fields.trust.internal)
    .bind(&fields.trust.ca)
    .bind(&fields.trust.realm)
    .bind(fields.expires_on.map(|day| day.to_string()))
    .bind(id.as_str())
    .bind(version)
    .execute(&mut **tx)
    .await;
    match done {
        Ok(done) if done.rows_affected() == 1 => Ok(Updated::Yes),
        Ok(_) => Ok(Updated::Stale),
        Err(error) if is_taken(&error) => Ok(Updated::NameTaken),
        Err(error) => Err(error.into()),
    }
}

/// Keeps what a test of this version found; an edited credential is left alone.
pub(super) async fn keep_state(
    tx: &mut Tx,
    id: &CredentialId,
    version: i64,
    problem: Option<&Problem>,
    report: &Report,
    now: i64,
) -> Result<(), StorageError> {
    let problem = problem.map(|problem| to_json(problem, "problem of a credential")).transpose()?;
    sqlx::query("UPDATE credentials SET problem = ?, report = ?, checked_at = ? WHERE id = ? AND version = ?")
        .bind(problem)
        .bind(to_json(report, "report of a credential")?)
        .bind(now)
        .bind(id.as_str())
        .bind(version)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The registries that sign in with it, by name.
pub(super) async fn registries_of(tx: &mut Tx, id: &CredentialId) -> Result<Vec<(RegistryId, String)>, StorageError> {
    sqlx::query("SELECT id, name FROM registries WHERE credential_id = ? ORDER BY name COLLATE NOCASE")
        .bind(id.as_str())
        .fetch_all(&mut **tx)
        .await?
        .iter()
        .map(|row| Ok((column(row, "id")?, row.try_get("name")?)))
        .collect()
}

/// The services that pull their image with it, by name: the next one, or the one that runs.
pub(super) async fn services_of(tx: &mut Tx, id: &CredentialId) -> Result<Vec<(ServiceId, String)>, StorageError> {
    sqlx::query(
        "SELECT s.id, s.name FROM services s LEFT JOIN deployments d ON d.id = s.current_deployment
          WHERE s.deleted_at IS NULL AND ?1 IN (s.credential_id, d.credential_id) ORDER BY s.name COLLATE NOCASE",
    )
    .bind(id.as_str())
    .fetch_all(&mut **tx)
    .await?
    .iter()
    .map(|row| Ok((column(row, "id")?, row.try_get("name")?)))
    .collect()
}

/// The names of services that aren't deleted and whose images lie at this credential's host: pulled with it, or pushed.
pub(super) async fn services_with_images_of(db: &SqlitePool, id: &CredentialId) -> Result<Vec<String>, StorageError> {
    Ok(sqlx::query_scalar(
        "SELECT DISTINCT s.name
           FROM services s
           LEFT JOIN deployments d ON d.service_id = s.id
           LEFT JOIN registries r ON r.id = d.registry_id
          WHERE s.deleted_at IS NULL AND ?1 IN (r.credential_id, d.credential_id, s.credential_id)
          ORDER BY s.name COLLATE NOCASE
          LIMIT 10",
    )
    .bind(id.as_str())
    .fetch_all(db)
    .await?)
}

/// What one of its registries puts in front of images, if one does.
pub(super) async fn base_path(db: &SqlitePool, id: &CredentialId) -> Result<Option<Repository>, StorageError> {
    let sql = "SELECT base_path FROM registries WHERE credential_id = ? AND base_path IS NOT NULL ORDER BY id LIMIT 1";
    let row = sqlx::query(sql).bind(id.as_str()).fetch_optional(db).await?;
    row.map(|row| column(&row, "base_path")).transpose()
}

/// The names of registries without base path that sign in with it.
pub(super) async fn registries_without_base_path(
    db: &SqlitePool,
    id: &CredentialId,
) -> Result<Vec<String>, StorageError> {
    let sql = "SELECT name FROM registries WHERE credential_id = ? AND base_path IS NULL ORDER BY name COLLATE NOCASE";
    Ok(sqlx::query_scalar(sql).bind(id.as_str()).fetch_all(db).await?)
}

/// Its name; None: it was gone.
pub(super) async fn delete(tx: &mut Tx, id: &CredentialId) -> Result<Option<String>, StorageError> {
    let sql = "DELETE FROM credentials WHERE id = ? RETURNING name";
    Ok(sqlx::query_scalar(sql).bind(id.as_str()).fetch_optional(&mut **tx).await?)
}

/// When a list of logins was kept; None: there is none.
pub(super) async fn import_set_at(db: &SqlitePool, id: &ImportId) -> Result<Option<i64>, StorageError> {
    let sql = "SELECT set_at FROM secrets WHERE owner = ?";
    Ok(sqlx::query_scalar(sql).bind(id.as_str()).fetch_optional(db).await?)
}

/// Whether there are lists of logins that are older.
pub(super) async fn has_old_imports(db: &SqlitePool, before: i64) -> Result<bool, StorageError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM secrets WHERE owner GLOB 'imp_*' AND set_at < ?)";
    Ok(sqlx::query_scalar(sql).bind(before).fetch_one(db).await?)
}

/// Forgets lists of logins that are older.
pub(super) async fn forget_old_imports(tx: &mut Tx, before: i64) -> Result<(), StorageError> {
    let sql = "DELETE FROM secrets WHERE owner GLOB 'imp_*' AND set_at < ?";
    sqlx::query(sql).bind(before).execute(&mut **tx).await?;
    Ok(())
}

fn read(row: &SqliteRow) -> Result<Credential, StorageError> {
    let problem: Option<String> = row.try_get("problem")?;
    let state = match problem {
        None => CredentialState::Works,
        Some(json) => CredentialState::Fails(from_json(&json, "problem of a credential")?),
    };
    let used_by: String = row.try_get("used_by")?;
    let services: String = row.try_get("services")?;
    let namespaces: String = row.try_get("namespaces")?;
    let report: Option<String> = row.try_get("report")?;
    let expires_on: Option<String> = row.try_get("expires_on")?;
    let owned_by: Option<String> = row.try_get("owned_by")?;
    let day = time::macros::format_description!("[year]-[month]-[day]");
    Ok(Credential {
        id: column(row, "id")?,
        name: row.try_get("name")?,
        url: column(row, "url")?,
        username: row.try_get("username")?,
        state,
        checked_at: row.try_get("checked_at")?,
        password_set_at: row.try_get("set_at")?,
        used_by: from_json(&used_by, "list of registries")?,
        services: from_json(&services, "list of services")?,
        provider: column(row, "provider")?,
        namespaces: from_json(&namespaces, "list of namespaces")?,
        trust: Trust { internal: row.try_get("internal")?, ca: row.try_get("ca")?, realm: row.try_get("realm")? },
        expires_on: expires_on.and_then(|text| time::Date::parse(&text, &day).ok()),
        report: report.map(|json| from_json(&json, "report of a credential")).transpose()?,
        owned_by: owned_by.map(|text| parsed(&text, "owner of a credential")).transpose()?,
        version: row.try_get("version")?,
    })
}
