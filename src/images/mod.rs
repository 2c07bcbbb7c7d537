//! What registries hold: an index of repositories and tags, kept fresh in the background, searched in memory.
//!
//! What must always hold: pages never wait for a registry; what one credential sees is never shown through another; an
//! entry goes only after a complete pass didn't see it; a registry that can't list is no empty registry.

mod book;
mod details;
pub(crate) mod document;
mod found;
pub(crate) mod image_config;
mod index;
mod live;
mod names;
mod pass;
mod patience;
mod query;
mod refresh;
mod shelf;
mod spot;
mod state;
mod store;
mod store_details;
mod store_tags;
mod tags;
mod version;

use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::oci;
use crate::providers::Providers;
use crate::storage::Db;
use app::api::images::{ImagesApi, Place, TagSearch};
use app::error::AppError;
use app::model::account::{Action, Actor};
use app::model::credential::{CredentialState, RegistryUrl};
use app::model::id::CredentialId;
use app::model::image::{Fit, Found, Image, RunsIn, Search, Source, TagLine, Tags};
use app::model::image_ref::{ImageRef, RegistryHost, Repository};
use app::model::platform::Platform;
use async_trait::async_trait;
use spot::Spot;
use std::sync::{Arc, OnceLock};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the Swarm says; a later noun plugs it in.
#[async_trait]
pub trait Swarm: Send + Sync {
    /// What each service runs now. From memory and the database.
    async fn running(&self) -> Result<Vec<RunsIn>, AppError>;
    /// The platforms of the nodes that take tasks; empty: not known.
    fn platforms(&self) -> Vec<Platform>;
}

/// What registries hold. Cheap to clone.
#[derive(Clone)]
pub struct Images {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    clock: Clock,
    credentials: Credentials,
    providers: Providers,
    oci: oci::Client,
    swarm: OnceLock<Arc<dyn Swarm>>,
    shelves: shelf::Shelves,
    books: book::Books,
    pictures: found::Pictures,
    live: live::Live,
    /// Something may be due.
    wake: Notify,
    /// Ends what runs in the background.
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Docker Hub's address.
fn hub() -> RegistryUrl {
    RegistryUrl { plain: false, host: docker_hub() }
}

/// Docker Hub.
#[expect(clippy::expect_used, reason = "a constant that is a host name, as the tests show")]
fn docker_hub() -> RegistryHost {
    RegistryHost::DOCKER_HUB.parse().expect("Docker Hub's name is a host name")
}

/// How many somebody wants: 50 if that isn't said, 200 at most.
fn bounded(limit: u64) -> usize {
    match limit {
        0 => 50,
        limit => usize::try_from(limit.min(200)).unwrap_or(200),
    }
}

impl Images {
    /// The use cases over their parts.
    pub fn new(db: Db, clock: Clock, credentials: Credentials, providers: Providers, oci: oci::Client) -> Self {
        Self {
            inner: Arc::new(Inner {
                db,
                clock,
                credentials,
                providers,
                oci,
                swarm: OnceLock::new(),
                shelves: shelf::Shelves::default(),
                books: book::Books::default(),
                pictures: found::Pictures::default(),
                live: live::Live::default(),
                wake: Notify::new(),
                stop: CancellationToken::new(),
                tasks: TaskTracker::new(),
            }),
        }
    }

    /// Plugs the Swarm in, once.
    pub fn set_swarm(&self, swarm: Arc<dyn Swarm>) {
        drop(self.inner.swarm.set(swarm));
    }

    /// Reads the kept index into memory, then keeps it fresh until `stop`. Started by `start.rs`.
    pub async fn watch(&self, stop: CancellationToken) {
        if let Err(error) = self.inner.load().await {
            tracing::error!(%error, "the kept lists of repositories can't be read; they are read anew from the registries");
        }
        self.inner.keep_fresh(&stop).await;
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }
}

#[async_trait]
impl ImagesApi for Images {
    async fn sources(&self, actor: &Actor) -> Result<Vec<Source>, AppError> {
        actor.may(Action::Read)?;
        let credentials = self.inner.credentials.every().await?;
        Ok(self.inner.sources(&self.inner.look(&credentials), true))
    }

