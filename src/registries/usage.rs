//! How much is in a managed registry: counted from its own API, since nothing in it counts.
//!
//! Each blob counts once, whichever images share it; what sharing saves is counted beside it. What must always hold: a count
//! is whole or there is none; the registry is asked with few requests at a time; a manifest that was read once isn't read
//! again, as it can't change.

use super::record::Record;
use super::{Registries, probe, store_history};
use crate::oci::{Access, Client, OciError};
use crate::problems;
use app::model::id::RegistryId;
use app::model::image_ref::{Digest, Repository};
use app::model::registry::Usage;
use futures::{StreamExt as _, TryStreamExt as _};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

/// Requests at a time; one place at the registry's door is left for others.
const AT_ONCE: usize = 3;
/// Seconds between two counts.
const EVERY: i64 = 3_600;
/// Repositories and tags of one that are counted; more is a mistake, or malice.
const MANY: usize = 100_000;
/// Descriptors of one manifest that are counted.
const MOST_PARTS: usize = 10_000;

/// What a manifest stands for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parts {
    /// Its own bytes.
    size: u64,
    /// Configuration and layers.
    blobs: Vec<(Digest, u64)>,
    /// Manifests of an index.
    children: Vec<Digest>,
}

type Manifests = HashMap<Digest, Arc<Parts>>;

/// Manifests that were read before, for each registry.
#[derive(Debug, Default)]
pub(super) struct Counted {
    manifests: Mutex<HashMap<RegistryId, Manifests>>,
    /// Those that are counted now.
    busy: Mutex<HashSet<RegistryId>>,
}

impl Counted {
    /// Forgets all but these.
    pub fn keep(&self, ids: &HashSet<RegistryId>) {
        self.manifests().retain(|id, _| ids.contains(id));
    }

    fn manifests(&self) -> std::sync::MutexGuard<'_, HashMap<RegistryId, Manifests>> {
        self.manifests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, id: &RegistryId, digest: &Digest) -> Option<Arc<Parts>> {
        self.manifests().get(id)?.get(digest).cloned()
    }

    fn insert(&self, id: &RegistryId, digest: &Digest, parts: Arc<Parts>) {
        self.manifests().entry(id.clone()).or_default().insert(digest.clone(), parts);
    }

    /// Forgets manifests of a registry that it doesn't have any more.
    fn retain(&self, id: &RegistryId, digests: &HashSet<Digest>) {
        if let Some(manifests) = self.manifests().get_mut(id) {
            manifests.retain(|digest, _| digests.contains(digest));
        }
    }

    /// Whether nobody counts this one yet; who gets it counts.
    fn take(&self, id: &RegistryId) -> Option<Turn<'_>> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.insert(id.clone()).then(|| Turn { of: self, id: id.clone() })
    }
}

/// Given back when it is dropped, also in the middle of a count.
struct Turn<'a> {
    of: &'a Counted,
    id: RegistryId,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.of.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// What stands in a manifest; the rest is left out.
#[derive(Default, Deserialize)]
struct Document {
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Option<Vec<Descriptor>>,
    #[serde(default)]
    manifests: Option<Vec<Descriptor>>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: Digest,
    #[serde(default)]
    size: u64,
    /// Where else it is, when the registry doesn't have it.
    #[serde(default)]
    urls: Option<Vec<String>>,
}

/// Reads a manifest. One that can't be read counts its own bytes alone.
fn parts(bytes: &[u8]) -> Parts {
    let document: Document = serde_json::from_slice(bytes).unwrap_or_default();
    let layers = document.layers.unwrap_or_default().into_iter().filter(|layer| layer.urls.is_none());
    let blobs = document.config.into_iter().chain(layers).take(MOST_PARTS);
    Parts {
        size: bytes.len() as u64,
        blobs: blobs.map(|blob| (blob.digest, blob.size)).collect(),
        children: document.manifests.unwrap_or_default().into_iter().map(|child| child.digest).collect(),
    }
}

/// A count under way.
#[derive(Debug, Default)]
struct Sum {
    repositories: u64,
    tags: u64,
    /// Everything once.
    blobs: HashMap<Digest, u64>,
    /// Everything as often as an image of a repository has it.
    whole: u64,
}

impl Sum {
    fn add(&mut self, digest: &Digest, size: u64) {
        self.whole = self.whole.saturating_add(size);
        self.blobs.insert(digest.clone(), size);
    }

