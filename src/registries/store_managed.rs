//! The SQL of registries that Slipway runs.

use super::record::{Record, Wanted};
use crate::storage::{StorageError, Tx, column, from_json, is_taken, parsed, to_json};
use app::model::id::{JobId, RegistryId};
use app::model::registry::{Managed, Phase, Reach};
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

/// Writes a new one, whose row in `registries` is there already. False: another registry has its port.
pub(super) async fn insert(tx: &mut Tx, record: &Record) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "INSERT INTO managed_registries
                (id, phase, wants_default, keep_data, port, reach, node_id, node_name, wanted, revision)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(record.id.as_str())
    .bind(record.phase.as_str())
    .bind(record.wants_default)
    .bind(record.keep_data)
    .bind(record.port)
    .bind(record.reach.as_str())
    .bind(record.node.as_ref().map(|(id, _)| id))
    .bind(record.node.as_ref().map(|(_, name)| name))
    .bind(to_json(&record.wanted, "settings of a registry")?)
    .bind(record.revision)
    .execute(&mut **tx)
    .await;
    match done {
        Ok(_) => Ok(true),
        Err(error) if is_taken(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Where it is in its life.
pub(super) async fn set_phase(tx: &mut Tx, id: &RegistryId, phase: Phase) -> Result<(), StorageError> {
    let sql = "UPDATE managed_registries SET phase = ? WHERE id = ?";
    sqlx::query(sql).bind(phase.as_str()).bind(id.as_str()).execute(&mut **tx).await?;
    Ok(())
}

/// What the Swarm is to have from now on, and its revision.
pub(super) async fn set_wanted(
    tx: &mut Tx,
    id: &RegistryId,
    wanted: &Wanted,
    revision: i64,
) -> Result<(), StorageError> {
    sqlx::query("UPDATE managed_registries SET wanted = ?, revision = ? WHERE id = ?")
        .bind(to_json(wanted, "settings of a registry")?)
        .bind(revision)
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The same with other settings that don't reach the Swarm, also in those it would return to.
pub(super) async fn set_settled(tx: &mut Tx, id: &RegistryId, settled: &Wanted) -> Result<(), StorageError> {
    sqlx::query("UPDATE managed_registries SET settled = ? WHERE id = ? AND settled IS NOT NULL")
        .bind(to_json(settled, "settings of a registry")?)
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// How it is reached, when the nodes have changed.
pub(super) async fn set_reach(tx: &mut Tx, id: &RegistryId, reach: Reach) -> Result<(), StorageError> {
    let sql = "UPDATE managed_registries SET reach = ? WHERE id = ?";
    sqlx::query(sql).bind(reach.as_str()).bind(id.as_str()).execute(&mut **tx).await?;
    Ok(())
}

/// Which volume counts; None: the next one that is made.
pub(super) async fn set_volume_created(
    tx: &mut Tx,
    id: &RegistryId,
    created: Option<&str>,
) -> Result<(), StorageError> {
    let sql = "UPDATE managed_registries SET volume_created = ? WHERE id = ?";
    sqlx::query(sql).bind(created).bind(id.as_str()).execute(&mut **tx).await?;
    Ok(())
}

/// Whether it is to become the default once it runs.
pub(super) async fn set_wants_default(tx: &mut Tx, id: &RegistryId, wants: bool) -> Result<(), StorageError> {
    let sql = "UPDATE managed_registries SET wants_default = ? WHERE id = ?";
    sqlx::query(sql).bind(wants).bind(id.as_str()).execute(&mut **tx).await?;
    Ok(())
}

/// The settings of this revision passed the probe. Nothing happens when there is a newer one by now.
pub(super) async fn settle(tx: &mut Tx, record: &Record) -> Result<(), StorageError> {
    sqlx::query(
        "UPDATE managed_registries SET phase = ?, wants_default = 0, settled = ?, settled_revision = revision
          WHERE id = ? AND revision = ?",
    )
    .bind(Phase::Running.as_str())
    .bind(to_json(&record.wanted, "settings of a registry")?)
    .bind(record.id.as_str())
    .bind(record.revision)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The kind and id of a job about it that hasn't ended.
pub(super) async fn unfinished_job(tx: &mut Tx, subject: &str) -> Result<Option<(String, JobId)>, StorageError> {
    let row = sqlx::query(
        "SELECT kind, id FROM jobs WHERE subject = ? AND state IN ('queued', 'running', 'cancelling') LIMIT 1",
    )
    .bind(subject)
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|row| Ok((row.try_get("kind")?, column(&row, "id")?))).transpose()
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
