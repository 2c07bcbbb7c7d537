//! The SQL of lists of tags.

use super::book::Entry;
use super::pass::Ending;
use super::state::Kept;
use super::store::read_kept;
use crate::providers::ListedTag;
use crate::storage::{StorageError, Tx, column, maybe_column, to_json};
use app::model::id::CredentialId;
use app::model::image_ref::{Digest, Repository, Tag};
use futures::TryStreamExt as _;
use sqlx::Row as _;
use sqlx::sqlite::{SqlitePool, SqliteRow};

/// Lists of tags that are kept; the least used ones go.
const LISTS: i64 = 500;

/// Whose view of which repository, in the database.
#[derive(Clone, Copy)]
pub(super) struct Shelfmark<'a> {
    pub credential: &'a CredentialId,
    /// Of the credential.
    pub version: i64,
    pub repository: &'a Repository,
}

/// A kept list with its tags by generation. None: there is none.
pub(super) async fn find(
    db: &SqlitePool,
    of: Shelfmark<'_>,
) -> Result<Option<(Kept, Vec<(ListedTag, i64)>)>, StorageError> {
    let row = sqlx::query(
        "SELECT t.* FROM image_tag_lists t JOIN image_lists l ON l.credential_id = t.credential_id
          WHERE t.credential_id = ? AND l.version = ? AND t.repository = ?",
    )
    .bind(of.credential.as_str())
    .bind(of.version)
    .bind(of.repository.as_str())
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let kept = read_kept(&row)?;
    let mut rows = sqlx::query(
        "SELECT name, generation, digest, at, size FROM image_tags WHERE credential_id = ? AND repository = ?",
    )
    .bind(of.credential.as_str())
    .bind(of.repository.as_str())
    .fetch(db);
    let mut tags = Vec::new();
    while let Some(row) = rows.try_next().await? {
        tags.push((read(&row)?, row.try_get("generation")?));
    }
    Ok(Some((kept, tags)))
}

fn read(row: &SqliteRow) -> Result<ListedTag, StorageError> {
    let size: Option<i64> = row.try_get("size")?;
    Ok(ListedTag {
        name: column(row, "name")?,
        digest: maybe_column(row, "digest")?,
        at: row.try_get("at")?,
        size: size.and_then(|size| u64::try_from(size).ok()),
    })
}

/// Begins a pass. The list of the credential must be there.
pub(super) async fn begin(tx: &mut Tx, of: Shelfmark<'_>, generation: i64, now: i64) -> Result<(), StorageError> {
    sqlx::query(
        "INSERT INTO image_tag_lists (credential_id, repository, generation, began_at, used_at) VALUES (?1, ?2, ?3, ?4, ?4)
         ON CONFLICT DO UPDATE SET generation = ?3, began_at = ?4, cursor = NULL, used_at = ?4",
    )
    .bind(of.credential.as_str())
    .bind(of.repository.as_str())
    .bind(generation)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Goes on with a pass. False: the list is gone.
pub(super) async fn go_on(tx: &mut Tx, of: Shelfmark<'_>, generation: i64, now: i64) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "UPDATE image_tag_lists SET used_at = ? WHERE credential_id = ? AND repository = ? AND generation = ?",
    )
    .bind(now)
    .bind(of.credential.as_str())
    .bind(of.repository.as_str())
    .bind(generation)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps a page and where the pass goes on. False: the list is gone.
pub(super) async fn keep_page(
    tx: &mut Tx,
    of: Shelfmark<'_>,
    generation: i64,
    page: &[ListedTag],
    cursor: Option<&str>,
) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "UPDATE image_tag_lists SET cursor = ? WHERE credential_id = ? AND repository = ? AND generation = ?
            AND EXISTS (SELECT 1 FROM image_lists l WHERE l.credential_id = image_tag_lists.credential_id AND version = ?)",
    )
    .bind(cursor)
    .bind(of.credential.as_str())
    .bind(of.repository.as_str())
    .bind(generation)
    .bind(of.version)
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let rows: Vec<_> = page
        .iter()
        .map(|tag| (tag.name.as_str(), tag.digest.as_ref().map(Digest::as_str), tag.at, tag.size.map(clamped)))
        .collect();
    // As in memory: what was learned of the same digest stays, of another one goes.
    sqlx::query(
        "INSERT INTO image_tags (credential_id, repository, name, generation, digest, at, size)
         SELECT ?1, ?2, value ->> 0, ?3, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?4) WHERE true
         ON CONFLICT DO UPDATE SET generation = excluded.generation,
            at = CASE WHEN excluded.digest <> coalesce(digest, '') THEN excluded.at ELSE coalesce(excluded.at, at) END,
            size = CASE WHEN excluded.digest <> coalesce(digest, '') THEN excluded.size ELSE coalesce(excluded.size, size) END,
            digest = coalesce(excluded.digest, digest)",
    )
    .bind(of.credential.as_str())
    .bind(of.repository.as_str())
    .bind(generation)
    .bind(to_json(&rows, "page of tags")?)
    .execute(&mut **tx)
    .await?;
    Ok(true)
}

/// Ends a pass; a whole one sweeps what it didn't see. False: the list is gone.
pub(super) async fn end(
    tx: &mut Tx,
    of: Shelfmark<'_>,
    generation: i64,
    ending: &Ending,
    now: i64,
) -> Result<bool, StorageError> {
    let set = match ending {
        Ending::Complete { .. } => "complete_at = ?1, problem = ?2, why_not = NULL, began_at = NULL, cursor = NULL",
        Ending::CannotList(_) => "why_not = ?2, problem = NULL, began_at = NULL, cursor = NULL",
        Ending::Failed { goes_on: true, .. } => "problem = ?2, why_not = NULL",
        Ending::Failed { goes_on: false, .. } => "problem = ?2, why_not = NULL, began_at = NULL, cursor = NULL",
    };
    let sql = format!(
        "UPDATE image_tag_lists SET asked_at = ?1, used_at = ?1, {set}
          WHERE credential_id = ?3 AND repository = ?4 AND generation = ?5"
    );
    let done = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(now)
        .bind(ending.words()?)
        .bind(of.credential.as_str())
        .bind(of.repository.as_str())
        .bind(generation)
        .execute(&mut **tx)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    if let Ending::Complete { is_whole: true } = ending {
        sqlx::query("DELETE FROM image_tags WHERE credential_id = ? AND repository = ? AND generation <> ?")
            .bind(of.credential.as_str())
            .bind(of.repository.as_str())
            .bind(generation)
            .execute(&mut **tx)
            .await?;
    }
    sqlx::query(
        "DELETE FROM image_tag_lists WHERE (credential_id, repository) IN
            (SELECT credential_id, repository FROM image_tag_lists ORDER BY used_at DESC, repository LIMIT -1 OFFSET ?)",
    )
    .bind(LISTS)
    .execute(&mut **tx)
    .await?;
    Ok(true)
}

/// Keeps what was found out about a tag.
pub(super) async fn learn(tx: &mut Tx, of: Shelfmark<'_>, tag: &Tag, known: &Entry) -> Result<(), StorageError> {
    sqlx::query(
        "UPDATE image_tags SET digest = ?, at = ?, size = ? WHERE credential_id = ? AND repository = ? AND name = ?",
    )
    .bind(known.digest.as_ref().map(Digest::as_str))
    .bind(known.at)
    .bind(known.size.map(clamped))
    .bind(of.credential.as_str())
    .bind(of.repository.as_str())
    .bind(tag.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn clamped(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
