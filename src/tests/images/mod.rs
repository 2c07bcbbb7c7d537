//! What registries hold, over a real database, against a registry with many names, one that lies, and the lab's.

mod details;
mod large;
mod lists;
mod live;
mod tags;

use crate::credentials::actor;
use crate::crowd::Crowd;
use app::api::credentials::CredentialsApi as _;
use app::api::images::{ImagesApi as _, Place};
use app::model::account::Actor;
use app::model::credential::CredentialForm;
use app::model::id::CredentialId;
use app::model::image::{Found, Listing, Search};
use app::model::secret::Secret;
use slipway::clock::Clock;
use slipway::credentials::Credentials;
use slipway::images::Images;
use slipway::oci::{Client, Limits};
use slipway::providers::{Endpoints, Providers};
use slipway::storage::Db;
use slipway::vault::Vault;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// The use cases over a database in a folder.
pub struct House {
    pub db: Db,
    pub clock: Clock,
    pub credentials: Credentials,
    pub images: Images,
    pub actor: Actor,
    stop: CancellationToken,
    watch: Option<tokio::task::JoinHandle<()>>,
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl House {
    /// Nothing runs in the background yet.
    pub async fn open(folder: &Path) -> Self {
        // Nothing of the world outside is ever asked.
        Self::with_hub(folder, "http://127.0.0.1:9").await
    }

    /// The same with an interface of Docker Hub.
    pub async fn with_hub(folder: &Path, hub: &str) -> Self {
        let db = Db::open(folder).await.expect("a database");
        let key = folder.join("master.key");
        let vault = Vault::open(&key, !key.exists()).expect("a vault");
        let clock = Clock::system();
        let limits =
            Limits { connect: Duration::from_secs(5), answer: Duration::from_secs(10), check: Duration::from_secs(10) };
        let oci = Client::with_limits(limits).expect("a client");
        let endpoints = Endpoints { hub: hub.to_owned(), ..Endpoints::default() };
        let providers = Providers::new(oci.clone(), endpoints);
        let credentials = Credentials::new(db.clone(), vault, clock.clone(), oci.clone(), providers.clone());
        let images = Images::new(db.clone(), clock.clone(), credentials.clone(), providers, oci);
        Self { db, clock, credentials, images, actor: actor(), stop: CancellationToken::new(), watch: None }
    }

    /// The same, and lists are kept fresh.
    pub async fn watching(folder: &Path) -> Self {
        let mut house = Self::open(folder).await;
        house.watch();
        house
    }

    pub fn watch(&mut self) {
        let (images, stop) = (self.images.clone(), self.stop.clone());
        self.watch = Some(tokio::spawn(async move { images.watch(stop).await }));
    }

    /// Ends everything, as at a restart.
    pub async fn close(mut self) {
        self.stop.cancel();
        if let Some(watch) = self.watch.take() {
            tokio::time::timeout(Duration::from_secs(10), watch).await.expect("it stops").expect("without a panic");
        }
        self.db.close().await;
    }

    pub async fn credential(&self, name: &str, url: &str, username: &str, password: &str) -> CredentialId {
        let form = CredentialForm {
            name: name.into(),
            url: url.into(),
            username: username.into(),
            password: Secret::new(password.into()),
            internal: Some("on".into()),
            provider: "generic".into(),
            ..CredentialForm::default()
        };
        self.credentials.create(&self.actor, form).await.expect("a credential")
    }

    pub async fn search(&self, text: &str) -> Found {
        let search = Search { text: text.into(), ..Search::default() };
        self.images.search(&self.actor, &search).await.expect("an answer")
    }

    pub async fn names(&self, text: &str) -> Vec<String> {
        self.search(text).await.hits.into_iter().map(|hit| hit.repository.into()).collect()
    }

    /// How far the list of the first credential is.
    pub async fn listing(&self) -> Listing {
        self.images.sources(&self.actor).await.expect("sources").swap_remove(0).listing
    }

    /// Waits until the list of the first credential is like this.
    pub async fn until(&self, what: &str, is_so: impl Fn(&Listing) -> bool) -> Listing {
        let begun = Instant::now();
        loop {
            let listing = self.listing().await;
            if is_so(&listing) {
                return listing;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "not {what}: {listing:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn until_complete(&self) {
        self.until("complete", |listing| matches!(listing, Listing::Complete { is_refreshing: false, .. })).await;
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.db.read()).await.expect("a number")
    }
}

pub fn place(credential: Option<&CredentialId>, crowd: &Crowd, repository: &str) -> Place {
    Place {
        credential: credential.cloned(),
        host: crowd.host().parse().expect("a host"),
        repository: repository.parse().expect("a repository"),
    }
}
