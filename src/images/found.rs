//! The search across credentials, and images by tag and digest: from memory, the database, and registries if that is asked
//! for.

use super::book::Key;
use super::details::Reader;
use super::query::Query;
use super::shelf::Shelf;
use super::store_tags::Shelfmark;
use super::{Inner, Spot, bounded, docker_hub, index, store, store_details};
use crate::oci::Access;
use crate::problems;
use app::api::images::Place;
use app::error::AppError;
use app::model::credential::{Credential, RegistryUrl};
use app::model::id::CredentialId;
use app::model::image::{Fit, Found, Hit, Image, Listing, RunsIn, Search, Source};
use app::model::image_ref::{Digest, RegistryHost, Repository, Tag};
use app::model::platform::Platform;
use app::model::provider::Provider;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A tag leads to the same digest for so many seconds.
const SAME: i64 = 60;
/// Tags whose digest is kept in memory, and images that anybody sees.
const TAGS: usize = 5_000;
const IMAGES: usize = 100;
/// Longest details that are kept.
const LONGEST: usize = 2 * 1024 * 1024;

/// Digests of tags, and images that anybody sees, in memory.
#[derive(Default)]
pub(super) struct Pictures {
    digests: Mutex<HashMap<(Key, Tag), (Digest, i64)>>,
    public: Mutex<HashMap<(Key, Digest), Image>>,
}

