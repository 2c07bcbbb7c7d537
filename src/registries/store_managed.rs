//! The SQL of registries that Slipway runs.

use super::record::{Record, Wanted};
use crate::storage::{StorageError, column, from_json, parsed};
use app::model::id::RegistryId;
use app::model::registry::{Managed, Reach};
use sqlx::Row as _;
use sqlx::SqliteExecutor;
use sqlx::sqlite::{SqlitePool, SqliteRow};

const SELECT: &str = "
    SELECT m.id, r.name, r.credential_id, m.phase, m.wants_default, m.keep_data, m.port, m.reach, m.node_id, m.node_name,
           m.volume_created, m.wanted, m.revision, m.settled, m.settled_revision
      FROM managed_registries m JOIN registries r ON r.id = m.id";

/// What people see of it, from a row of [`super::store`]; None: somebody else runs it.
pub(super) fn read(row: &SqliteRow) -> Result<Option<Managed>, StorageError> {
    let Some(phase) = row.try_get::<Option<String>, _>("phase")? else { return Ok(None) };
    let wanted: Wanted = from_json(&row.try_get::<String, _>("wanted")?, "settings of a registry")?;
    let job: Option<String> = row.try_get("job")?;
    Ok(Some(Managed {
        phase: parsed(&phase, "phase of a registry")?,
        image: wanted.image,
        port: row.try_get("port")?,
        reach: reach(row)?,
        storage: wanted.storage,
        node: node(row)?,
        domain: wanted.domain,
        username: row.try_get("username")?,
        revision: row.try_get("revision")?,
        job: job.map(|text| parsed(&text, "job of a registry")).transpose()?,
    }))
}

/// All of them, whatever their phase.
pub(super) async fn records(db: &SqlitePool) -> Result<Vec<Record>, StorageError> {
    let sql = format!("{SELECT} ORDER BY m.id");
    sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(db).await?.iter().map(record).collect()
}

/// One of them; None: there is none of this id.
pub(super) async fn record_of<'e>(
    db: impl SqliteExecutor<'e>,
    id: &RegistryId,
) -> Result<Option<Record>, StorageError> {
    let sql = format!("{SELECT} WHERE m.id = ?");
    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.as_str()).fetch_optional(db).await?.as_ref().map(record).transpose()
}

fn record(row: &SqliteRow) -> Result<Record, StorageError> {
    let phase: String = row.try_get("phase")?;
    let settled: Option<String> = row.try_get("settled")?;
    let settled_revision: Option<i64> = row.try_get("settled_revision")?;
    let settled = settled.map(|json| from_json(&json, "settings of a registry")).transpose()?;
    Ok(Record {
        id: column(row, "id")?,
        name: row.try_get("name")?,
        credential: column(row, "credential_id")?,
        phase: parsed(&phase, "phase of a registry")?,
        wants_default: row.try_get("wants_default")?,
        keep_data: row.try_get("keep_data")?,
        port: row.try_get("port")?,
        reach: reach(row)?,
        node: node(row)?,
        volume_created: row.try_get("volume_created")?,
        wanted: from_json(&row.try_get::<String, _>("wanted")?, "settings of a registry")?,
        revision: row.try_get("revision")?,
        settled: settled.zip(settled_revision),
    })
}

fn reach(row: &SqliteRow) -> Result<Reach, StorageError> {
    let text: String = row.try_get("reach")?;
    parsed(&text, "reach of a registry")
}

fn node(row: &SqliteRow) -> Result<Option<(String, String)>, StorageError> {
    let id: Option<String> = row.try_get("node_id")?;
    let name: Option<String> = row.try_get("node_name")?;
    Ok(id.zip(name))
}
