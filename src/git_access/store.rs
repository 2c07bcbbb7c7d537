//! The SQL of accesses to git hosts.

use crate::storage::{StorageError, Tx, column, from_json, is_taken, maybe_column, parsed, to_json};
use app::model::git_access::{GitAccess, HostKey};
use app::model::id::GitAccessId;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteExecutor};

type Result<T> = std::result::Result<T, StorageError>;

/// The services that use an access come along, as one JSON text.
const SELECT: &str = "SELECT g.id, g.name, g.kind, g.host, g.username, g.public_key, g.trusted, g.found, g.created_at,
        (SELECT json_group_array(json_array(s.id, s.name) ORDER BY s.name COLLATE NOCASE, s.id) FROM services s
          WHERE s.git_access_id = g.id AND s.deleted_at IS NULL) AS services
   FROM git_accesses g";

fn access(row: &SqliteRow) -> Result<GitAccess> {
    let services: Vec<(String, String)> = from_json(row.try_get("services")?, "services of an access")?;
    let services = services.into_iter().map(|(id, name)| Ok((parsed(&id, "service id")?, name)));
    Ok(GitAccess {
        id: column(row, "id")?,
        name: row.try_get("name")?,
        kind: column(row, "kind")?,
        host: column(row, "host")?,
        username: row.try_get("username")?,
        public_key: maybe_column(row, "public_key")?,
        trusted: from_json(row.try_get("trusted")?, "host keys")?,
        found: from_json(row.try_get("found")?, "host keys")?,
        created_at: row.try_get("created_at")?,
        services: services.collect::<Result<_>>()?,
    })
}

/// All, by name.
pub(super) async fn list<'e>(db: impl SqliteExecutor<'e>) -> Result<Vec<GitAccess>> {
    let sql = format!("{SELECT} ORDER BY g.name COLLATE NOCASE, g.id");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(db).await?;
    rows.iter().map(access).collect()
}

/// One.
pub(super) async fn find<'e>(db: impl SqliteExecutor<'e>, id: &GitAccessId) -> Result<Option<GitAccess>> {
    let sql = format!("{SELECT} WHERE g.id = ?");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.as_str()).fetch_optional(db).await?;
    row.as_ref().map(access).transpose()
}

/// Adds one. False: another has its name.
pub(super) async fn insert(tx: &mut Tx, access: &GitAccess) -> Result<bool> {
    let inserted = sqlx::query(
        "INSERT INTO git_accesses (id, name, kind, host, username, public_key, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(access.id.as_str())
    .bind(&access.name)
    .bind(access.kind.as_str())
    .bind(access.host.as_str())
    .bind(&access.username)
    .bind(&access.public_key)
    .bind(access.created_at)
    .execute(&mut **tx)
    .await;
    match inserted {
        Ok(_) => Ok(true),
        Err(error) if is_taken(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// These wait to be confirmed.
pub(super) async fn set_found(tx: &mut Tx, id: &GitAccessId, keys: &[HostKey]) -> Result<()> {
    sqlx::query("UPDATE git_accesses SET found = ? WHERE id = ?")
        .bind(to_json(&keys, "host keys")?)
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// These are confirmed, and nothing waits any more.
pub(super) async fn trust(tx: &mut Tx, id: &GitAccessId, keys: &[HostKey]) -> Result<()> {
    sqlx::query("UPDATE git_accesses SET trusted = ?, found = '[]' WHERE id = ?")
        .bind(to_json(&keys, "host keys")?)
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Takes one away that no service uses.
pub(super) async fn delete(tx: &mut Tx, id: &GitAccessId) -> Result<()> {
    sqlx::query("DELETE FROM git_accesses WHERE id = ?").bind(id.as_str()).execute(&mut **tx).await?;
    Ok(())
}