impl Pictures {
    fn digests(&self) -> MutexGuard<'_, HashMap<(Key, Tag), (Digest, i64)>> {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn public(&self) -> MutexGuard<'_, HashMap<(Key, Digest), Image>> {
        self.public.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether nodes can run the image.
pub(super) fn fit(nodes: Vec<Platform>, image: &Image) -> Fit {
    let platforms: Vec<&Platform> = image.platforms.iter().filter_map(|image| image.platform.as_ref()).collect();
    if nodes.is_empty() || platforms.is_empty() {
        return Fit::Unknown;
    }
    let runs = |node: &Platform| platforms.iter().any(|platform| node.runs(platform));
    let (fitting, mut missing): (Vec<Platform>, Vec<Platform>) = nodes.into_iter().partition(runs);
    missing.sort();
    missing.dedup();
    match (fitting.is_empty(), missing.is_empty()) {
        (true, _) => Fit::None { nodes: missing },
        (false, true) => Fit::All,
        (false, false) => Fit::Some { missing },
    }
}

impl Inner {
    pub(super) fn nodes(&self) -> Vec<Platform> {
        self.swarm.get().map(|swarm| swarm.platforms()).unwrap_or_default()
    }

    pub(super) async fn running(&self) -> Result<Vec<RunsIn>, AppError> {
        match self.swarm.get() {
            Some(swarm) => swarm.running().await,
            None => Ok(Vec::new()),
        }
    }

    pub(super) async fn runs_in(&self, host: &RegistryHost, repository: &Repository) -> Result<Vec<RunsIn>, AppError> {
        let mut running = self.running().await?;
        running.retain(|service| service.image.host == *host && service.image.repository == *repository);
        Ok(running)
    }

    /// Somebody looks at the lists of these credentials: those that are old are read anew in the background.
    pub(super) fn look(&self, credentials: &[Credential]) -> Vec<(Credential, Arc<Shelf>)> {
        let now = self.clock.seconds();
        let look = |credential: &Credential| {
            let shelf = self.shelves.of(credential);
            let is_due = {
                let mut state = shelf.state();
                state.look(now);
                state.is_due(now)
            };
            if is_due {
                self.wake.notify_one();
            }
            (credential.clone(), shelf)
        };
        credentials.iter().map(look).collect()
    }

    /// Where images come from. `with_hub`: Docker Hub as anybody, too.
    pub(super) fn sources(&self, shelves: &[(Credential, Arc<Shelf>)], with_hub: bool) -> Vec<Source> {
        let mut sources: Vec<Source> = shelves
            .iter()
            .map(|(credential, shelf)| Source {
                credential: Some(credential.id.clone()),
                name: credential.name.clone(),
                host: credential.url.host.clone(),
                listing: shelf.listing(),
                allowance: self.live.allowance(Some(&credential.id)),
            })
            .collect();
        if with_hub {
            sources.push(Source {
                credential: None,
                name: "Docker Hub".into(),
                host: docker_hub(),
                listing: Listing::CannotList { why: "Docker Hub is searched, not listed: type a name.".into() },
                allowance: self.live.allowance(None),
            });
        }
        sources
    }

    pub(super) async fn search(self: &Arc<Self>, search: &Search) -> Result<Found, AppError> {
        let mut credentials = self.credentials.every().await?;
        if let Some(only) = &search.credential {
            credentials.retain(|credential| credential.id == *only);
            if credentials.is_empty() {
                return Err(AppError::NotFound("credential".into()));
            }
        }
        let mut hosts: Vec<RegistryHost> = credentials.iter().map(|credential| credential.url.host.clone()).collect();
        hosts.push(docker_hub());
        let query = Query::parse(&search.text, &hosts);
        if let Some(host) = &query.host {
            credentials.retain(|credential| credential.url.host == *host);
        }
        let with_hub = search.credential.is_none() && query.host.as_ref().is_none_or(RegistryHost::is_docker_hub);
        let shelves = self.look(&credentials);
        let (offset, limit) = (usize::try_from(search.offset).unwrap_or(usize::MAX), bounded(search.limit));
        let found = scan(&shelves, &query, offset, limit).await?;

        let running = self.running().await?;
        let hit = |credential: Option<&Credential>, repository: Repository, about: Option<String>| {
            let host = credential.map_or_else(docker_hub, |credential| credential.url.host.clone());
            let runs = |service: &&RunsIn| service.image.host == host && service.image.repository == repository;
            Hit {
                credential: credential.map(|credential| credential.id.clone()),
                source: credential.map_or_else(|| "Docker Hub".to_owned(), |credential| credential.name.clone()),
                runs_in: running.iter().filter(runs).cloned().collect(),
                host,
                repository,
                about,
            }
        };
        let mut hits = Vec::new();
        for (at, name) in found.hits {
            let Some((credential, shelf)) = shelves.get(at) else { continue };
            let about = shelf.index().about(&name).map(str::to_owned);
            hits.extend(name.parse().ok().map(|name| hit(Some(credential), name, about)));
        }
        let room = limit.saturating_sub(hits.len());
        if search.live && room > 0 && query.text().len() >= 2 {
            for credential in credentials.iter().filter(|credential| credential.url.host.is_docker_hub()) {
                self.note_hub_use(Some(&credential.id));
            }
            let mut more = Vec::new();
            for (asker, found) in self.search_live(&credentials, with_hub, &query).await {
                let asked = asker.and_then(|at| shelves.get(at));
                let is_new = |name: &Repository| asked.is_none_or(|(_, shelf)| !shelf.index().has(name.as_str()));
                let found = found.into_iter().filter(|(name, _)| is_new(name));
                more.extend(found.map(|(name, about)| hit(asked.map(|(credential, _)| credential), name, about)));
            }
            // What the index has comes first; behind its last page the others go on.
            hits.extend(more.into_iter().skip(offset.saturating_sub(found.total)).take(room));
        }
        let total = u64::try_from(found.total).unwrap_or(u64::MAX);
        Ok(Found { hits, total, sources: self.sources(&shelves, with_hub) })
    }

    /// Whose view of which repository it is: the credential must be there, and of the same host.
    pub(super) async fn key(&self, place: &Place) -> Result<(Key, Option<Credential>), AppError> {
        let key = |credential| Key { credential, host: place.host.clone(), repository: place.repository.clone() };
        let Some(id) = &place.credential else { return Ok((key(None), None)) };
        let credentials = self.credentials.every().await?;
        let found = credentials.into_iter().find(|it| it.id == *id && it.url.host == place.host);
        let credential = found.ok_or_else(|| AppError::NotFound("repository".into()))?;
        Ok((key(Some((credential.id.clone(), credential.version))), Some(credential)))
    }

    /// What it takes to ask its registry.
    pub(super) async fn spot(self: &Arc<Self>, place: &Place) -> Result<Spot, AppError> {
        let (key, credential) = self.key(place).await?;
        if place.host.is_docker_hub() {
            self.note_hub_use(place.credential.as_ref());
        }
        Ok(match credential {
            Some(credential) => {
                let access = self.credentials.access(&credential.id).await?;
                Spot { key, access, provider: credential.provider }
            }
            None => {
                let url = RegistryUrl { plain: place.host.is_loopback(), host: place.host.clone() };
                Spot { key, access: Access::public(url), provider: Provider::of_host(&place.host) }
            }
        })
    }

    pub(super) async fn image(
        self: &Arc<Self>,
        place: &Place,
        reference: &str,
        fetch: bool,
    ) -> Result<Option<Image>, AppError> {
        let (key, _) = self.key(place).await?;
        let (tag, digest) = match reference.parse::<Digest>() {
            Ok(digest) => (None, Some(digest)),
            Err(_) => match reference.parse::<Tag>() {
                Ok(tag) => (Some(tag), None),
                Err(error) => return Err(AppError::field("reference", error.0)),
            },
        };
        let digest = match (&tag, digest) {
            (Some(tag), _) => self.known_digest(&key, tag, fetch).await?,
            (None, digest) => digest,
        };
        if let Some(digest) = &digest
            && let Some(mut image) = self.kept_image(&key, digest).await?
        {
            image.reference.tag = tag;
            return Ok(Some(image));
        }
        if !fetch {
            return Ok(None);
        }
        let spot = self.spot(place).await?;
        let digest = match (digest, &tag) {
            (Some(digest), _) => Some(digest),
            (None, Some(tag)) => self.asked_digest(&spot, tag).await?,
            (None, None) => None,
        };
        let Some(digest) = digest else { return Ok(None) };
        let kept = self.kept_image(&key, &digest).await?;
        let mut image = match kept {
            Some(image) => image,
            None => {
                let nodes = self.nodes();
                let reader = Reader { oci: &self.oci, providers: &self.providers, spot: &spot, nodes: &nodes };
                let Some(image) = reader.read(&digest, self.clock.seconds()).await? else { return Ok(None) };
                self.keep_image(&key, &digest, &image).await?;
                image
            }
        };
        image.reference.tag = tag;
        self.learn_tag(&key, &image).await?;
        Ok(Some(image))
    }

    /// The digest of a tag without asking: of the last minute, or (if nobody may ask) the last one known.
    async fn known_digest(&self, key: &Key, tag: &Tag, may_ask: bool) -> Result<Option<Digest>, AppError> {
        let now = self.clock.seconds();
        if let Some((digest, at)) = self.pictures.digests().get(&(key.clone(), tag.clone()))
            && (!may_ask || now.saturating_sub(*at) < SAME)
        {
            return Ok(Some(digest.clone()));
        }
        if may_ask {
            return Ok(None);
        }
        let book = self.book(key).await?;
        let known = book.pages().get(tag.as_str()).and_then(|entry| entry.digest.clone());
        Ok(known)
    }

    /// By HEAD, which no registry counts as a pull.
    async fn asked_digest(&self, spot: &Spot, tag: &Tag) -> Result<Option<Digest>, AppError> {
        let found = self.oci.digest(&spot.access, &spot.key.repository, tag.as_str()).await;
        let found = found.map_err(|error| spot.explain(&self.providers, &error))?;
        let now = self.clock.seconds();
        let mut digests = self.pictures.digests();
        if digests.len() >= TAGS {
            digests.retain(|_, (_, at)| now.saturating_sub(*at) < SAME);
        }
        let key = (spot.key.clone(), tag.clone());
        match &found {
            Some(digest) if digests.len() < TAGS => drop(digests.insert(key, (digest.clone(), now))),
            _ => drop(digests.remove(&key)),
        }
        Ok(found)
    }

    async fn kept_image(&self, key: &Key, digest: &Digest) -> Result<Option<Image>, AppError> {
        let Some((credential, version)) = &key.credential else {
            return Ok(self.pictures.public().get(&(key.clone(), digest.clone())).cloned());
        };
        let mark = mark(credential, *version, key);
        let Some((text, used_at)) = store_details::find(self.db.read(), mark, digest).await.map_err(problems::of)?
        else {
            return Ok(None);
        };
        let now = self.clock.seconds();
        if now.saturating_sub(used_at) > 3_600 {
            let mut tx = self.db.write().await.map_err(problems::of)?;
            store_details::touch(&mut tx, mark, digest, now).await.map_err(problems::of)?;
            tx.commit().await.map_err(problems::of)?;
        }
        // What an older Slipway wrote in another form is read anew.
        Ok(serde_json::from_str(&text).ok())
    }

    async fn keep_image(&self, key: &Key, digest: &Digest, image: &Image) -> Result<(), AppError> {
        let Some((credential, version)) = &key.credential else {
            let mut public = self.pictures.public();
            if public.len() >= IMAGES {
                public.clear();
            }
            public.insert((key.clone(), digest.clone()), image.clone());
            return Ok(());
        };
        let text = crate::storage::to_json(image, "details of an image").map_err(problems::of)?;
        if text.len() > LONGEST {
            return Ok(());
        }
        let mut tx = self.db.write().await.map_err(problems::of)?;
        if store::open(&mut tx, credential, *version).await.map_err(problems::of)?.is_some() {
            let mark = mark(credential, *version, key);
            store_details::keep(&mut tx, mark, digest, &text, self.clock.seconds()).await.map_err(problems::of)?;
            tx.commit().await.map_err(problems::of)?;
        }
        Ok(())
    }
}

fn mark<'a>(credential: &'a CredentialId, version: i64, key: &'a Key) -> Shelfmark<'a> {
    Shelfmark { credential, version, repository: &key.repository }
}

/// The scan takes a processor for a millisecond or more, so it isn't done where requests are served.
async fn scan(
    shelves: &[(Credential, Arc<Shelf>)],
    query: &Query,
    offset: usize,
    limit: usize,
) -> Result<index::Hits, AppError> {
    let shelves: Vec<Arc<Shelf>> = shelves.iter().map(|(_, shelf)| Arc::clone(shelf)).collect();
    let words = query.words.clone();
    let scan = move || {
        let guards: Vec<_> = shelves.iter().map(|shelf| shelf.index()).collect();
        let indexes: Vec<&index::Index> = guards.iter().map(|guard| &**guard).collect();
        index::search(&indexes, &words, offset, limit)
    };
    tokio::task::spawn_blocking(scan).await.map_err(problems::of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::image::PlatformImage;

    #[test]
    fn images_fit_all_some_or_none_of_the_nodes() {
        let platforms =
            |texts: &[&str]| -> Vec<Platform> { texts.iter().map(|text| text.parse().expect("a platform")).collect() };
        let image = |texts: &[&str]| Image {
            reference: "a/b:1".parse().expect("a reference"),
            media_type: String::new(),
            platforms: platforms(texts)
                .into_iter()
                .map(|platform| PlatformImage {
                    platform: Some(platform),
                    digest: format!("sha256:{}", "a".repeat(64)).parse().expect("a digest"),
                    size: 0,
                    config: None,
                    layers: vec![],
                })
                .collect(),
            attestations: vec![],
            annotations: vec![],
            at: 0,
        };
        let both = image(&["linux/amd64", "linux/arm64"]);
        assert_eq!(fit(platforms(&["linux/arm64", "linux/amd64"]), &both), Fit::All);
        assert_eq!(
            fit(platforms(&["linux/arm64", "linux/s390x", "linux/s390x"]), &both),
            Fit::Some { missing: platforms(&["linux/s390x"]) }
        );
        assert_eq!(
            fit(platforms(&["linux/arm64"]), &image(&["linux/amd64"])),
            Fit::None { nodes: platforms(&["linux/arm64"]) }
        );
        assert_eq!(fit(platforms(&["linux/arm64"]), &image(&["linux/arm/v7"])), Fit::All);
        assert_eq!(fit(vec![], &both), Fit::Unknown);
        assert_eq!(fit(platforms(&["linux/amd64"]), &image(&[])), Fit::Unknown);
        assert_eq!(docker_hub().as_str(), "docker.io");
    }
}
