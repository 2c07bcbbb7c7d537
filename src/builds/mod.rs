//! Runs that turn commits into images.
//!
//! What must always hold: the registry is chosen once, when a build is asked for, and without one nothing starts; the
//! repository is hostile; the registry's password is in one file of the build's private folder, which is gone when the build
//! is over, and secrets are in files in memory for as long; an image counts as built once the registry itself names its
//! digest.
//!
//! `build_image` has the steps; `git` and `checkout` fetch, `read_repository` tries an access; `recipe`, `context` and
//! `frontend` look at what was fetched; `dockerfile`, `bases` and `login` sign in for base images; `inputs` and `memory` hand
//! secrets over; `buildx` builds and pushes, within `caps`, and `retry` says when again; `cache` says where the cache is;
//! `progress` and `display` show it; `observed`, `pushed` and `record` keep what came out; `causes` explains failures;
//! `deletion` notices that the registry goes.

mod ask;
mod bases;
mod build_image;
mod buildx;
mod cache;
mod caps;
mod causes;
mod check;
mod checkout;
mod context;
mod deletion;
mod display;
mod dockerfile;
mod folder;
mod frontend;
mod git;
mod inputs;
mod login;
mod memory;
mod name;
mod observed;
mod progress;
mod pushed;
mod queue;
mod read_repository;
mod recipe;
mod record;
mod retry;
mod store;
mod store_record;

pub use ask::Ask;
pub use inputs::secrets_of;

use crate::activity;
use crate::builders::Builders;
use crate::clock::Clock;
use crate::config::Config;
use crate::credentials::Credentials;
use crate::disk::Disks;
use crate::git_access::GitAccesses;
use crate::jobs::{Handler, Jobs};
use crate::oci::{self, OciError};
use crate::problems;
use crate::process::Runner;
use crate::registries::{Registries, Target};
use crate::settings::Settings;
use crate::storage::{Db, Tx};
use crate::vault::Vault;
use app::api::builds::BuildsApi;
use app::error::{AppError, Problem};
use app::model::account::{Action, Actor};
use app::model::build::{Build, CommitSha};
use app::model::build_record::Trigger;
use app::model::id::{BuildId, RegistryId, ServiceId};
use app::model::image_ref::ImageRef;
use app::model::push_name::{Named, Typed};
use app::model::queue::{Move, QueuedBuild};
use app::model::service::GitSource;
use app::paths;
use async_trait::async_trait;
use std::ffi::OsString;
use std::sync::{Arc, OnceLock};

/// What a build needs to know of its service.
#[derive(Clone, Debug)]
pub struct ServiceFacts {
    /// What people call it.
    pub name: String,
    /// Its name in paths.
    pub slug: String,
    /// The project's name in paths.
    pub project_slug: String,
    /// What to build.
    pub source: GitSource,
}

/// A build that pushed its image.
#[derive(Clone, Debug)]
pub struct FinishedBuild {
    /// Which.
    pub id: BuildId,
    /// Its number.
    pub number: i64,
    /// Of which service.
    pub service: ServiceId,
    /// With the digest that the registry confirmed.
    pub image: ImageRef,
    /// Where it was pushed.
    pub registry: RegistryId,
    /// What was built.
    pub commit: CommitSha,
    /// First line of its message.
    pub commit_subject: Option<String>,
    /// Who asked for the build.
    pub asked_by: String,
    /// Why it began.
    pub trigger: Trigger,
}

/// What became of a finished build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandedOver {
    /// Its deployment is queued.
    Queued,
    /// It waits: somebody went back, and pushes aren't deployed until somebody says so.
    Held,
}

/// What builds need from services; implemented there and plugged in by `start.rs`.
#[async_trait]
pub trait Services: Send + Sync {
    /// The facts; NotFound when the service is deleted.
    async fn facts(&self, service: &ServiceId) -> Result<ServiceFacts, AppError>;
    /// Makes a deployment of the build and its job, in the given transaction; once per build. What nobody asked for by hand
    /// waits while the service is paused.
    async fn deploy(&self, tx: &mut Tx, build: &FinishedBuild) -> Result<HandedOver, AppError>;
}

/// Most builds that are listed at once.
const MOST: u32 = 1_000;

/// Builds: the use cases behind `app::api::builds`. Cheap to clone.
#[derive(Clone)]
pub struct Builds {
    inner: Arc<Inner>,
}

struct Inner {
    parts: Parts,
    allowed: checkout::Allowed,
    caches: cache::Shelf,
    services: OnceLock<Arc<dyn Services>>,
}

impl std::ops::Deref for Inner {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

/// What builds work with.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// What time it is.
    pub clock: Clock,
    /// Seals build secrets.
    pub vault: Vault,
    /// Durable work.
    pub jobs: Jobs,
    /// What the machine can do, and the rules of builds.
    pub settings: Settings,
    /// How to sign in for base images.
    pub credentials: Credentials,
    /// Where images are pushed.
    pub registries: Registries,
    /// Whether there is room for what a build writes.
    pub disks: Disks,
    /// How to sign in at git hosts.
    pub git_accesses: GitAccesses,
    /// What runs builds.
    pub builders: Builders,
    /// Asks registries.
    pub oci: oci::Client,
    /// Starts programs.
    pub runner: Runner,
    /// The settings in force.
    pub config: Config,
    /// A file with the authority that git trusts for https repositories, beside the system's.
    pub git_ca: Option<OsString>,
}

