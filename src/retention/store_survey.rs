//! SQL of looks at registries.

use super::judge::Known;
use crate::storage::{StorageError, Tx, maybe_column, to_json};
use app::model::id::RegistryId;
use app::model::image_ref::Digest;
use sqlx::{Row as _, SqliteExecutor};
use std::collections::{BTreeSet, HashMap};

/// A repository in a look.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) registry: &'a RegistryId,
    pub(super) repository: &'a str,
    pub(super) generation: i64,
}

/// A tag that is known.
pub(super) struct KnownTag {
    pub(super) digest: Option<Digest>,
    pub(super) generation: i64,
}

/// Begins a look; its generation.
pub(super) async fn begin(tx: &mut Tx, registry: &RegistryId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "INSERT INTO retention_looks (registry_id, generation) VALUES (?, 1)
         ON CONFLICT DO UPDATE SET generation = generation + 1 RETURNING generation",
    )
    .bind(registry.as_str())
    .fetch_one(&mut **tx)
    .await
}

/// A repository was seen; with a problem, what is known of it stays as it is.
pub(super) async fn keep_repository(tx: &mut Tx, at: Place<'_>, problem: Option<&str>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO retention_repositories (registry_id, repository, generation, problem) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET generation = excluded.generation, problem = excluded.problem",
    )
    .bind(at.registry.as_str())
    .bind(at.repository)
    .bind(at.generation)
    .bind(problem)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What is known of a repository's tags.
pub(super) async fn tags_of<'e>(
    db: impl SqliteExecutor<'e>,
    at: Place<'_>,
) -> Result<HashMap<String, KnownTag>, StorageError> {
    let sql = "SELECT tag, digest, generation FROM retention_tags WHERE registry_id = ? AND repository = ?";
    let rows = sqlx::query(sql).bind(at.registry.as_str()).bind(at.repository).fetch_all(db).await?;
    rows.iter()
        .map(|row| {
            let known = KnownTag { digest: maybe_column(row, "digest")?, generation: row.try_get("generation")? };
            Ok((row.try_get("tag")?, known))
        })
        .collect()
}

/// Keeps where tags lead to.
pub(super) async fn keep_tags(
    tx: &mut Tx,
    at: Place<'_>,
    tags: &[(String, Option<Digest>)],
    now: i64,
) -> Result<(), StorageError> {
    sqlx::query(
        "INSERT INTO retention_tags (registry_id, repository, tag, generation, digest, first_seen)
         SELECT ?1, ?2, value ->> 0, ?3, value ->> 1, ?4 FROM json_each(?5) WHERE true
         ON CONFLICT DO UPDATE SET generation = excluded.generation, digest = excluded.digest,
            first_seen = CASE WHEN digest IS excluded.digest THEN first_seen ELSE excluded.first_seen END",
    )
    .bind(at.registry.as_str())
    .bind(at.repository)
    .bind(at.generation)
    .bind(now)
    .bind(to_json(&tags, "page of tags")?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// These images are wanted; those that aren't known yet are unread.
pub(super) async fn want_images(tx: &mut Tx, at: Place<'_>, digests: &BTreeSet<String>) -> Result<(), StorageError> {
    sqlx::query(
        "INSERT INTO retention_images (registry_id, repository, digest, generation, state)
         SELECT r.registry_id, r.repository, value, ?3, 'unread' FROM json_each(?4), retention_repositories r
          WHERE r.registry_id = ?1 AND r.repository = ?2
         ON CONFLICT DO UPDATE SET generation = excluded.generation",
    )
    .bind(at.registry.as_str())
    .bind(at.repository)
    .bind(at.generation)
    .bind(to_json(digests, "digests")?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How much is known of each image.
pub(super) async fn states<'e>(
    db: impl SqliteExecutor<'e>,
    at: Place<'_>,
) -> Result<Vec<(String, String)>, StorageError> {
    let sql = "SELECT digest, state FROM retention_images WHERE registry_id = ? AND repository = ? ORDER BY digest";
    Ok(sqlx::query_as(sql).bind(at.registry.as_str()).bind(at.repository).fetch_all(db).await?)
}

/// Keeps what images are made of.
pub(super) async fn keep_images(tx: &mut Tx, at: Place<'_>, images: &HashMap<&str, Known>) -> Result<(), sqlx::Error> {
    for (digest, known) in images {
        let (state, content) = match known {
            Known::Content(content) => ("known", Some(content.as_bytes())),
            Known::Gone => ("gone", None),
            Known::Unread => ("unread", None),
        };
        sqlx::query(
            "UPDATE retention_images SET state = ?, content = ?
              WHERE registry_id = ? AND repository = ? AND digest = ?",
        )
        .bind(state)
        .bind(content)
        .bind(at.registry.as_str())
        .bind(at.repository)
        .bind(digest)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Ends a whole look: what it didn't see goes, but where it couldn't read. One that was broken off and overtaken by another
/// takes nothing away.
pub(super) async fn end(tx: &mut Tx, registry: &RegistryId, generation: i64, began: i64) -> Result<(), sqlx::Error> {
    let newest: Option<i64> = sqlx::query_scalar("SELECT generation FROM retention_looks WHERE registry_id = ?")
        .bind(registry.as_str())
        .fetch_optional(&mut **tx)
        .await?;
    if newest != Some(generation) {
        return Ok(());
    }
    for sql in [
        "DELETE FROM retention_repositories WHERE registry_id = ? AND generation <> ?",
        "DELETE FROM retention_tags WHERE registry_id = ?1 AND generation <> ?2 AND repository IN
            (SELECT repository FROM retention_repositories WHERE registry_id = ?1 AND problem IS NULL)",
        "DELETE FROM retention_images WHERE registry_id = ?1 AND generation <> ?2 AND repository IN
            (SELECT repository FROM retention_repositories WHERE registry_id = ?1 AND problem IS NULL)",
    ] {
        sqlx::query(sql).bind(registry.as_str()).bind(generation).execute(&mut **tx).await?;
    }
    sqlx::query("UPDATE retention_looks SET as_of = ? WHERE registry_id = ?")
        .bind(began)
        .bind(registry.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}