    /// A repository with its tags and all manifests that they lead to.
    fn add_repository(&mut self, tags: usize, manifests: &HashMap<Digest, Arc<Parts>>) {
        if tags == 0 {
            return;
        }
        self.repositories += 1;
        self.tags += tags as u64;
        for (digest, parts) in manifests {
            self.add(digest, parts.size);
            for (blob, size) in &parts.blobs {
                self.add(blob, *size);
            }
        }
    }

    fn usage(&self, at: i64) -> Usage {
        let bytes = self.blobs.values().fold(0_u64, |sum, size| sum.saturating_add(*size));
        let (repositories, tags) = (self.repositories, self.tags);
        Usage { at, repositories, tags, bytes, shared: self.whole.saturating_sub(bytes) }
    }
}

/// A count of one registry.
struct Count<'a> {
    client: Client,
    access: Access,
    id: &'a RegistryId,
    counted: &'a Counted,
}

impl Count<'_> {
    async fn run(&self, at: i64) -> Result<Usage, OciError> {
        let mut sum = Sum::default();
        let mut met = HashSet::new();
        for repository in self.repositories().await? {
            let (tags, manifests) = self.repository(&repository).await?;
            met.extend(manifests.keys().cloned());
            sum.add_repository(tags, &manifests);
        }
        self.counted.retain(self.id, &met);
        Ok(sum.usage(at))
    }

    async fn repositories(&self) -> Result<Vec<Repository>, OciError> {
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let page = self.client.repositories(&self.access, next.as_deref()).await?;
            found.extend(page.names.iter().filter_map(|name| name.parse().ok()));
            next = page.next;
            if next.is_none() || found.len() > MANY {
                return Ok(found);
            }
        }
    }

    /// How many tags it has, and all manifests that they lead to.
    async fn repository(&self, repository: &Repository) -> Result<(usize, HashMap<Digest, Arc<Parts>>), OciError> {
        let tags = self.tags(repository).await?;
        let asked = tags.iter().map(|tag| self.client.digest(&self.access, repository, tag));
        let digests: Vec<Option<Digest>> = few_at_once(asked.collect()).await?;
        // A tag that went meanwhile leads nowhere.
        let mut wanted: HashSet<Digest> = digests.into_iter().flatten().collect();
        let mut found = HashMap::new();
        // Indexes lead to images, and in theory to indexes.
        while !wanted.is_empty() {
            let asked = wanted.iter().map(|digest| self.manifest(repository, digest));
            let read: Vec<Option<(Digest, Arc<Parts>)>> = few_at_once(asked.collect()).await?;
            let read: Vec<_> = read.into_iter().flatten().collect();
            found.extend(read.iter().cloned());
            let children = read.iter().flat_map(|(_, parts)| parts.children.iter());
            wanted = children.filter(|child| !found.contains_key(*child)).cloned().collect();
            if found.len() > MANY {
                break;
            }
        }
        Ok((tags.len(), found))
    }

    async fn tags(&self, repository: &Repository) -> Result<Vec<String>, OciError> {
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let page = match self.client.tags(&self.access, repository, next.as_deref()).await {
                // Its last tag went, or all of it.
                Err(OciError::NotOffered { .. }) => return Ok(Vec::new()),
                page => page?,
            };
            found.extend(page.names);
            next = page.next;
            if next.is_none() || found.len() > MANY {
                return Ok(found);
            }
        }
    }

    /// None: the registry doesn't have it, as with platforms that weren't copied.
    async fn manifest(&self, of: &Repository, digest: &Digest) -> Result<Option<(Digest, Arc<Parts>)>, OciError> {
        if let Some(known) = self.counted.find(self.id, digest) {
            return Ok(Some((digest.clone(), known)));
        }
        let Some(manifest) = self.client.manifest(&self.access, of, digest.as_str()).await? else { return Ok(None) };
        let parts = Arc::new(parts(&manifest.bytes));
        self.counted.insert(self.id, digest, Arc::clone(&parts));
        Ok(Some((digest.clone(), parts)))
    }
}

/// All answers, asked for a few at a time, or the first failure.
async fn few_at_once<T, F: Future<Output = Result<T, OciError>>>(asked: Vec<F>) -> Result<Vec<T>, OciError> {
    futures::stream::iter(asked).buffer_unordered(AT_ONCE).try_collect().await
}

