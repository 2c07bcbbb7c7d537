//! SQL of what is known beside deployments: lamps, pins, the window, the pause, what was put back.

use crate::storage::{StorageError, Tx, from_json, parsed, to_json};
use app::error::Problem;
use app::model::build::CommitSha;
use app::model::id::{BuildId, DeploymentId, RegistryId, ServiceId};
use app::model::image_ref::{Digest, ImageRef};
use app::model::standing::{Held, Pause, Pin, PutBack, Readiness};
use sqlx::SqliteExecutor;

/// What a deployment's row says beside what it is.
#[derive(Debug)]
pub(super) struct Marks {
    pub id: DeploymentId,
    pub pin: Option<Pin>,
    pub put_back: Option<PutBack>,
}

/// A finished build that waits because its service is paused.
#[derive(Debug)]
pub(super) struct Waiting {
    pub held: Held,
    pub image: ImageRef,
    pub registry: RegistryId,
    pub commit: CommitSha,
}

type MarksRow = (String, Option<i64>, Option<String>, Option<String>, Option<i64>, Option<i64>);

/// Pins of a service's deployments, and what was put back.
pub(super) async fn marks<'e>(db: impl SqliteExecutor<'e>, service: &ServiceId) -> Result<Vec<Marks>, StorageError> {
    let rows: Vec<MarksRow> = sqlx::query_as(
        "SELECT d.id, d.pinned_at, d.pinned_by, p.id, p.number, d.put_back_at
           FROM deployments d LEFT JOIN deployments p ON p.id = d.put_back
          WHERE d.service_id = ? ORDER BY d.number DESC",
    )
    .bind(service.as_str())
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(id, pinned, by, back, number, at)| {
            let back = back.map(|id| parsed(&id, "deployment id")).transpose()?;
            Ok(Marks {
                id: parsed(&id, "deployment id")?,
                pin: pinned.map(|at| Pin { by: by.unwrap_or_default(), at }),
                put_back: back.zip(number).map(|(id, number)| PutBack { id, number, at }),
            })
        })
        .collect()
}

/// How many deployments of a service stay ready.
pub(super) async fn keep<'e>(db: impl SqliteExecutor<'e>, service: &ServiceId) -> Result<u32, StorageError> {
    let keep = sqlx::query_scalar::<_, i64>("SELECT keep FROM services WHERE id = ?");
    let found = keep.bind(service.as_str()).fetch_optional(db).await?;
    Ok(found.and_then(|keep| u32::try_from(keep).ok()).unwrap_or_default())
}

/// False: the service is deleted.
pub(super) async fn set_keep(tx: &mut Tx, service: &ServiceId, keep: u32) -> Result<bool, StorageError> {
    let done = sqlx::query("UPDATE services SET keep = ? WHERE id = ? AND deleted_at IS NULL")
        .bind(keep)
        .bind(service.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Pins, or unpins with None.
pub(super) async fn set_pin(tx: &mut Tx, id: &DeploymentId, pin: Option<&Pin>) -> Result<(), StorageError> {
    sqlx::query("UPDATE deployments SET pinned_at = ?, pinned_by = ? WHERE id = ?")
        .bind(pin.map(|pin| pin.at))
        .bind(pin.map(|pin| pin.by.as_str()))
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// From now on what nobody asks for by hand isn't deployed; one that is paused already stays so since then.
pub(super) async fn pause(tx: &mut Tx, service: &ServiceId, by: &DeploymentId, now: i64) -> Result<(), StorageError> {
    sqlx::query("UPDATE services SET paused_at = coalesce(paused_at, ?), paused_for = ? WHERE id = ?")
        .bind(now)
        .bind(by.as_str())
        .bind(service.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Ends a pause. False: there was none.
pub(super) async fn resume(tx: &mut Tx, service: &ServiceId) -> Result<bool, StorageError> {
    let sql = "UPDATE services SET paused_at = NULL, paused_for = NULL WHERE id = ? AND paused_at IS NOT NULL";
    Ok(sqlx::query(sql).bind(service.as_str()).execute(&mut **tx).await?.rows_affected() == 1)
}

/// Whether a service is paused.
pub(super) async fn is_paused<'e>(db: impl SqliteExecutor<'e>, service: &ServiceId) -> Result<bool, StorageError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM services WHERE id = ? AND paused_at IS NOT NULL)";
    Ok(sqlx::query_scalar(sql).bind(service.as_str()).fetch_one(db).await?)
}

/// The live services that are paused, each with since when.
pub(super) async fn paused<'e>(db: impl SqliteExecutor<'e>) -> Result<Vec<(ServiceId, i64)>, StorageError> {
    let sql = "SELECT id, paused_at FROM services WHERE paused_at IS NOT NULL AND deleted_at IS NULL ORDER BY id";
    let rows: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(db).await?;
    rows.into_iter().map(|(id, at)| Ok((parsed(&id, "service id")?, at))).collect()
}

/// A service's pause, without what waits.
pub(super) async fn find_pause<'e>(
    db: impl SqliteExecutor<'e>,
    service: &ServiceId,
) -> Result<Option<Pause>, StorageError> {
    type Row = (i64, Option<String>, Option<String>, Option<i64>);
    let row: Option<Row> = sqlx::query_as(
        "SELECT s.paused_at, d.asked_by, json_extract(d.origin, '$.to'), json_extract(d.origin, '$.number')
           FROM services s LEFT JOIN deployments d ON d.id = s.paused_for
          WHERE s.id = ? AND s.paused_at IS NOT NULL",
    )
    .bind(service.as_str())
    .fetch_optional(db)
    .await?;
    row.map(|(since, by, to, number)| {
        let to = to.map(|id| parsed(&id, "deployment id")).transpose()?.zip(number);
        Ok(Pause { since, by: by.unwrap_or_default(), to, next: None })
    })
    .transpose()
}