    async fn search(&self, actor: &Actor, search: &Search) -> Result<Found, AppError> {
        actor.may(Action::Read)?;
        self.inner.search(search).await
    }

    async fn tags(&self, actor: &Actor, place: &Place, search: &TagSearch, fetch: bool) -> Result<Tags, AppError> {
        actor.may(Action::Read)?;
        let inner = &self.inner;
        let (key, _) = inner.key(place).await?;
        let book = inner.book(&key).await?;
        if fetch && (book.state().is_stale(inner.clock.seconds()) || book.state().is_reading) {
            let spot = inner.spot(place).await?;
            inner.fetch_tags(spot, &book).await;
        }
        let running = inner.runs_in(&place.host, &place.repository).await?;
        let offset = usize::try_from(search.offset).unwrap_or(usize::MAX);
        let text = tags::filter_text(&search.text);
        let (part, total, count) = {
            let mut pages = book.pages();
            let (part, total) = pages.part(&text, search.order, offset, bounded(search.limit));
            (part, total, pages.len())
        };
        let listing = book.state().listing(count);
        let line = |entry: book::Entry| TagLine {
            runs_in: running
                .iter()
                .filter(|service| match (&service.image.tag, &service.image.digest) {
                    (Some(tag), _) => *tag == entry.name,
                    (None, digest) => digest.is_some() && *digest == entry.digest,
                })
                .cloned()
                .collect(),
            tag: entry.name,
            digest: entry.digest,
            at: entry.at,
            size: entry.size,
        };
        let total = u64::try_from(total).unwrap_or(u64::MAX);
        Ok(Tags { tags: part.into_iter().map(line).collect(), total, listing })
    }

    async fn image(
        &self,
        actor: &Actor,
        place: &Place,
        reference: &str,
        fetch: bool,
    ) -> Result<Option<Image>, AppError> {
        actor.may(Action::Read)?;
        self.inner.image(place, reference, fetch).await
    }

    async fn credential_for(&self, actor: &Actor, reference: &ImageRef) -> Result<Option<CredentialId>, AppError> {
        actor.may(Action::Read)?;
        let mut credentials = self.inner.credentials.every().await?;
        credentials.retain(|credential| credential.url.host == reference.host);
        let name = reference.repository.as_str();
        let owner = name.split('/').next().unwrap_or_default();
        // The best first; those that are as good stay in the order of their names.
        credentials.sort_by_key(|credential| {
            let sees_it = self.inner.shelves.of(credential).index().has(name);
            let works = credential.state == CredentialState::Works;
            let is_owner = credential.namespaces.iter().any(|it| it.eq_ignore_ascii_case(owner))
                || credential.username.eq_ignore_ascii_case(owner);
            (!works, !sees_it, !is_owner)
        });
        Ok(credentials.into_iter().next().map(|credential| credential.id))
    }

    async fn runs_in(
        &self,
        actor: &Actor,
        host: &RegistryHost,
        repository: &Repository,
    ) -> Result<Vec<RunsIn>, AppError> {
        actor.may(Action::Read)?;
        self.inner.runs_in(host, repository).await
    }

    async fn fit(&self, actor: &Actor, image: &Image) -> Result<Fit, AppError> {
        actor.may(Action::Read)?;
        Ok(found::fit(self.inner.nodes(), image))
    }

    async fn refresh(&self, actor: &Actor, credential: &CredentialId) -> Result<(), AppError> {
        actor.may(Action::ManageCredentials)?;
        let credentials = self.inner.credentials.every().await?;
        let Some(credential) = credentials.iter().find(|it| it.id == *credential) else {
            return Err(AppError::NotFound("credential".into()));
        };
        self.inner.shelves.of(credential).state().is_wanted = true;
        self.inner.wake.notify_one();
        Ok(())
    }
}
