//! SQL of the trash: tags that were deleted, and their manifests byte for byte.

use crate::oci::Manifest;
use crate::storage::{StorageError, Tx, column, from_json, maybe_column, to_json};
use app::error::Problem;
use app::model::id::{JobId, RegistryId, TrashId};
use app::model::image_ref::{Digest, Repository, Tag};
use app::model::trash::{TrashState, Trashed};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteExecutor};

/// A row of the trash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub id: TrashId,
    pub registry: RegistryId,
    pub repository: Repository,
    pub tag: Tag,
    pub digest: Digest,
    /// All manifests that it led to, itself last.
    pub manifests: Vec<Digest>,
    pub size: u64,
    pub at: i64,
    pub until: i64,
    pub by: String,
    /// The run that deleted it.
    pub run: JobId,
    pub state: TrashState,
    /// What was, or is about to be, put in the tag's place.
    pub stand_in: Option<Digest>,
    pub trouble: Option<Problem>,
    pub job: Option<JobId>,
}

impl Entry {
    /// For people.
    pub fn shown(self) -> Trashed {
        Trashed {
            id: self.id,
            registry: self.registry,
            repository: self.repository,
            tag: self.tag.to_string(),
            digest: self.digest,
            size: self.size,
            at: self.at,
            until: self.until,
            by: self.by,
            state: self.state,
            trouble: self.trouble,
            job: self.job,
        }
    }
}

const COLUMNS: &str = "SELECT id, registry_id, repository, tag, digest, manifests, size, deleted_at, until, deleted_by, run_id, \
                       state, stand_in, trouble, job_id FROM trash";

fn entry(row: &SqliteRow) -> Result<Entry, StorageError> {
    let trouble: Option<String> = row.try_get("trouble")?;
    Ok(Entry {
        id: column(row, "id")?,
        registry: column(row, "registry_id")?,
        repository: column(row, "repository")?,
        tag: column(row, "tag")?,
        digest: column(row, "digest")?,
        manifests: from_json(row.try_get("manifests")?, "manifests of the trash")?,
        size: row.try_get::<i64, _>("size")?.try_into().unwrap_or_default(),
        at: row.try_get("deleted_at")?,
        until: row.try_get("until")?,
        by: row.try_get("deleted_by")?,
        run: column(row, "run_id")?,
        state: column(row, "state")?,
        stand_in: maybe_column(row, "stand_in")?,
        trouble: trouble.map(|json| from_json(&json, "problem of the trash")).transpose()?,
        job: maybe_column(row, "job_id")?,
    })
}

/// What of a registry is in one of these states, newest first.
pub(super) async fn list<'e>(db: impl SqliteExecutor<'e>, registry: &RegistryId) -> Result<Vec<Entry>, StorageError> {
    let sql = format!("{COLUMNS} WHERE registry_id = ? ORDER BY deleted_at DESC, rowid DESC");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(registry.as_str()).fetch_all(db).await?;
    rows.iter().map(entry).collect()
}

/// One.
pub(super) async fn find<'e>(db: impl SqliteExecutor<'e>, id: &TrashId) -> Result<Option<Entry>, StorageError> {
    let sql = format!("{COLUMNS} WHERE id = ?");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.as_str()).fetch_optional(db).await?;
    row.as_ref().map(entry).transpose()
}

/// Registries with something whose time is over.
pub(super) async fn due<'e>(db: impl SqliteExecutor<'e>, now: i64) -> Result<Vec<RegistryId>, StorageError> {
    let sql = "SELECT DISTINCT registry_id FROM trash WHERE state = 'expiring' OR (state = 'kept' AND until <= ?)";
    let rows = sqlx::query(sql).bind(now).fetch_all(db).await?;
    rows.iter().map(|row| column(row, "registry_id")).collect()
}

