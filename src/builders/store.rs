//! The SQL of builders and of their limits.

use super::Record;
use crate::storage::{StorageError, Tx, column, is_taken};
use app::model::builder::{BuilderFields, BuilderKind, BuilderNode, Caps, NodeFields};
use app::model::id::BuilderId;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row as _, SqliteExecutor};
use std::collections::HashMap;

const SELECT: &str = "
    SELECT b.id, b.name, b.kind, b.image, b.cpus, b.memory, b.version,
           (SELECT l.most FROM job_limits l WHERE l.resource = 'builder:' || b.id) AS most
      FROM builders b";

pub(super) async fn list(db: &SqlitePool) -> Result<Vec<Record>, StorageError> {
    let sql = format!("{SELECT} ORDER BY b.name COLLATE NOCASE");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(db).await?;
    let mut nodes: HashMap<BuilderId, Vec<BuilderNode>> = HashMap::new();
    let sql = "SELECT builder_id, number, platform, endpoint FROM builder_nodes ORDER BY builder_id, number";
    for row in sqlx::query(sql).fetch_all(db).await? {
        nodes.entry(column(&row, "builder_id")?).or_default().push(node(&row)?);
    }
    rows.iter()
        .map(|row| {
            let mut record = read(row)?;
            record.nodes = nodes.remove(&record.id).unwrap_or_default();
            Ok(record)
        })
        .collect()
}

pub(super) async fn find(db: &SqlitePool, id: &BuilderId) -> Result<Option<Record>, StorageError> {
    let sql = format!("{SELECT} WHERE b.id = ?");
    let Some(row) = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.as_str()).fetch_optional(db).await? else {
        return Ok(None);
    };
    let sql = "SELECT number, platform, endpoint FROM builder_nodes WHERE builder_id = ? ORDER BY number";
    let mut record = read(&row)?;
    record.nodes =
        sqlx::query(sql).bind(id.as_str()).fetch_all(db).await?.iter().map(node).collect::<Result<_, _>>()?;
    Ok(Some(record))
}

/// False: another builder has the name.
pub(super) async fn insert(
    tx: &mut Tx,
    id: &BuilderId,
    kind: BuilderKind,
    fields: &BuilderFields,
    now: i64,
) -> Result<bool, StorageError> {
    let sql = "INSERT INTO builders (id, name, kind, image, cpus, memory, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)";
    let done = sqlx::query(sql)
        .bind(id.as_str())
        .bind(&fields.name)
        .bind(kind.as_str())
        .bind(fields.image.to_string())
        .bind(fields.caps.cpus)
        .bind(fields.caps.memory)
        .bind(now)
        .execute(&mut **tx)
        .await;
    unless_taken(done)
}

/// False: another builder has the name.
pub(super) async fn update(tx: &mut Tx, id: &BuilderId, fields: &BuilderFields) -> Result<bool, StorageError> {
    let sql = "UPDATE builders SET name = ?, image = ?, cpus = ?, memory = ?, version = version + 1 WHERE id = ?";
    let done = sqlx::query(sql)
        .bind(&fields.name)
        .bind(fields.image.to_string())
        .bind(fields.caps.cpus)
        .bind(fields.caps.memory)
        .bind(id.as_str())
        .execute(&mut **tx)
        .await;
    unless_taken(done)
}

/// None: the builder was deleted, or has a machine for this platform.
pub(super) async fn insert_node(tx: &mut Tx, id: &BuilderId, fields: &NodeFields) -> Result<Option<u32>, StorageError> {
    let sql =
        "UPDATE builders SET next_node = next_node + 1, version = version + 1 WHERE id = ? RETURNING next_node - 1";
    let number: Option<u32> = sqlx::query_scalar(sql).bind(id.as_str()).fetch_optional(&mut **tx).await?;
    let Some(number) = number else { return Ok(None) };
    let done = sqlx::query("INSERT INTO builder_nodes (builder_id, number, platform, endpoint) VALUES (?, ?, ?, ?)")
        .bind(id.as_str())
        .bind(number)
        .bind(fields.platform.as_str())
        .bind(fields.endpoint.as_str())
        .execute(&mut **tx)
        .await;
    Ok(unless_taken(done)?.then_some(number))
}

pub(super) async fn delete_node(tx: &mut Tx, id: &BuilderId, number: u32) -> Result<(), StorageError> {
    sqlx::query("DELETE FROM builder_nodes WHERE builder_id = ? AND number = ?")
        .bind(id.as_str())
        .bind(number)
        .execute(&mut **tx)
        .await?;
    sqlx::query("UPDATE builders SET version = version + 1 WHERE id = ?").bind(id.as_str()).execute(&mut **tx).await?;
    Ok(())
}

pub(super) async fn delete(tx: &mut Tx, id: &BuilderId) -> Result<(), StorageError> {
    sqlx::query("DELETE FROM builders WHERE id = ?").bind(id.as_str()).execute(&mut **tx).await?;
    Ok(())
}

/// How many jobs that take a place of it are under way.
pub(super) async fn running(tx: &mut Tx, resource: &str) -> Result<i64, StorageError> {
    let sql = "SELECT count(*) FROM jobs WHERE resource = ? AND state = 'running'";
    Ok(sqlx::query_scalar(sql).bind(resource).fetch_one(&mut **tx).await?)
}

/// How many jobs take a place of it at once; None: no limit of its own.
pub(super) async fn limit<'e>(db: impl SqliteExecutor<'e>, resource: &str) -> Result<Option<u32>, StorageError> {
    let sql = "SELECT most FROM job_limits WHERE resource = ?";
    Ok(sqlx::query_scalar(sql).bind(resource).fetch_optional(db).await?)
}

fn read(row: &SqliteRow) -> Result<Record, StorageError> {
    Ok(Record {
        id: column(row, "id")?,
        name: row.try_get("name")?,
        kind: column(row, "kind")?,
        image: column(row, "image")?,
        caps: Caps { cpus: row.try_get("cpus")?, memory: row.try_get("memory")? },
        nodes: Vec::new(),
        limit: row.try_get("most")?,
        version: row.try_get("version")?,
    })
}

fn node(row: &SqliteRow) -> Result<BuilderNode, StorageError> {
    Ok(BuilderNode {
        number: row.try_get("number")?,
        platform: column(row, "platform")?,
        endpoint: column(row, "endpoint")?,
    })
}

fn unless_taken(done: Result<sqlx::sqlite::SqliteQueryResult, sqlx::Error>) -> Result<bool, StorageError> {
    match done {
        Ok(_) => Ok(true),
        Err(error) if is_taken(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