impl Builds {
    /// The use cases over their parts; then [`Builds::set_services`], [`Builds::sweep`], and register
    /// [`Builds::handler`].
    ///
    /// `SSH_AUTH_SOCK` of Slipway's own environment is an agent for repositories without an access of their own.
    pub fn new(parts: Parts) -> Self {
        let allowed = checkout::Allowed {
            local: parts.config.local_repositories.clone(),
            known_hosts: parts.config.data_dir.join("known_hosts"),
            ca_file: parts.git_ca.clone(),
            ssh_agent: std::env::var_os("SSH_AUTH_SOCK"),
        };
        let caches = cache::Shelf::new(parts.config.data_dir.join("cache"));
        Self { inner: Arc::new(Inner { parts, allowed, caches, services: OnceLock::new() }) }
    }

    /// Plugs services in. Once, before anything is built.
    pub fn set_services(&self, services: Arc<dyn Services>) {
        if self.inner.services.set(services).is_err() {
            tracing::warn!("builds have their services already");
        }
    }

    /// The job that it runs; `start.rs` registers it.
    pub fn handler(&self) -> Arc<dyn Handler> {
        Arc::new(build_image::BuildImage::new(self.clone()))
    }

    /// Removes what builds of an earlier run of the program left. At start, before the workers.
    pub async fn sweep(&self) -> std::io::Result<()> {
        let folder = self.inner.config.builds_dir();
        let data = self.inner.config.data_dir.clone();
        let sweep = move || Ok::<_, std::io::Error>(memory::sweep(&data, None) + folder::sweep(&folder)?);
        let count = tokio::task::spawn_blocking(sweep).await.map_err(std::io::Error::other)??;
        if count > 0 {
            tracing::info!(count, "removed build folders that an earlier run left");
        }
        let services = store_record::services(self.inner.db.read()).await.map_err(std::io::Error::other)?;
        let caches = self.inner.caches.clone();
        tokio::task::spawn_blocking(move || caches.sweep(&services)).await.map_err(std::io::Error::other)?
    }

    /// How many bytes local caches of builds may hold, all together.
    pub fn set_cache_budget(&self, bytes: u64) {
        self.inner.caches.set_budget(bytes);
    }

    fn services(&self) -> Result<&Arc<dyn Services>, AppError> {
        self.inner.services.get().ok_or_else(|| AppError::NotFound("service".into()))
    }

    /// The registry that a build of this service pushes to, or why it can't start.
    async fn registry_for(&self, service: &ServiceId, facts: &ServiceFacts) -> Result<RegistryId, AppError> {
        match self.inner.registries.choose(facts.source.registry.as_ref()).await {
            Ok(Some(registry)) => Ok(registry),
            Ok(None) => {
                Err(Problem::new("registry.none", "There is no registry to push to.", "Create a registry first.")
                    .with_link(paths::NEW_REGISTRY, "Create a registry")
                    .into())
            }
            Err(AppError::NotFound(_)) => Err(Problem::new(
                "registry.gone",
                "The registry that this service builds to was deleted.",
                "Choose another one on the service.",
            )
            .with_link(paths::edit_service(service), "Edit the service")
            .into()),
            Err(error) => Err(error),
        }
    }
}

impl Builds {
    /// Why a registry takes no push, in its provider's terms where they are known.
    fn refused_push(&self, error: &OciError, target: &Target) -> Problem {
        self.inner.credentials.explain(target.provider, error)
    }
}

/// What jobs of a service's builds change: its builds, not the service, so that a roll-back never waits for a build.
fn subject(service: &ServiceId) -> String {
    format!("builds:{service}")
}

#[async_trait]
impl BuildsApi for Builds {
    async fn list(&self, actor: &Actor, of: Option<&ServiceId>, limit: u32) -> Result<Vec<Build>, AppError> {
        actor.may(Action::Read)?;
        store::list(self.inner.db.read(), of, limit.min(MOST)).await.map_err(problems::of)
    }

    async fn get(&self, actor: &Actor, id: &BuildId) -> Result<Build, AppError> {
        actor.may(Action::Read)?;
        let found = store::find(self.inner.db.read(), id).await.map_err(problems::of)?;
        found.ok_or_else(|| AppError::NotFound("build".into()))
    }

    async fn statement(&self, actor: &Actor, id: &BuildId, position: usize) -> Result<Option<String>, AppError> {
        let build = self.get(actor, id).await?;
        self.find_statement(&build, position).await
    }

    async fn queue(&self, actor: &Actor) -> Result<Vec<QueuedBuild>, AppError> {
        self.waiting(actor).await
    }

    async fn start(
        &self,
        actor: &Actor,
        service: &ServiceId,
        deploy: bool,
        no_cache: bool,
    ) -> Result<BuildId, AppError> {
        actor.may(Action::ManageServices)?;
        let ask = Ask { deploy, no_cache, ..Ask::by_hand(service, &actor.username) };
        self.ask(ask).await
    }

    async fn again(&self, actor: &Actor, id: &BuildId, no_cache: bool) -> Result<BuildId, AppError> {
        self.ask_again(actor, id, no_cache).await
    }

    async fn reorder(&self, actor: &Actor, id: &BuildId, to: Move) -> Result<(), AppError> {
        Builds::reorder(self, actor, id, to).await
    }

    async fn check_push(&self, actor: &Actor, typed: &Typed) -> Result<Named, AppError> {
        self.prove_push(actor, typed).await
    }

    async fn cancel(&self, actor: &Actor, id: &BuildId) -> Result<(), AppError> {
        actor.may(Action::ManageServices)?;
        let build = self.get(actor, id).await?;
        if build.state.is_final() {
            return Ok(());
        }
        self.inner.jobs.cancel(&build.job).await.map_err(problems::of)?;
        let mut tx = self.inner.db.write().await.map_err(problems::of)?;
        let detail = format!("{} build {}", build.service_name, build.number);
        activity::record(&mut tx, &self.inner.clock, &actor.username, "build.cancel", id.as_str(), &detail)
            .await
            .map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)
    }
}
