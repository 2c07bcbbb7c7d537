//! The SQL of lists of repositories.
//!
//! A pass writes under its generation and the credential's version; a row count of zero says that the credential changed or
//! went, and the pass ends without a trace.

use super::pass::Ending;
use super::state::{Kept, Progress};
use crate::providers::ListedRepository;
use crate::storage::{StorageError, Tx, column, from_json, to_json};
use app::model::id::CredentialId;
use futures::TryStreamExt as _;
use sqlx::Row as _;
use sqlx::sqlite::{SqlitePool, SqliteRow};

pub(super) fn read_kept(row: &SqliteRow) -> Result<Kept, StorageError> {
    let problem: Option<&str> = row.try_get("problem")?;
    let began_at: Option<i64> = row.try_get("began_at")?;
    let cursor: Option<String> = row.try_get("cursor")?;
    Ok(Kept {
        generation: row.try_get("generation")?,
        under_way: began_at.map(|began_at| Progress { began_at, cursor }),
        complete_at: row.try_get("complete_at")?,
        asked_at: row.try_get("asked_at")?,
        problem: problem.map(|text| from_json(text, "problem of a list of images")).transpose()?,
        why_not: row.try_get("why_not")?,
    })
}

/// All kept lists with the credential and its version.
pub(super) async fn lists(db: &SqlitePool) -> Result<Vec<(CredentialId, i64, Kept)>, StorageError> {
    let rows = sqlx::query("SELECT * FROM image_lists").fetch_all(db).await?;
    rows.iter().map(|row| Ok((column(row, "credential_id")?, row.try_get("version")?, read_kept(row)?))).collect()
}

/// The kept list of a credential, made anew if there is none or it belongs to an older version. None: no such credential.
pub(super) async fn open(tx: &mut Tx, credential: &CredentialId, version: i64) -> Result<Option<Kept>, StorageError> {
    sqlx::query("DELETE FROM image_lists WHERE credential_id = ? AND version <> ?")
        .bind(credential.as_str())
        .bind(version)
        .execute(&mut **tx)
        .await?;
    sqlx::query(
        "INSERT INTO image_lists (credential_id, version) SELECT id, version FROM credentials WHERE id = ? AND version = ?
         ON CONFLICT DO NOTHING",
    )
    .bind(credential.as_str())
    .bind(version)
    .execute(&mut **tx)
    .await?;
    let row = sqlx::query("SELECT * FROM image_lists WHERE credential_id = ? AND version = ?")
        .bind(credential.as_str())
        .bind(version)
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(read_kept).transpose()
}

/// Names in order, with generation and description, one by one.
pub(super) async fn each_name(
    db: &SqlitePool,
    credential: &CredentialId,
    mut each: impl FnMut(&str, i64, Option<&str>),
) -> Result<(), StorageError> {
    let mut rows =
        sqlx::query("SELECT name, generation, about FROM image_repositories WHERE credential_id = ? ORDER BY name")
            .bind(credential.as_str())
            .fetch(db);
    while let Some(row) = rows.try_next().await? {
        each(row.try_get("name")?, row.try_get("generation")?, row.try_get("about")?);
    }
    Ok(())
}

/// Begins a pass. False: the credential changed.
pub(super) async fn begin(
    tx: &mut Tx,
    credential: &CredentialId,
    version: i64,
    generation: i64,
    now: i64,
) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "UPDATE image_lists SET generation = ?, began_at = ?, cursor = NULL WHERE credential_id = ? AND version = ?",
    )
    .bind(generation)
    .bind(now)
    .bind(credential.as_str())
    .bind(version)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps a page and where the pass goes on. False: the credential changed.
pub(super) async fn keep_page(
    tx: &mut Tx,
    credential: &CredentialId,
    version: i64,
    generation: i64,
    page: &[ListedRepository],
    cursor: Option<&str>,
) -> Result<bool, StorageError> {
    let done =
        sqlx::query("UPDATE image_lists SET cursor = ? WHERE credential_id = ? AND version = ? AND generation = ?")
            .bind(cursor)
            .bind(credential.as_str())
            .bind(version)
            .bind(generation)
            .execute(&mut **tx)
            .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let rows: Vec<(&str, Option<&str>)> = page.iter().map(|item| (item.name.as_str(), item.about.as_deref())).collect();
    // One statement for the whole page; "WHERE true" keeps SQLite from reading ON as a join.
    sqlx::query(
        "INSERT INTO image_repositories (credential_id, name, generation, about)
         SELECT ?1, value ->> 0, ?2, value ->> 1 FROM json_each(?3) WHERE true
         ON CONFLICT DO UPDATE SET generation = excluded.generation, about = excluded.about",
    )
    .bind(credential.as_str())
    .bind(generation)
    .bind(to_json(&rows, "page of repositories")?)
    .execute(&mut **tx)
    .await?;
    Ok(true)
}

/// Ends a pass; a whole one sweeps what it didn't see. False: the credential changed.
pub(super) async fn end(
    tx: &mut Tx,
    credential: &CredentialId,
    version: i64,
    generation: i64,
    ending: &Ending,
    now: i64,
) -> Result<bool, StorageError> {
    let sql = match ending {
        Ending::Complete { .. } => {
            "UPDATE image_lists SET asked_at = ?1, complete_at = ?1, problem = ?2, why_not = NULL, began_at = NULL,
                    cursor = NULL WHERE credential_id = ?3 AND version = ?4 AND generation = ?5"
        }
        Ending::CannotList(_) => {
            "UPDATE image_lists SET asked_at = ?1, why_not = ?2, problem = NULL, began_at = NULL, cursor = NULL
              WHERE credential_id = ?3 AND version = ?4 AND generation = ?5"
        }
        Ending::Failed { goes_on: true, .. } => {
            "UPDATE image_lists SET asked_at = ?1, problem = ?2, why_not = NULL
              WHERE credential_id = ?3 AND version = ?4 AND generation = ?5"
        }
        Ending::Failed { goes_on: false, .. } => {
            "UPDATE image_lists SET asked_at = ?1, problem = ?2, why_not = NULL, began_at = NULL, cursor = NULL
              WHERE credential_id = ?3 AND version = ?4 AND generation = ?5"
        }
    };
    let done = sqlx::query(sql)
        .bind(now)
        .bind(ending.words()?)
        .bind(credential.as_str())
        .bind(version)
        .bind(generation)
        .execute(&mut **tx)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    if let Ending::Complete { is_whole: true } = ending {
        sqlx::query("DELETE FROM image_repositories WHERE credential_id = ? AND generation <> ?")
            .bind(credential.as_str())
            .bind(generation)
            .execute(&mut **tx)
            .await?;
    }
    Ok(true)
}
