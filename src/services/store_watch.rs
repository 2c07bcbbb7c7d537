//! SQL of watched tags.

use crate::storage::{StorageError, Tx, from_json, parsed, to_json};
use app::error::Problem;
use app::model::id::ServiceId;
use app::model::image_ref::{Digest, ImageRef};
use app::model::service::Source;
use app::model::tag_watch::WatchMode;
use sqlx::SqliteExecutor;

/// A watched tag, and what runs.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    pub service: ServiceId,
    pub mode: WatchMode,
    /// The service's image, by tag.
    pub image: ImageRef,
    /// What the tag led to.
    pub digest: Option<Digest>,
    /// What was dealt with.
    pub handled: Option<Digest>,
    /// What runs.
    pub current: Option<ImageRef>,
    /// Whether new versions wait because somebody went back.
    pub is_paused: bool,
    pub looked: Option<i64>,
    pub next: i64,
    pub problem: Option<Problem>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    watch: String,
    source: String,
    is_paused: bool,
    current: Option<String>,
    image: Option<String>,
    digest: Option<String>,
    handled: Option<String>,
    looked: Option<i64>,
    next: Option<i64>,
    problem: Option<String>,
}

impl Row {
    fn read(self) -> Result<Option<Watched>, StorageError> {
        let Source::Image(source) = from_json::<Source>(&self.source, "source")? else { return Ok(None) };
        // What was found out about another image says nothing about this one.
        let is_same = self.image.as_deref() == Some(source.image.to_string().as_str());
        let digest =
            |text: Option<String>| text.filter(|_| is_same).map(|text| parsed::<Digest>(&text, "digest")).transpose();
        Ok(Some(Watched {
            service: parsed(&self.id, "service id")?,
            mode: parsed(&self.watch, "watch")?,
            image: source.image,
            digest: digest(self.digest)?,
            handled: digest(self.handled)?,
            current: self.current.map(|image| parsed(&image, "image")).transpose()?,
            is_paused: self.is_paused,
            looked: self.looked.filter(|_| is_same),
            next: self.next.filter(|_| is_same).unwrap_or(0),
            problem: self.problem.filter(|_| is_same).map(|json| from_json(&json, "problem")).transpose()?,
        }))
    }
}

/// The watched tags of live services, or of one.
pub(super) async fn all<'e>(db: impl SqliteExecutor<'e>, of: Option<&ServiceId>) -> Result<Vec<Watched>, StorageError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT s.id, s.watch, s.source, s.paused_at IS NOT NULL AS is_paused, d.image AS current, w.image, w.digest,
                w.handled, w.looked, w.next, w.problem
           FROM services s LEFT JOIN deployments d ON d.id = s.current_deployment
                LEFT JOIN watched_tags w ON w.service_id = s.id
          WHERE s.deleted_at IS NULL AND s.watch <> 'off' AND (?1 IS NULL OR s.id = ?1) ORDER BY s.id",
    )
    .bind(of.map(ServiceId::as_str))
    .fetch_all(db)
    .await?;
    rows.into_iter().filter_map(|row| row.read().transpose()).collect()
}

/// That of one service.
pub(super) async fn find<'e>(
    db: impl SqliteExecutor<'e>,
    service: &ServiceId,
) -> Result<Option<Watched>, StorageError> {
    Ok(all(db, Some(service)).await?.into_iter().next())
}

/// The services whose tag is to be looked at now.
pub(super) async fn due<'e>(db: impl SqliteExecutor<'e>, now: i64) -> Result<Vec<ServiceId>, StorageError> {
    let all = all(db, None).await?;
    Ok(all.into_iter().filter(|watched| watched.next <= now).map(|watched| watched.service).collect())
}

/// What the tag leads to.
pub(super) async fn seen(
    tx: &mut Tx,
    service: &ServiceId,
    image: &ImageRef,
    digest: &Digest,
    now: i64,
    next: i64,
) -> Result<(), StorageError> {
    sqlx::query(
        "INSERT INTO watched_tags (service_id, image, digest, looked, next) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (service_id) DO UPDATE
            SET handled = iif(image = excluded.image, handled, NULL), image = excluded.image, digest = excluded.digest,
                looked = excluded.looked, next = excluded.next, failures = 0, problem = NULL",
    )
    .bind(service.as_str())
    .bind(image.to_string())
    .bind(digest.as_str())
    .bind(now)
    .bind(next)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Looks in a row that found nothing out.
pub(super) async fn failures(tx: &mut Tx, service: &ServiceId, image: &ImageRef) -> Result<i64, StorageError> {
    let sql = "SELECT failures FROM watched_tags WHERE service_id = ? AND image = ?";
    let found: Option<i64> =
        sqlx::query_scalar(sql).bind(service.as_str()).bind(image.to_string()).fetch_optional(&mut **tx).await?;
    Ok(found.unwrap_or(0))
}

/// A look that found nothing out; what was known before stays.
pub(super) async fn failed(
    tx: &mut Tx,
    service: &ServiceId,
    image: &ImageRef,
    problem: &Problem,
    next: i64,
) -> Result<(), StorageError> {
    sqlx::query(
        "INSERT INTO watched_tags (service_id, image, next, failures, problem) VALUES (?1, ?2, ?3, 1, ?4)
         ON CONFLICT (service_id) DO UPDATE
            SET failures = iif(image = excluded.image, failures + 1, 1),
                digest = iif(image = excluded.image, digest, NULL),
                handled = iif(image = excluded.image, handled, NULL),
                looked = iif(image = excluded.image, looked, NULL),
                image = excluded.image, next = excluded.next, problem = excluded.problem",
    )
    .bind(service.as_str())
    .bind(image.to_string())
    .bind(next)
    .bind(to_json(problem, "problem")?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The digest was dealt with.
pub(super) async fn handled(tx: &mut Tx, service: &ServiceId, digest: &Digest) -> Result<(), StorageError> {
    sqlx::query("UPDATE watched_tags SET handled = ? WHERE service_id = ?")
        .bind(digest.as_str())
        .bind(service.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}
