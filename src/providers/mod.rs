//! The registries' own ways: how to sign in, what repositories and tags there are, what their errors mean.
//!
//! One adapter for each [`Provider`], behind one trait; [`Providers`] picks it. What all have in common (the registry
//! protocol) is `oci`'s.

mod acr;
mod allowance;
mod ask;
mod digital_ocean;
mod docker_hub;
mod ecr;
mod explain;
mod generic;
mod ghcr;
mod gitea;
mod gitlab;
mod google_artifact;
mod harbor;
mod kept;
mod probe;
mod quay;
mod sigv4;
mod walk;

pub use probe::probe_repository;

use crate::clock::Clock;
use crate::oci::{self, Access, Login, OciError};
use app::error::Problem;
use app::model::image::Allowance;
use app::model::image_ref::{Digest, Repository, Tag};
use app::model::provider::Provider;
use async_trait::async_trait;
use generic::Generic;
use std::sync::Arc;

/// Addresses of services that aren't the registry itself; tests put their own in.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// Docker Hub's own interface.
    pub hub: String,
    /// GitHub's.
    pub github: String,
    /// DigitalOcean's.
    pub digital_ocean: String,
    /// Amazon's; `{region}` is replaced.
    pub ecr: String,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            hub: "https://hub.docker.com".into(),
            github: "https://api.github.com".into(),
            digital_ocean: "https://api.digitalocean.com".into(),
            ecr: "https://api.ecr.{region}.amazonaws.com".into(),
        }
    }
}

/// A part of a list, and where it goes on. The cursor is opaque, survives a restart, and holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is there.
    pub items: Vec<T>,
    /// Where it goes on; None: this was the last.
    pub next: Option<String>,
}

/// A repository as a registry lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedRepository {
    /// Its name, without host.
    pub name: Repository,
    /// What its registry says about it.
    pub about: Option<String>,
}

/// A tag as a registry lists it; most say the name alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTag {
    /// The tag.
    pub name: Tag,
    /// What it leads to.
    pub digest: Option<Digest>,
    /// When it was pushed, Unix seconds.
    pub at: Option<i64>,
    /// Compressed bytes.
    pub size: Option<u64>,
}

/// What an adapter did about a tag that is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untag {
    /// It is gone.
    Done,
    /// The registry protocol does it.
    Protocol,
    /// It can't be done there without losing the image. Why, and what to do.
    Cannot(&'static str, &'static str),
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// This registry doesn't list, or not to this credential. Normal. In plain words.
    #[error("{0}")]
    CannotList(String),
    /// Asked too often; try again after so many seconds.
    #[error("asked too often")]
    Wait(u64),
    /// It should have worked.
    #[error(transparent)]
    Failed(OciError),
}

/// Who asks, and for whose repositories.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The registry and the login.
    pub access: &'a Access,
    /// Owners, groups or projects to list, where it lists by those.
    pub namespaces: &'a [String],
}

/// One registry's ways. `cursor`: None for the first page.
#[async_trait]
pub trait Adapter: Send + Sync {
    /// The login that the registry accepts, made of what is stored. Most: the same.
    async fn login(&self, _access: &Access, stored: &Login) -> Result<Login, OciError> {
        Ok(stored.clone())
    }

    /// The repositories that this credential sees.
    async fn repositories(&self, asker: Asker<'_>, cursor: Option<&str>) -> Result<Page<ListedRepository>, ListError>;

    /// The tags of a repository.
    async fn tags(
        &self,
        access: &Access,
        repository: &Repository,
        cursor: Option<&str>,
    ) -> Result<Page<ListedTag>, ListError>;

    /// Repositories whose name or description fits, found by the registry itself. None: it has no search.
    async fn search(&self, _asker: Asker<'_>, _text: &str) -> Result<Option<Vec<ListedRepository>>, ListError> {
        Ok(None)
    }

    /// Deletes a tag while its manifest stays, by the registry's own interface where it has one. `Untag::Protocol`: by the
    /// registry protocol, as far as it goes.
    async fn untag(&self, _access: &Access, _repository: &Repository, _tag: &Tag) -> Result<Untag, OciError> {
        Ok(Untag::Protocol)
    }

    /// A better explanation than the general one, where the provider's words are known.
    fn explain(&self, _error: &OciError) -> Option<Problem> {
        None
    }
}

/// All adapters. Cheap to clone.
#[derive(Clone)]
pub struct Providers {
    inner: Arc<Inner>,
}

struct Inner {
    docker_hub: docker_hub::DockerHub,
    ghcr: ghcr::Ghcr,
    gitlab: gitlab::Gitlab,
    google_artifact: google_artifact::GoogleArtifact,
    ecr: ecr::Ecr,
    acr: acr::Acr,
    harbor: harbor::Harbor,
    quay: quay::Quay,
    gitea: gitea::Gitea,
    digital_ocean: digital_ocean::DigitalOcean,
    generic: Generic,
}

impl std::fmt::Debug for Providers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Providers")
    }
}

impl Providers {
    /// The adapters over the registry client.
    pub fn new(oci: oci::Client, endpoints: Endpoints) -> Self {
        Self::with_clock(oci, endpoints, Clock::system())
    }

    /// The same with a clock, by which passwords that were exchanged end.
    pub fn with_clock(oci: oci::Client, endpoints: Endpoints, clock: Clock) -> Self {
        let registry = || Generic(oci.clone());
        Self {
            inner: Arc::new(Inner {
                docker_hub: docker_hub::DockerHub::new(registry(), endpoints.hub, clock.clone()),
                ghcr: ghcr::Ghcr { registry: registry(), github: endpoints.github },
                gitlab: gitlab::Gitlab { registry: registry() },
                google_artifact: google_artifact::GoogleArtifact { registry: registry() },
                ecr: ecr::Ecr::new(registry(), endpoints.ecr, clock),
                acr: acr::Acr { registry: registry() },
                harbor: harbor::Harbor { registry: registry() },
                quay: quay::Quay { registry: registry() },
                gitea: gitea::Gitea { registry: registry() },
                digital_ocean: digital_ocean::DigitalOcean { registry: registry(), interface: endpoints.digital_ocean },
                generic: registry(),
            }),
        }
    }

    /// The adapter of a provider.
    pub fn of(&self, provider: Provider) -> &dyn Adapter {
        let inner = &self.inner;
        match provider {
            Provider::DockerHub => &inner.docker_hub,
            Provider::Ghcr => &inner.ghcr,
            Provider::Gitlab => &inner.gitlab,
            Provider::GoogleArtifact => &inner.google_artifact,
            Provider::Ecr => &inner.ecr,
            Provider::Acr => &inner.acr,
            Provider::Harbor => &inner.harbor,
            Provider::Quay => &inner.quay,
            Provider::Gitea => &inner.gitea,
            Provider::DigitalOcean => &inner.digital_ocean,
            Provider::Generic => &inner.generic,
        }
    }

    /// Docker Hub's public repositories that fit, best first; as anybody.
    pub async fn search_hub(&self, text: &str) -> Result<Vec<ListedRepository>, ListError> {
        self.inner.docker_hub.search_public(text).await
    }

    /// How many pulls Docker Hub has left for this credential (or this server's address); None: it doesn't say.
    /// Asks by HEAD, which doesn't count as a pull.
    pub async fn allowance(&self, access: &Access, now: i64) -> Result<Option<Allowance>, OciError> {
        let scope = "repository:ratelimitpreview/test:pull";
        let answer = self.inner.generic.0.head(access, "/v2/ratelimitpreview/test/manifests/latest", scope).await?;
        Ok(allowance::read(&answer.headers, now))
    }
}
