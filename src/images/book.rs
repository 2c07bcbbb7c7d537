//! The tags of one repository in memory, in both orders.
//!
//! What must always hold: a tag stands in it once; a tag goes only after a whole pass didn't see it; an order is over the
//! whole set and is made once for each change.

use super::state::State;
use super::version::{Rank, is_no_image};
use crate::providers::ListedTag;
use app::model::credential::Credential;
use app::model::id::CredentialId;
use app::model::image::TagOrder;
use app::model::image_ref::{Digest, RegistryHost, Repository, Tag};
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Books in memory, and tags in all of them (about 200 bytes each); the least used ones go, the database may still have
/// them.
const BOOKS: usize = 64;
const TAGS: usize = 250_000;

/// Whose view of which repository.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// With the credential's version: another login sees other tags. None: as anybody.
    pub credential: Option<(CredentialId, i64)>,
    pub host: RegistryHost,
    pub repository: Repository,
}

/// One tag.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub name: Tag,
    pub digest: Option<Digest>,
    pub at: Option<i64>,
    pub size: Option<u64>,
    rank: Rank,
    generation: i64,
}

/// The tags.
#[derive(Default)]
pub(super) struct Pages {
    entries: Vec<Entry>,
    /// From a tag's hash to its place; the keys of the hash are this process's secret.
    places: HashMap<u64, usize>,
    keys: RandomState,
    by_version: Option<Vec<usize>>,
    by_date: Option<Vec<usize>>,
}

impl Pages {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Puts tags in; says how many of them this generation hadn't seen. Signatures, caches and the like are left out.
    pub(super) fn see(&mut self, tags: impl IntoIterator<Item = ListedTag>, generation: i64) -> usize {
        let mut new = 0;
        for tag in tags {
            if is_no_image(tag.name.as_str()) {
                continue;
            }
            let hash = self.keys.hash_one(tag.name.as_str());
            match self.places.get(&hash).and_then(|at| self.entries.get_mut(*at)) {
                Some(entry) => {
                    new += usize::from(entry.generation != generation);
                    entry.generation = generation;
                    // Most lists say names alone; what was learned of the same digest stays, of another one goes.
                    if tag.digest.is_some() && tag.digest != entry.digest {
                        (entry.digest, entry.at, entry.size) = (tag.digest, tag.at, tag.size);
                    } else {
                        entry.at = tag.at.or(entry.at);
                        entry.size = tag.size.or(entry.size);
                    }
                }
                None => {
                    new += 1;
                    self.places.insert(hash, self.entries.len());
                    let rank = Rank::of(tag.name.as_str());
                    let ListedTag { name, digest, at, size } = tag;
                    self.entries.push(Entry { name, digest, at, size, rank, generation });
                }
            }
        }
        (self.by_version, self.by_date) = (None, None);
        new
    }

    /// A whole pass is over: what it didn't see is gone.
    pub(super) fn sweep(&mut self, generation: i64) {
        self.entries.retain(|entry| entry.generation == generation);
        self.places =
            self.entries.iter().enumerate().map(|(at, entry)| (self.keys.hash_one(entry.name.as_str()), at)).collect();
        (self.by_version, self.by_date) = (None, None);
    }

    /// What was found out about a tag.
    pub(super) fn learn(&mut self, tag: &Tag, digest: &Digest, at: Option<i64>, size: Option<u64>) {
        let hash = self.keys.hash_one(tag.as_str());
        if let Some(entry) = self.places.get(&hash).and_then(|at| self.entries.get_mut(*at)) {
            (entry.digest, entry.at, entry.size) = (Some(digest.clone()), at.or(entry.at), size.or(entry.size));
            self.by_date = None;
        }
    }

    /// What is known of a tag.
    pub(super) fn get(&self, tag: &str) -> Option<&Entry> {
        self.places.get(&self.keys.hash_one(tag)).and_then(|at| self.entries.get(*at))
    }

    /// A part of the tags that contain `text`, in order, and how many there are in all.
    pub(super) fn part(&mut self, text: &str, order: TagOrder, offset: usize, limit: usize) -> (Vec<Entry>, usize) {
        self.sort(order);
        let order = match order {
            TagOrder::Version => &self.by_version,
            TagOrder::Date => &self.by_date,
        };
        let entries = order.iter().flatten().filter_map(|at| self.entries.get(*at));
        let text = text.trim().to_ascii_lowercase();
        if text.is_empty() {
            return (entries.skip(offset).take(limit).cloned().collect(), self.entries.len());
        }
        let (mut part, mut total) = (Vec::new(), 0);
        for entry in entries.filter(|entry| contains(entry.name.as_str(), &text)) {
            if total >= offset && part.len() < limit {
                part.push(entry.clone());
            }
            total += 1;
        }
        (part, total)
    }

    fn sort(&mut self, order: TagOrder) {
        let entries = &self.entries;
        let by_version = self.by_version.get_or_insert_with(|| {
            let mut order: Vec<usize> = (0..entries.len()).collect();
            order.sort_unstable_by(|a, b| {
                let (a, b) = (&entries[*a], &entries[*b]);
                a.rank.order(a.name.as_str(), &b.rank, b.name.as_str())
            });
            order
        });
        if order == TagOrder::Date && self.by_date.is_none() {
            // Stable, so that tags without a date stay in the order of versions.
            let mut order = by_version.clone();
            order.sort_by_key(|at| std::cmp::Reverse(entries[*at].at.unwrap_or(i64::MIN)));
            self.by_date = Some(order);
        }
    }
}