impl Registries {
    /// Counts when the last count is old.
    pub(super) async fn count_when_due(&self, record: &Record) {
        let works = self.watched.one(&record.id).probe.is_some_and(|probe| probe.ok);
        match store_history::usage(self.parts.db.read(), &record.id).await {
            Ok(Some(usage)) if self.parts.clock.seconds() - usage.at < EVERY => {}
            Ok(_) if works => self.count(record).await,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(error = %problems::chain(&error), "what is known of a registry's size can't be read");
            }
        }
    }

    /// Counts now, unless somebody does already.
    pub(super) async fn count(&self, record: &Record) {
        let counted = self.watched.counted();
        let Some(_turn) = counted.take(&record.id) else { return };
        if let Err(reason) = self.count_alone(record).await {
            // The page shows the count before, with its time.
            tracing::info!(registry.id = %record.id, reason, "a registry couldn't be counted");
        }
    }

    async fn count_alone(&self, record: &Record) -> Result<(), String> {
        let access = self.parts.credentials.access(&record.credential).await.map_err(|error| error.to_string())?;
        let client = self.parts.oci.named(probe::AGENT);
        let count = Count { client, access, id: &record.id, counted: self.watched.counted() };
        let usage = count.run(self.parts.clock.seconds()).await.map_err(|error| error.to_string())?;
        let keep = async {
            let mut tx = self.parts.db.write().await?;
            store_history::keep_usage(&mut tx, &record.id, &usage).await?;
            tx.commit().await?;
            Ok::<(), crate::storage::StorageError>(())
        };
        keep.await.map_err(|error| problems::chain(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(n: u8) -> Digest {
        format!("sha256:{}", format!("{n:02x}").repeat(32)).parse().expect("a digest")
    }

    #[test]
    fn manifests_are_read_for_what_they_hold() {
        let image = format!(
            r#"{{"config":{{"digest":"{}","size":10}},"layers":[{{"digest":"{}","size":20}},{{"digest":"{}","size":9,"urls":["https://x"]}}]}}"#,
            digest(1),
            digest(2),
            digest(3)
        );
        let read = parts(image.as_bytes());
        assert_eq!((read.size, read.blobs), (image.len() as u64, vec![(digest(1), 10), (digest(2), 20)]));
        let index = format!(r#"{{"manifests":[{{"digest":"{}","size":5}}]}}"#, digest(4));
        assert_eq!(parts(index.as_bytes()).children, [digest(4)]);
        for odd in ["", "[]", r#"{"layers":[{"digest":"x"}]}"#, r#"{"config":{"digest":"sha256:1","size":-1}}"#] {
            assert_eq!(parts(odd.as_bytes()), Parts { size: odd.len() as u64, ..Parts::default() }, "{odd}");
        }
    }

    #[test]
    fn each_blob_counts_once_and_what_sharing_saves_beside_it() {
        let image = |size, blobs: &[(u8, u64)]| {
            let blobs = blobs.iter().map(|(n, size)| (digest(*n), *size)).collect();
            Arc::new(Parts { size, blobs, children: Vec::new() })
        };
        let mut sum = Sum::default();
        // Two images that share a layer; the second has two tags.
        let first = HashMap::from([
            (digest(10), image(1, &[(1, 10), (2, 100)])),
            (digest(11), image(1, &[(1, 10), (3, 1_000)])),
        ]);
        sum.add_repository(3, &first);
        // The first again, in another repository.
        sum.add_repository(1, &HashMap::from([(digest(10), image(1, &[(1, 10), (2, 100)]))]));
        // Without tags nothing is there for people.
        sum.add_repository(0, &HashMap::new());
        let usage = sum.usage(7);
        assert_eq!((usage.repositories, usage.tags, usage.bytes), (2, 4, 1_112));
        assert_eq!(usage.shared, 10 + 111);
    }

    #[test]
    fn two_do_not_count_one_registry_at_once() {
        let (counted, id) = (Counted::default(), RegistryId::from_random([1; 8]));
        let turn = counted.take(&id);
        assert!(turn.is_some() && counted.take(&id).is_none());
        drop(turn);
        assert!(counted.take(&id).is_some());
        counted.insert(&id, &digest(1), Arc::default());
        counted.retain(&id, &HashSet::new());
        assert!(counted.find(&id, &digest(1)).is_none());
    }
}