/// Writes a row and its manifests.
pub(super) async fn insert(tx: &mut Tx, new: &Entry, manifests: &[Manifest]) -> Result<(), StorageError> {
    sqlx::query(
        "INSERT INTO trash (id, registry_id, repository, tag, digest, manifests, size, deleted_at, until, deleted_by, run_id,
                            state)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(new.id.as_str())
    .bind(new.registry.as_str())
    .bind(new.repository.as_str())
    .bind(new.tag.as_str())
    .bind(new.digest.as_str())
    .bind(to_json(&new.manifests, "manifests of the trash")?)
    .bind(i64::try_from(new.size).unwrap_or(i64::MAX))
    .bind(new.at)
    .bind(new.until)
    .bind(&new.by)
    .bind(new.run.as_str())
    .bind(new.state.as_str())
    .execute(&mut **tx)
    .await?;
    for manifest in manifests {
        sqlx::query(
            "INSERT INTO trash_manifests (registry_id, repository, digest, media_type, bytes) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT DO NOTHING",
        )
        .bind(new.registry.as_str())
        .bind(new.repository.as_str())
        .bind(manifest.digest.as_str())
        .bind(&manifest.media_type)
        .bind(&manifest.bytes)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// The kept bytes of a row, those that others lead to first.
pub(super) async fn manifests<'e>(
    db: impl SqliteExecutor<'e> + Copy,
    of: &Entry,
) -> Result<Vec<Manifest>, StorageError> {
    let mut found = Vec::new();
    for digest in &of.manifests {
        let row = sqlx::query(
            "SELECT media_type, bytes FROM trash_manifests WHERE registry_id = ? AND repository = ? AND digest = ?",
        )
        .bind(of.registry.as_str())
        .bind(of.repository.as_str())
        .bind(digest.as_str())
        .fetch_one(db)
        .await?;
        found.push(Manifest {
            digest: digest.clone(),
            media_type: row.try_get("media_type")?,
            bytes: row.try_get("bytes")?,
        });
    }
    Ok(found)
}

/// What is about to be put in the tag's place.
pub(super) async fn set_stand_in(tx: &mut Tx, id: &TrashId, digest: &Digest) -> Result<(), StorageError> {
    sqlx::query("UPDATE trash SET stand_in = ? WHERE id = ?")
        .bind(digest.as_str())
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Where it is by now.
pub(super) async fn set_state(tx: &mut Tx, id: &TrashId, state: TrashState) -> Result<(), StorageError> {
    sqlx::query("UPDATE trash SET state = ? WHERE id = ?")
        .bind(state.as_str())
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// It is needed by now, so it stays until then at least.
pub(super) async fn stay(tx: &mut Tx, id: &TrashId, until: i64, why: &Problem) -> Result<(), StorageError> {
    sqlx::query("UPDATE trash SET state = 'kept', until = max(until, ?), trouble = ? WHERE id = ?")
        .bind(until)
        .bind(to_json(why, "problem of the trash")?)
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The job that is to bring it back; what went wrong before is forgotten.
pub(super) async fn set_job(tx: &mut Tx, id: &TrashId, job: &JobId) -> Result<(), StorageError> {
    sqlx::query("UPDATE trash SET job_id = ?, trouble = NULL WHERE id = ?")
        .bind(job.as_str())
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Why it couldn't be brought back.
pub(super) async fn set_trouble(tx: &mut Tx, id: &TrashId, trouble: &Problem) -> Result<(), StorageError> {
    sqlx::query("UPDATE trash SET trouble = ? WHERE id = ?")
        .bind(to_json(trouble, "problem of the trash")?)
        .bind(id.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Takes a row out, and the manifests that no other row has.
pub(super) async fn remove(tx: &mut Tx, of: &Entry) -> Result<(), StorageError> {
    sqlx::query("DELETE FROM trash WHERE id = ?").bind(of.id.as_str()).execute(&mut **tx).await?;
    for digest in &of.manifests {
        sqlx::query(
            "DELETE FROM trash_manifests WHERE registry_id = ?1 AND repository = ?2 AND digest = ?3
                AND NOT EXISTS (SELECT 1 FROM trash t, json_each(t.manifests) m
                                 WHERE t.registry_id = ?1 AND t.repository = ?2 AND m.value = ?3)",
        )
        .bind(of.registry.as_str())
        .bind(of.repository.as_str())
        .bind(digest.as_str())
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}
