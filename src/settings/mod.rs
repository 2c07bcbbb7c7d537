//! What the machine can do, found by looking, Swarm mode, and the rules of builds.
//!
//! What must always hold: a page never waits for Docker. [`Settings::watch`] looks every few seconds and keeps what it
//! found; everybody else reads that.

mod address;
mod api;
mod buildx;
mod rules;
mod store;

use crate::clock::Clock;
use crate::config::Config;
use crate::docker::{ControlGroups, Docker, Engine, SwarmMode, has_ipvs};
use crate::jobs::Jobs;
use crate::process::Runner;
use crate::storage::Db;
use app::model::settings::{DockerState, Host};
use std::path::Path;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks while all is well.
const EVERY: Duration = Duration::from_secs(5);
/// Between two looks while it isn't.
const SOON: Duration = Duration::from_secs(2);
/// Between two looks for buildx; it changes when somebody installs it. Milliseconds.
const BUILDX_EVERY: i64 = 60_000;

/// What the machine can do. Cheap to clone.
#[derive(Clone)]
pub struct Settings {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    clock: Clock,
    config: Config,
    docker: Docker,
    runner: Runner,
    host: RwLock<Host>,
    /// When buildx was last looked for, Unix milliseconds.
    buildx_at: std::sync::atomic::AtomicI64,
    control_groups: ControlGroups,
    jobs: OnceLock<Jobs>,
}

impl Settings {
    /// Knows nothing until the first look.
    pub fn new(db: Db, clock: Clock, config: Config, docker: Docker, runner: Runner) -> Self {
        // Two Slipways on one machine have two data folders.
        let owner = digest_of(&config.data_dir);
        let control_groups = ControlGroups::new(&config.docker_host, &owner);
        let inner = Inner {
            db,
            clock,
            config,
            docker,
            runner,
            host: RwLock::default(),
            buildx_at: std::sync::atomic::AtomicI64::new(i64::MIN),
            control_groups,
            jobs: OnceLock::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// What was found when last looked.
    pub fn host_now(&self) -> Host {
        self.inner.host.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at once, then again and again, until `stop`. Started by `start.rs`.
    pub async fn watch(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let looked = tokio::select! {
                looked = self.look() => looked,
                () = stop.cancelled() => return,
            };
            let pause = if looked.docker == DockerState::Ready { EVERY } else { SOON };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Looks now, keeps what is found, and says it.
    pub async fn look(&self) -> Host {
        let before = self.host_now();
        let buildx = self.buildx_version(&before).await;
        let mut host = match self.inner.docker.look().await {
            Ok(engine) => self.host(engine).await,
            Err(error) => Host {
                docker: DockerState::Unreachable { reason: error.to_string() },
                // What was known stays readable while Docker is away.
                ..before.clone()
            },
        };
        host.buildx = buildx;
        host.looked_at = self.inner.clock.seconds();
        if host.docker != before.docker {
            tell(&host.docker);
        }
        *self.inner.host.write().unwrap_or_else(PoisonError::into_inner) = host.clone();
        host
    }

    async fn host(&self, engine: Engine) -> Host {
        let docker = match engine.swarm {
            SwarmMode::Manager => DockerState::Ready,
            SwarmMode::Worker => DockerState::NotManager,
            SwarmMode::Off => {
                DockerState::NoSwarm { suggested_address: address::suggested(self.inner.docker.address()).await }
            }
            SwarmMode::Broken(why) => DockerState::Unreachable { reason: format!("Docker answers, but {why}") },
        };
        Host {
            docker,
            docker_version: engine.version,
            containerd_store: engine.containerd_store,
            has_ipvs: has_ipvs(Path::new("/")),
            nodes: engine.nodes,
            platform: engine.platform,
            ..Host::default()
        }
    }

    /// `docker buildx version`, or why it can't be run; asked once a minute.
    async fn buildx_version(&self, before: &Host) -> Result<String, String> {
        let now = self.inner.clock.millis();
        let asked = &self.inner.buildx_at;
        if asked.load(std::sync::atomic::Ordering::Relaxed) > now.saturating_sub(BUILDX_EVERY) {
            return before.buildx.clone();
        }
        asked.store(now, std::sync::atomic::Ordering::Relaxed);
        buildx::version(&self.inner.runner).await
    }
}

/// A short name for a path.
fn digest_of(path: &Path) -> String {
    use sha2::Digest as _;
    use std::os::unix::ffi::OsStrExt as _;
    let digest = sha2::Sha256::digest(path.as_os_str().as_bytes());
    app::model::text::hex(&digest[..6])
}

fn tell(state: &DockerState) {
    match state {
        DockerState::Ready => tracing::info!("Docker answers and manages a Swarm"),
        DockerState::NoSwarm { .. } => tracing::warn!("Docker answers, but isn't in Swarm mode; start it in Settings"),
        DockerState::NotManager => tracing::warn!("Docker is a worker of its Swarm; connect Slipway to a manager"),
        DockerState::Unreachable { reason } => tracing::warn!(reason, "Docker can't be used now"),
        DockerState::Unknown => {}
    }
}
