//! The tags of a repository: what is known at once, what is missing or old within ten seconds, the rest in the background.

use super::book::{Book, Key};
use super::pass::{self, Ending, List};
use super::state::{Progress, State};
use super::store_tags::{self, Shelfmark};
use super::version::is_no_image;
use super::{Inner, Spot, store};
use crate::oci::OciError;
use crate::problems;
use crate::providers::{ListError, ListedTag, Page};
use app::error::{AppError, Problem};
use app::model::text::is_hidden;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Most tags of a repository.
const TAGS: usize = 500_000;
/// Somebody waits for at most so long.
const PATIENCE: Duration = Duration::from_secs(10);
/// Somebody who has a first page waits for at most so long for the rest.
const FOR_THE_REST: Duration = Duration::from_millis(400);

/// The tags of a repository.
struct TagList<'a> {
    inner: &'a Inner,
    spot: &'a Spot,
    book: &'a Book,
    generation: i64,
}

#[async_trait]
impl List for TagList<'_> {
    type Item = ListedTag;

    async fn ask(&self, cursor: Option<&str>) -> Result<Page<ListedTag>, ListError> {
        let Spot { key, access, provider } = self.spot;
        match self.inner.providers.of(*provider).tags(access, &key.repository, cursor).await {
            // Registries say the same of what isn't there and of what this login may not see.
            Err(ListError::Failed(OciError::NotOffered { host, .. })) => {
                let repository = &key.repository;
                let why = format!("{host} has no repository {repository}, or doesn't list its tags to this login.");
                Err(ListError::CannotList(why))
            }
            outcome => outcome,
        }
    }

    async fn keep(&mut self, mut page: Vec<ListedTag>, next: Option<&str>) -> Result<Option<usize>, AppError> {
        let all = page.len();
        page.retain(|tag| !is_no_image(tag.name.as_str()));
        let hidden = all - page.len();
        if let Some(mark) = shelfmark(&self.spot.key) {
            let mut tx = self.inner.db.write().await.map_err(problems::of)?;
            let is_kept = store_tags::keep_page(&mut tx, mark, self.generation, &page, next).await;
            if !is_kept.map_err(problems::of)? {
                return Ok(None);
            }
            tx.commit().await.map_err(problems::of)?;
        }
        let new = self.book.pages().see(page, self.generation);
        self.book.progress.send_modify(|pages| *pages += 1);
        // A page of signatures and caches alone is no standstill.
        Ok(Some(new + hidden))
    }

    fn explain(&self, error: &OciError) -> Problem {
        self.spot.explain(&self.inner.providers, error)
    }

    fn host(&self) -> String {
        self.spot.access.host()
    }
}

/// Where the tags are in the database; what anybody sees is in memory alone.
fn shelfmark(key: &Key) -> Option<Shelfmark<'_>> {
    let (credential, version) = key.credential.as_ref()?;
    Some(Shelfmark { credential, version: *version, repository: &key.repository })
}

/// Marks the book as being read, until it goes out of scope; those who wait are told then.
struct Reading(Arc<Book>);

impl Reading {
    /// None: somebody else reads it.
    fn begin(book: &Arc<Book>, now: i64) -> Option<Self> {
        let mut state = book.state();
        if !state.is_stale(now) {
            return None;
        }
        state.begin(now);
        Some(Self(Arc::clone(book)))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.state().is_reading = false;
        self.0.progress.send_modify(|pages| *pages += 1);
    }
}

impl Inner {
    /// The book with what the database has.
    pub(super) async fn book(&self, key: &Key) -> Result<Arc<Book>, AppError> {
        let book = self.books.of(key);
        let load = async || {
            let Some(mark) = shelfmark(key) else { return Ok(()) };
            let found = store_tags::find(self.db.read(), mark).await.map_err(problems::of)?;
            if let Some((kept, tags)) = found {
                let mut pages = book.pages();
                for (tag, generation) in tags {
                    pages.see([tag], generation);
                }
                drop(pages);
                book.state().kept = kept;
            }
            Ok::<(), AppError>(())
        };
        book.loaded.get_or_try_init(load).await?;
        Ok(book)
    }

