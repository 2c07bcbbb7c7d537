//! The rows of what is kept of a build beside its log.

use crate::storage::{StorageError, Tx, from_json, to_json};
use app::model::build_record::BuildRecord;
use app::model::id::{BuildId, ServiceId};
use sqlx::SqliteExecutor;

/// Steps of a service whose time is kept; those that no build had for longest go.
const STEPS: i64 = 500;
/// Builds of a service whose attestations are kept; the registry has those of all.
const ATTESTED: i64 = 20;

/// What came out.
pub(super) async fn record_outcome(tx: &mut Tx, id: &BuildId, record: &BuildRecord) -> Result<(), StorageError> {
    sqlx::query("UPDATE builds SET record = ? WHERE id = ?")
        .bind(to_json(record, "record of a build")?)
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// How long cached steps took when they last ran: how many of them are known, and their sum. They count as used now.
pub(super) async fn saved(
    tx: &mut Tx,
    service: &ServiceId,
    cached: &[String],
    now: i64,
) -> Result<(i64, Option<i64>), StorageError> {
    let cached = to_json(&cached, "list of steps")?;
    sqlx::query(
        "UPDATE step_times SET used = ? WHERE service_id = ? AND step IN (SELECT DISTINCT value FROM json_each(?))",
    )
    .bind(now)
    .bind(service.as_str())
    .bind(&cached)
    .execute(&mut **tx)
    .await?;
    let found = sqlx::query_as(
        "SELECT count(*), sum(took) FROM json_each(?) AS cached
           JOIN step_times ON service_id = ? AND step = cached.value",
    )
    .bind(&cached)
    .bind(service.as_str())
    .fetch_one(&mut **tx)
    .await?;
    Ok(found)
}

/// Keeps how long steps took.
pub(super) async fn record_times(
    tx: &mut Tx,
    service: &ServiceId,
    ran: &[(String, i64)],
    now: i64,
) -> Result<(), StorageError> {
    sqlx::query(
        "INSERT INTO step_times (service_id, step, took, used)
         SELECT ?1, value ->> 0, max(0, value ->> 1), ?3 FROM json_each(?2) WHERE true
         ON CONFLICT DO UPDATE SET took = excluded.took, used = excluded.used",
    )
    .bind(service.as_str())
    .bind(to_json(&ran, "list of steps")?)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "DELETE FROM step_times WHERE service_id = ?1 AND step IN
            (SELECT step FROM step_times WHERE service_id = ?1 ORDER BY used DESC, step LIMIT -1 OFFSET ?2)",
    )
    .bind(service.as_str())
    .bind(STEPS)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps a build's statements, by their place in its record, and forgets those of builds long ago.
pub(super) async fn record_statements(
    tx: &mut Tx,
    id: &BuildId,
    statements: &[(usize, String)],
) -> Result<(), StorageError> {
    for (position, statement) in statements {
        sqlx::query("INSERT OR REPLACE INTO attestations (build_id, position, statement) VALUES (?, ?, ?)")
            .bind(id.as_str())
            .bind(i64::try_from(*position).unwrap_or(i64::MAX))
            .bind(statement)
            .execute(&mut **tx)
            .await?;
    }
    sqlx::query(
        "DELETE FROM attestations WHERE build_id IN
            (SELECT id FROM builds WHERE service_id = (SELECT service_id FROM builds WHERE id = ?)
                AND id IN (SELECT build_id FROM attestations) ORDER BY number DESC LIMIT -1 OFFSET ?)",
    )
    .bind(id.as_str())
    .bind(ATTESTED)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A statement; None: it isn't kept.
pub(super) async fn statement<'e>(
    db: impl SqliteExecutor<'e>,
    id: &BuildId,
    position: usize,
) -> Result<Option<String>, StorageError> {
    let found = sqlx::query_scalar("SELECT statement FROM attestations WHERE build_id = ? AND position = ?")
        .bind(id.as_str())
        .bind(i64::try_from(position).unwrap_or(i64::MAX))
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Services that were not deleted.
pub(super) async fn services<'e>(db: impl SqliteExecutor<'e>) -> Result<Vec<String>, StorageError> {
    Ok(sqlx::query_scalar("SELECT id FROM services WHERE deleted_at IS NULL").fetch_all(db).await?)
}

/// The record as it is stored; the default where there is none.
pub(super) async fn record<'e>(db: impl SqliteExecutor<'e>, id: &BuildId) -> Result<BuildRecord, StorageError> {
    let found: Option<String> =
        sqlx::query_scalar("SELECT record FROM builds WHERE id = ?").bind(id.as_str()).fetch_one(db).await?;
    Ok(found.map(|text| from_json(&text, "record of a build")).transpose()?.unwrap_or_default())
}
