//! The SQL of what stands behind digests.

use super::store_tags::Shelfmark;
use crate::storage::{StorageError, Tx};
use app::model::image_ref::Digest;
use sqlx::Row as _;
use sqlx::sqlite::SqlitePool;

/// Images that are kept, and bytes for all of them; the least used ones go.
const IMAGES: i64 = 2_000;
const BYTES: i64 = 64 * 1024 * 1024;

/// What is kept about a digest, as JSON, and when that was used last.
pub(super) async fn find(
    db: &SqlitePool,
    of: Shelfmark<'_>,
    digest: &Digest,
) -> Result<Option<(String, i64)>, StorageError> {
    let row = sqlx::query(
        "SELECT m.details, m.used_at FROM image_manifests m JOIN image_lists l ON l.credential_id = m.credential_id
          WHERE m.credential_id = ? AND l.version = ? AND m.repository = ? AND m.digest = ?",
    )
    .bind(of.credential.as_str())
    .bind(of.version)
    .bind(of.repository.as_str())
    .bind(digest.as_str())
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Ok::<_, sqlx::Error>((row.try_get("details")?, row.try_get("used_at")?))).transpose()?)
}

/// Keeps it and lets the least used ones go. The list of the credential must be there.
pub(super) async fn keep(
    tx: &mut Tx,
    of: Shelfmark<'_>,
    digest: &Digest,
    details: &str,
    now: i64,
) -> Result<(), StorageError> {
    sqlx::query(
        "INSERT INTO image_manifests (credential_id, repository, digest, details, bytes, used_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET details = ?4, bytes = ?5, used_at = ?6",
    )
    .bind(of.credential.as_str())
    .bind(of.repository.as_str())
    .bind(digest.as_str())
    .bind(details)
    .bind(i64::try_from(details.len()).unwrap_or(i64::MAX))
    .bind(now)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "DELETE FROM image_manifests WHERE rowid IN (
            SELECT rowid FROM (SELECT rowid, row_number() OVER used AS place, sum(bytes) OVER used AS total
                                 FROM image_manifests WINDOW used AS (ORDER BY used_at DESC, rowid DESC ROWS UNBOUNDED PRECEDING))
             WHERE place > ? OR total > ?)",
    )
    .bind(IMAGES)
    .bind(BYTES)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// It was looked at.
pub(super) async fn touch(tx: &mut Tx, of: Shelfmark<'_>, digest: &Digest, now: i64) -> Result<(), StorageError> {
    sqlx::query("UPDATE image_manifests SET used_at = ? WHERE credential_id = ? AND repository = ? AND digest = ?")
        .bind(now)
        .bind(of.credential.as_str())
        .bind(of.repository.as_str())
        .bind(digest.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}
