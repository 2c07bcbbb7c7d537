//! SQL of rules, of what is known of registries, and of what a preview is judged by.
//!
//! Previews read tens of thousands of rows, so SQLite puts lines together and hands over few long texts.

use super::content::{Content, Mark};
use super::judge::{Known, Listed, Push};
use crate::storage::{StorageError, Tx, column, from_json, parsed, to_json};
use app::model::id::{JobId, RegistryId, ServiceId};
use app::model::image_ref::{RegistryHost, Repository};
use app::model::retention::{Policy, Scope};
use futures::TryStreamExt as _;
use sqlx::sqlite::SqlitePool;
use sqlx::{Row as _, SqliteExecutor};
use std::collections::{BTreeMap, HashMap};

/// The rules of a registry or service.
pub(super) async fn policy<'e>(db: impl SqliteExecutor<'e>, scope: &Scope) -> Result<Option<Policy>, StorageError> {
    let (sql, id) = match scope {
        Scope::Registry(id) => ("SELECT policy FROM retention_policies WHERE registry_id = ?", id.as_str()),
        Scope::Service(id) => ("SELECT policy FROM retention_policies WHERE service_id = ?", id.as_str()),
    };
    let policy: Option<String> = sqlx::query_scalar(sql).bind(id).fetch_optional(db).await?;
    policy.map(|policy| from_json(&policy, "rules of retention")).transpose()
}

/// What services keep in addition.
pub(super) async fn service_policies<'e>(
    db: impl SqliteExecutor<'e>,
) -> Result<BTreeMap<ServiceId, Policy>, StorageError> {
    let sql = "SELECT service_id, policy FROM retention_policies WHERE service_id IS NOT NULL";
    let rows: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(db).await?;
    rows.iter().map(|(id, policy)| Ok((parsed(id, "service id")?, from_json(policy, "rules of retention")?))).collect()
}

/// Keeps rules; none: takes them away.
pub(super) async fn set_policy(tx: &mut Tx, scope: &Scope, policy: Option<&Policy>) -> Result<(), StorageError> {
    let (delete, insert, id) = match scope {
        Scope::Registry(id) => (
            "DELETE FROM retention_policies WHERE registry_id = ?",
            "INSERT INTO retention_policies (registry_id, policy) VALUES (?, ?)",
            id.as_str(),
        ),
        Scope::Service(id) => (
            "DELETE FROM retention_policies WHERE service_id = ?",
            "INSERT INTO retention_policies (service_id, policy) VALUES (?, ?)",
            id.as_str(),
        ),
    };
    sqlx::query(delete).bind(id).execute(&mut **tx).await?;
    if let Some(policy) = policy {
        let policy = to_json(policy, "rules of retention")?;
        sqlx::query(insert).bind(id).bind(policy).execute(&mut **tx).await?;
    }
    Ok(())
}

/// A service's name; none: it is gone.
pub(super) async fn service_name<'e>(
    db: impl SqliteExecutor<'e>,
    id: &ServiceId,
) -> Result<Option<String>, StorageError> {
    let sql = "SELECT name FROM services WHERE id = ? AND deleted_at IS NULL";
    Ok(sqlx::query_scalar(sql).bind(id.as_str()).fetch_optional(db).await?)
}

/// The unfinished job of a kind and subject.
pub(super) async fn unfinished<'e>(
    db: impl SqliteExecutor<'e>,
    kind: &str,
    subject: &str,
) -> Result<Option<JobId>, StorageError> {
    let sql = "SELECT id FROM jobs WHERE subject = ? AND kind = ? AND state IN ('queued', 'running', 'cancelling')";
    let id: Option<String> = sqlx::query_scalar(sql).bind(subject).bind(kind).fetch_optional(db).await?;
    id.map(|id| parsed(&id, "job id")).transpose()
}

/// When the last whole look at a registry began.
pub(super) async fn as_of<'e>(db: impl SqliteExecutor<'e>, registry: &RegistryId) -> Result<Option<i64>, StorageError> {
    let sql = "SELECT as_of FROM retention_looks WHERE registry_id = ?";
    let as_of: Option<Option<i64>> = sqlx::query_scalar(sql).bind(registry.as_str()).fetch_optional(db).await?;
    Ok(as_of.flatten())
}

/// Repositories, each with why its tags couldn't be read.
pub(super) async fn repositories<'e>(
    db: impl SqliteExecutor<'e>,
    registry: &RegistryId,
) -> Result<Vec<(Repository, Option<String>)>, StorageError> {
    let sql = "SELECT repository, problem FROM retention_repositories WHERE registry_id = ? ORDER BY repository";
    let rows = sqlx::query(sql).bind(registry.as_str()).fetch_all(db).await?;
    rows.iter().map(|row| Ok((column(row, "repository")?, row.try_get("problem")?))).collect()
}