#[derive(sqlx::FromRow)]
struct WaitingRow {
    id: String,
    number: i64,
    commit_subject: Option<String>,
    reference: String,
    digest: String,
    registry_id: String,
    commit_sha: String,
}

/// The newest build that was to be deployed and wasn't, if nothing newer was.
pub(super) async fn waiting<'e>(
    db: impl SqliteExecutor<'e>,
    service: &ServiceId,
) -> Result<Option<Waiting>, StorageError> {
    let row: Option<WaitingRow> = sqlx::query_as(
        "SELECT b.id, b.number, b.commit_subject, b.reference, b.digest, b.registry_id, b.commit_sha
           FROM builds b JOIN jobs j ON j.id = b.job_id
          WHERE b.service_id = ?1 AND b.deploys = 1 AND j.state = 'succeeded'
            AND b.reference IS NOT NULL AND b.digest IS NOT NULL AND b.commit_sha IS NOT NULL
            AND b.number > coalesce((SELECT max(o.number) FROM builds o JOIN deployments d ON d.from_build = o.id
                                      WHERE o.service_id = ?1), 0)
          ORDER BY b.number DESC LIMIT 1",
    )
    .bind(service.as_str())
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        let reference: ImageRef = parsed(&row.reference, "image")?;
        let digest: Digest = parsed(&row.digest, "digest")?;
        Ok(Waiting {
            held: Held {
                build: parsed::<BuildId>(&row.id, "build id")?,
                number: row.number,
                subject: row.commit_subject,
            },
            image: ImageRef { digest: Some(digest), ..reference },
            registry: parsed(&row.registry_id, "registry id")?,
            commit: parsed(&row.commit_sha, "commit id")?,
        })
    })
    .transpose()
}

/// Why a deployment was given up, before anything of it was undone.
pub(super) async fn gave_up<'e>(
    db: impl SqliteExecutor<'e>,
    id: &DeploymentId,
) -> Result<Option<Problem>, StorageError> {
    let json: Option<Option<String>> =
        sqlx::query_scalar("SELECT gave_up FROM deployments WHERE id = ?").bind(id.as_str()).fetch_optional(db).await?;
    json.flatten().map(|json| from_json(&json, "problem")).transpose()
}

/// Notes why a deployment is given up. The first reason stays.
pub(super) async fn give_up(tx: &mut Tx, id: &DeploymentId, problem: &Problem) -> Result<(), StorageError> {
    sqlx::query("UPDATE deployments SET gave_up = coalesce(gave_up, ?) WHERE id = ?")
        .bind(to_json(problem, "problem")?)
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Notes that `previous` is being put back for a deployment.
pub(super) async fn putting_back(tx: &mut Tx, id: &DeploymentId, previous: &DeploymentId) -> Result<(), StorageError> {
    sqlx::query("UPDATE deployments SET put_back = ? WHERE id = ?")
        .bind(previous.as_str())
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Notes that what is being put back for a deployment runs again. False: nothing is.
pub(super) async fn was_put_back(tx: &mut Tx, id: &DeploymentId, now: i64) -> Result<bool, StorageError> {
    let sql = "UPDATE deployments SET put_back_at = ? WHERE id = ? AND put_back IS NOT NULL AND put_back_at IS NULL";
    Ok(sqlx::query(sql).bind(now).bind(id.as_str()).execute(&mut **tx).await?.rows_affected() == 1)
}

/// What was found out about deployments before a restart.
pub(super) async fn readiness<'e>(db: impl SqliteExecutor<'e>) -> Result<Vec<(DeploymentId, Readiness)>, StorageError> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT deployment_id, report FROM readiness").fetch_all(db).await?;
    rows.into_iter().map(|(id, json)| Ok((parsed(&id, "deployment id")?, from_json(&json, "readiness")?))).collect()
}

/// Keeps what was found out about a deployment.
pub(super) async fn keep_readiness(tx: &mut Tx, id: &DeploymentId, found: &Readiness) -> Result<(), StorageError> {
    sqlx::query(
        "INSERT INTO readiness (deployment_id, report, at) VALUES (?, ?, ?)
         ON CONFLICT (deployment_id) DO UPDATE SET report = excluded.report, at = excluded.at",
    )
    .bind(id.as_str())
    .bind(to_json(found, "readiness")?)
    .bind(found.at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Forgets what was found out about a deployment.
pub(super) async fn forget_readiness(tx: &mut Tx, id: &DeploymentId) -> Result<(), StorageError> {
    sqlx::query("DELETE FROM readiness WHERE deployment_id = ?").bind(id.as_str()).execute(&mut **tx).await?;
    Ok(())
}
