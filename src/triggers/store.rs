//! The SQL of triggers and of what came to them.

use crate::storage::{StorageError, Tx, column, from_json, maybe_column, to_json};
use app::model::id::{BuildId, DeploymentId, ServiceId, TriggerId};
use app::model::trigger::{Delivery, Outcome, SHOWN, Trigger, TriggerFields};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteExecutor};

type Result<T> = std::result::Result<T, StorageError>;

/// Deliveries whose ids are remembered at least.
const KEPT: i64 = 2_000;
/// How long each is remembered at least, in milliseconds: longer than a signature is good.
const KEPT_MILLIS: i64 = 3_600_000;

fn trigger(row: &SqliteRow) -> Result<Trigger> {
    Ok(Trigger {
        id: column(row, "id")?,
        service: column(row, "service_id")?,
        enabled: row.try_get("enabled")?,
        deploys: row.try_get("deploys")?,
        branches: from_json(row.try_get("branches")?, "branches of a trigger")?,
        paths: from_json(row.try_get("paths")?, "paths of a trigger")?,
        created_at: row.try_get("created_at")?,
        refused: None,
    })
}

/// That of a service.
pub(super) async fn of_service<'e>(db: impl SqliteExecutor<'e>, service: &ServiceId) -> Result<Option<Trigger>> {
    let sql = "SELECT id, service_id, enabled, deploys, branches, paths, created_at FROM triggers WHERE service_id = ?";
    let row = sqlx::query(sql).bind(service.as_str()).fetch_optional(db).await?;
    row.as_ref().map(trigger).transpose()
}

/// One, unless its service is deleted.
pub(super) async fn find<'e>(db: impl SqliteExecutor<'e>, id: &TriggerId) -> Result<Option<Trigger>> {
    let row = sqlx::query(
        "SELECT t.id, t.service_id, t.enabled, t.deploys, t.branches, t.paths, t.created_at
           FROM triggers t JOIN services s ON s.id = t.service_id WHERE t.id = ? AND s.deleted_at IS NULL",
    )
    .bind(id.as_str())
    .fetch_optional(db)
    .await?;
    row.as_ref().map(trigger).transpose()
}

/// Adds the one of a service.
pub(super) async fn insert(
    tx: &mut Tx,
    id: &TriggerId,
    service: &ServiceId,
    fields: &TriggerFields,
    now: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO triggers (id, service_id, enabled, deploys, branches, paths, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id.as_str())
    .bind(service.as_str())
    .bind(fields.enabled)
    .bind(fields.deploys)
    .bind(to_json(&fields.branches, "branches of a trigger")?)
    .bind(to_json(&fields.paths, "paths of a trigger")?)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Changes the one of a service.
pub(super) async fn update(tx: &mut Tx, service: &ServiceId, fields: &TriggerFields) -> Result<()> {
    sqlx::query("UPDATE triggers SET enabled = ?, deploys = ?, branches = ?, paths = ? WHERE service_id = ?")
        .bind(fields.enabled)
        .bind(fields.deploys)
        .bind(to_json(&fields.branches, "branches of a trigger")?)
        .bind(to_json(&fields.paths, "paths of a trigger")?)
        .bind(service.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Takes the one of a service away, with what came to it. False: there is none.
pub(super) async fn delete(tx: &mut Tx, service: &ServiceId) -> Result<bool> {
    let done =
        sqlx::query("DELETE FROM triggers WHERE service_id = ?").bind(service.as_str()).execute(&mut **tx).await?;
    Ok(done.rows_affected() == 1)
}

/// What came last, newest first.
pub(super) async fn deliveries<'e>(db: impl SqliteExecutor<'e>, id: &TriggerId) -> Result<Vec<Delivery>> {
    let rows = sqlx::query(
        "SELECT t.delivery, t.at, t.host, t.event, t.outcome, t.reason, t.build_id, b.number AS build_number,
                t.deployment_id, d.number AS deployment_number
           FROM trigger_deliveries t LEFT JOIN builds b ON b.id = t.build_id LEFT JOIN deployments d ON d.id = t.deployment_id
          WHERE t.trigger_id = ? ORDER BY t.at DESC, t.delivery LIMIT ?",
    )
    .bind(id.as_str())
    .bind(SHOWN)
    .fetch_all(db)
    .await?;
    let delivery = |row: &SqliteRow| {
        let build: Option<BuildId> = maybe_column(row, "build_id")?;
        let deployment: Option<DeploymentId> = maybe_column(row, "deployment_id")?;
        Ok(Delivery {
            id: row.try_get("delivery")?,
            at: row.try_get("at")?,
            host: row.try_get("host")?,
            event: row.try_get("event")?,
            outcome: column(row, "outcome")?,
            reason: row.try_get("reason")?,
            build: build.zip(row.try_get("build_number")?),
            deployment: deployment.zip(row.try_get("deployment_number")?),
        })
    };
    rows.iter().map(delivery).collect()
}

/// What is written of a delivery.
pub(super) struct Came<'a> {
    pub trigger: &'a TriggerId,
    pub delivery: &'a str,
    pub at: i64,
    pub host: &'a str,
    pub event: &'a str,
    pub outcome: Outcome,
    pub reason: &'a str,
}

/// Takes a delivery. False: it came before, and what it asked for was done; one that failed may come again.
pub(super) async fn take(tx: &mut Tx, came: &Came<'_>) -> Result<bool> {
    let taken = sqlx::query(
        // Each is later than the one before, so that the list has one order.
        "INSERT INTO trigger_deliveries (trigger_id, delivery, at, host, event, outcome, reason)
         VALUES (?1, ?2, max(?3, coalesce((SELECT max(at) + 1 FROM trigger_deliveries WHERE trigger_id = ?1), 0)),
                 ?4, ?5, ?6, ?7)
         ON CONFLICT (trigger_id, delivery) DO UPDATE
            SET at = excluded.at, outcome = excluded.outcome, reason = excluded.reason
          WHERE trigger_deliveries.outcome = 'failed'",
    )
    .bind(came.trigger.as_str())
    .bind(came.delivery)
    .bind(came.at)
    .bind(came.host)
    .bind(came.event)
    .bind(came.outcome.as_str())
    .bind(came.reason)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "DELETE FROM trigger_deliveries WHERE trigger_id = ?1 AND at < ?2 AND delivery NOT IN
            (SELECT delivery FROM trigger_deliveries WHERE trigger_id = ?1 ORDER BY at DESC LIMIT ?3)",
    )
    .bind(came.trigger.as_str())
    .bind(came.at - KEPT_MILLIS)
    .bind(KEPT)
    .execute(&mut **tx)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// What a delivery began.
pub(super) async fn started(
    tx: &mut Tx,
    trigger: &TriggerId,
    delivery: &str,
    build: Option<&BuildId>,
    deployment: Option<&DeploymentId>,
) -> Result<()> {
    sqlx::query("UPDATE trigger_deliveries SET build_id = ?, deployment_id = ? WHERE trigger_id = ? AND delivery = ?")
        .bind(build.map(BuildId::as_str))
        .bind(deployment.map(DeploymentId::as_str))
        .bind(trigger.as_str())
        .bind(delivery)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