/// All tags, by repository.
pub(super) async fn tags<'e>(
    db: impl SqliteExecutor<'e>,
    registry: &RegistryId,
) -> Result<HashMap<String, Vec<Listed>>, StorageError> {
    let sql = "SELECT repository,
                      group_concat(tag || char(9) || coalesce(digest, '') || char(9) || first_seen, char(10))
                 FROM retention_tags WHERE registry_id = ? GROUP BY repository";
    let rows: Vec<(String, String)> = sqlx::query_as(sql).bind(registry.as_str()).fetch_all(db).await?;
    let mut all = HashMap::new();
    for (repository, lines) in rows {
        let tags: Result<_, StorageError> = lines.split('\n').map(listed).collect();
        all.insert(repository, tags?);
    }
    Ok(all)
}

fn listed(line: &str) -> Result<Listed, StorageError> {
    let [tag, digest, first_seen] = fields(line)?;
    let digest = if digest.is_empty() { None } else { Some(parsed(digest, "digest of a tag")?) };
    Ok(Listed { tag: tag.to_owned(), digest, first_seen: parsed(first_seen, "time of a tag")? })
}

fn fields<const N: usize>(line: &str) -> Result<[&str; N], StorageError> {
    let fields: Vec<&str> = line.split('\t').collect();
    fields.try_into().map_err(|_| StorageError::Unreadable { what: "line of retention" })
}

/// All images, by repository.
pub(super) async fn images(
    db: &SqlitePool,
    registry: &RegistryId,
) -> Result<HashMap<String, HashMap<Mark, Known>>, StorageError> {
    let sql = "SELECT repository, digest, state, content FROM retention_images WHERE registry_id = ?";
    let mut rows = sqlx::query(sql).bind(registry.as_str()).fetch(db);
    let mut all: HashMap<String, HashMap<Mark, Known>> = HashMap::new();
    while let Some(row) = rows.try_next().await? {
        let (repository, state): (&str, &str) = (row.try_get("repository")?, row.try_get("state")?);
        let known = match state {
            "gone" => Known::Gone,
            "known" => Content::from_bytes(row.try_get("content")?).map_or(Known::Unread, Known::Content),
            _ => Known::Unread,
        };
        let mark = Mark::of(&column(&row, "digest")?);
        match all.get_mut(repository) {
            Some(images) => drop(images.insert(mark, known)),
            None => drop(all.insert(repository.to_owned(), HashMap::from([(mark, known)]))),
        }
    }
    Ok(all)
}

/// A push of a build, and where.
pub(super) struct Pushed {
    pub(super) repository: String,
    /// The digest as it was recorded.
    pub(super) digest: Option<String>,
    pub(super) push: Push,
}

/// All that builds pushed to a host or are pushing there; what ended after `as_of` is fresh.
pub(super) async fn pushes<'e>(
    db: impl SqliteExecutor<'e>,
    registry: &RegistryId,
    host: &RegistryHost,
    as_of: Option<i64>,
) -> Result<Vec<Pushed>, StorageError> {
    // A build's row is some thousand bytes of text at most; lines of 4096 rows stay small.
    let sql = "SELECT group_concat(line, char(10)) FROM (
                   SELECT b.rowid / 4096 AS part,
                          substr(b.reference, length(?1) + 1) || char(9) || coalesce(b.digest, '') || char(9)
                          || coalesce(j.finished, b.created) || char(9) || coalesce(b.branch, '') || char(9)
                          || b.service_id || char(9) || (j.state IN ('queued', 'running', 'cancelling')) || char(9)
                          || (b.registry_id <> ?2) AS line
                     FROM builds b JOIN jobs j ON j.id = b.job_id
                    WHERE substr(b.reference, 1, length(?1)) = ?1
               ) GROUP BY part";
    let prefix = format!("{host}/");
    let parts: Vec<String> = sqlx::query_scalar(sql).bind(prefix).bind(registry.as_str()).fetch_all(db).await?;
    parts.iter().flat_map(|part| part.split('\n')).map(|line| pushed(line, as_of)).collect()
}

fn pushed(line: &str, as_of: Option<i64>) -> Result<Pushed, StorageError> {
    let [name, digest, at, branch, service, is_under_way, is_others] = fields(line)?;
    let (name, own) = name.split_once('@').map_or((name, None), |(name, digest)| (name, Some(digest)));
    let Some((repository, tag)) = name.rsplit_once(':') else {
        return Err(StorageError::Unreadable { what: "reference of a build" });
    };
    let digest = Some(digest).filter(|digest| !digest.is_empty()).or(own);
    // A digest that isn't one was never pushed.
    let mark = digest.and_then(|digest| digest.parse().ok()).map(|digest| Mark::of(&digest));
    let at = parsed::<i64>(at, "time of a build")?.div_euclid(1_000);
    Ok(Pushed {
        repository: repository.to_owned(),
        digest: digest.map(str::to_owned),
        push: Push {
            tag: tag.to_owned(),
            mark,
            at,
            branch: Some(branch.to_owned()).filter(|branch| !branch.is_empty()),
            service: parsed(service, "service id")?,
            is_fresh: is_under_way == "1" || as_of.is_none_or(|as_of| at >= as_of),
            is_others: is_others == "1",
        },
    })
}