    /// Asks the registry if the tags are old or missing, and waits for what comes soon.
    pub(super) async fn fetch_tags(self: &Arc<Self>, spot: Spot, book: &Arc<Book>) {
        let mut progress = book.progress.subscribe();
        if let Some(reading) = Reading::begin(book, self.clock.seconds()) {
            let inner = Arc::clone(self);
            self.tasks.spawn(async move {
                if let Err(error) = inner.read_tags(&spot, &reading.0).await {
                    tracing::error!(registry.host = %spot.key.host, %error, "a list of tags wasn't kept");
                }
            });
        }
        let begun = Instant::now();
        let mut first_rows = None;
        while book.state().is_reading {
            if first_rows.is_none() && book.pages().len() > 0 {
                first_rows = Some(Instant::now());
            }
            let until = first_rows.map_or(begun + PATIENCE, |at| (at + FOR_THE_REST).min(begun + PATIENCE));
            if tokio::time::timeout_at(until, progress.changed()).await.is_err() {
                return;
            }
        }
    }

    /// One pass.
    async fn read_tags(&self, spot: &Spot, book: &Book) -> Result<(), AppError> {
        let now = self.clock.seconds();
        let mut cursor = State::resumable(&book.state().kept, now);
        if let Some(mark) = shelfmark(&spot.key) {
            let mut tx = self.db.write().await.map_err(problems::of)?;
            if store::open(&mut tx, mark.credential, mark.version).await.map_err(problems::of)?.is_none() {
                return Ok(());
            }
            let generation = book.state().kept.generation;
            // A list that was swept out of the database begins anew.
            if cursor.is_some() && !store_tags::go_on(&mut tx, mark, generation, now).await.map_err(problems::of)? {
                cursor = None;
            }
            if cursor.is_none() {
                store_tags::begin(&mut tx, mark, generation + 1, now).await.map_err(problems::of)?;
            }
            tx.commit().await.map_err(problems::of)?;
        }
        let generation = {
            let mut state = book.state();
            if cursor.is_none() {
                state.kept.generation += 1;
                state.kept.under_way = Some(Progress { began_at: now, cursor: None });
            }
            state.kept.generation
        };
        let mut list = TagList { inner: self, spot, book, generation };
        let Some(ending) = pass::run(&mut list, cursor, TAGS, &self.stop).await? else { return Ok(()) };
        let now = self.clock.seconds();
        if let Some(mark) = shelfmark(&spot.key) {
            let mut tx = self.db.write().await.map_err(problems::of)?;
            if !store_tags::end(&mut tx, mark, generation, &ending, now).await.map_err(problems::of)? {
                return Ok(());
            }
            tx.commit().await.map_err(problems::of)?;
        }
        if let Ending::Complete { is_whole: true } = ending {
            book.pages().sweep(generation);
        }
        book.state().end(&ending, now);
        Ok(())
    }

    /// Keeps what the details of an image say about its tag.
    pub(super) async fn learn_tag(&self, key: &Key, image: &app::model::image::Image) -> Result<(), AppError> {
        let (Some(tag), Some(digest)) = (&image.reference.tag, &image.reference.digest) else { return Ok(()) };
        let book = self.book(key).await?;
        let first = image.platforms.first();
        let created = first.and_then(|platform| platform.config.as_ref()).and_then(|config| config.created);
        let size = first.map(|platform| platform.size).filter(|size| *size > 0);
        let known = {
            let mut pages = book.pages();
            let before = pages.get(tag.as_str()).cloned();
            pages.learn(tag, digest, created, size);
            let known = pages.get(tag.as_str()).cloned();
            let is_same =
                |a: &super::book::Entry, b: &super::book::Entry| (&a.digest, a.at, a.size) == (&b.digest, b.at, b.size);
            known.filter(|known| before.is_none_or(|before| !is_same(&before, known)))
        };
        let (Some(mark), Some(known)) = (shelfmark(key), known) else { return Ok(()) };
        let mut tx = self.db.write().await.map_err(problems::of)?;
        store_tags::learn(&mut tx, mark, tag, &known).await.map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)
    }
}

/// What somebody typed to narrow tags: visible characters, as many as a tag can have.
pub(super) fn filter_text(text: &str) -> String {
    text.trim().chars().filter(|c| !is_hidden(*c)).take(128).collect()
}