/// Whether the tag has the text, which is lower case.
fn contains(tag: &str, text: &str) -> bool {
    tag.as_bytes().windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()))
}

/// A repository's tags, and how far their list is.
pub(super) struct Book {
    pages: Mutex<Pages>,
    state: Mutex<State>,
    /// Pages that the passes have read; those who wait for tags listen.
    pub progress: tokio::sync::watch::Sender<u64>,
    /// Whether what the database has is in it.
    pub loaded: tokio::sync::OnceCell<()>,
}

impl Book {
    fn new() -> Self {
        Self {
            pages: Mutex::default(),
            state: Mutex::default(),
            progress: tokio::sync::watch::Sender::new(0),
            loaded: tokio::sync::OnceCell::new(),
        }
    }

    /// Held for the time of a page or of a sort at most.
    pub(super) fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far the list is.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The books in memory.
#[derive(Default)]
pub(super) struct Books(Mutex<Used>);

/// Each book with the number of its last use, and the number of the last use of all.
#[derive(Default)]
struct Used {
    books: HashMap<Key, (Arc<Book>, u64)>,
    uses: u64,
}

impl Books {
    /// The book of a repository; a new one is empty.
    pub(super) fn of(&self, key: &Key) -> Arc<Book> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Used { books, uses } = &mut *guard;
        *uses += 1;
        let (book, used) = books.entry(key.clone()).or_insert_with(|| (Arc::new(Book::new()), 0));
        *used = *uses;
        let book = Arc::clone(book);
        let mut tags: usize = books.values().map(|(book, _)| book.pages().len()).sum();
        while books.len() > BOOKS || tags > TAGS {
            let idle = books.iter().filter(|(other, (book, _))| *other != key && !book.state().is_reading);
            let Some(oldest) = idle.min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone()) else { break };
            tags -= books.remove(&oldest).map_or(0, |(book, _)| book.pages().len()).min(tags);
        }
        book
    }

    /// Takes away the books of credentials that changed or are gone.
    pub(super) fn keep(&self, credentials: &[Credential]) {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        used.books.retain(|key, _| {
            key.credential.as_ref().is_none_or(|(id, version)| {
                credentials.iter().any(|credential| credential.id == *id && credential.version == *version)
            })
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(name: &str, at: Option<i64>) -> ListedTag {
        ListedTag { name: name.parse().expect("a tag"), digest: None, at, size: None }
    }

    fn names(pages: &mut Pages, text: &str, order: TagOrder) -> Vec<String> {
        pages.part(text, order, 0, 100).0.into_iter().map(|entry| entry.name.into()).collect()
    }

    #[test]
    fn tags_are_in_both_orders_filtered_and_swept() {
        let mut pages = Pages::default();
        let attachment = format!("sha256-{}.sig", "a".repeat(64));
        let first = [("1.9", Some(30)), ("1.10", Some(10)), ("Main", None), ("latest", Some(20)), (&attachment, None)];
        assert_eq!(pages.see(first.map(|(name, at)| listed(name, at)), 1), 4);
        assert_eq!(pages.see([listed("1.9", None)], 1), 0, "seen before");
        assert_eq!(names(&mut pages, "", TagOrder::Version), ["latest", "1.10", "1.9", "Main"]);
        assert_eq!(names(&mut pages, "", TagOrder::Date), ["1.9", "latest", "1.10", "Main"]);
        assert_eq!(names(&mut pages, "MAI", TagOrder::Version), ["Main"]);
        assert_eq!(pages.part("1.", TagOrder::Version, 1, 1).1, 2);

        let digest: Digest = format!("sha256:{}", "b".repeat(64)).parse().expect("a digest");
        pages.learn(&"Main".parse().expect("a tag"), &digest, Some(99), Some(7));
        assert_eq!(names(&mut pages, "", TagOrder::Date)[0], "Main");
        assert_eq!(pages.get("Main").and_then(|entry| entry.size), Some(7));

        assert_eq!(pages.see([listed("Main", None), listed("2", None)], 2), 2);
        pages.sweep(2);
        assert_eq!(names(&mut pages, "", TagOrder::Version), ["2", "Main"]);
        assert_eq!(pages.get("Main").and_then(|entry| entry.at), Some(99), "learned before");
        assert!(pages.get("latest").is_none());
    }

    #[test]
    fn the_least_used_books_go() {
        let books = Books::default();
        let key = |n: usize| Key {
            credential: None,
            host: "r.example".parse().expect("a host"),
            repository: format!("r{n}").parse().expect("a repository"),
        };
        let fill = |book: &Book, count: usize| {
            book.pages().see((0..count).map(|n| listed(&n.to_string(), None)), 1);
        };
        fill(&books.of(&key(0)), 1);
        books.of(&key(0)).state().begin(0);
        for n in 1..=BOOKS {
            fill(&books.of(&key(n)), 2);
        }
        assert_eq!(books.of(&key(0)).pages().len(), 1, "it is being read");
        assert_eq!(books.of(&key(1)).pages().len(), 0, "the least used one went");
        assert_eq!(books.of(&key(BOOKS)).pages().len(), 2);
        fill(&books.of(&key(2)), TAGS);
        assert_eq!(books.of(&key(3)).pages().len(), 0, "there is no room for two");
    }
}
