//! Opens the store, wires the parts, starts the loops, stops them in order.

mod lock;
mod logging;

pub use logging::start_logging;

use crate::accounts::Accounts;
use crate::builders::{self, Builders};
use crate::builds::{self, Builds};
use crate::cleanup::{self, Cleanup};
use crate::clock::Clock;
use crate::config::Config;
use crate::credentials::Credentials;
use crate::disk::{self, Disks};
use crate::docker::{Docker, DockerError};
use crate::git_access::GitAccesses;
use crate::http::{self, Web, listener};
use crate::images::Images;
use crate::jobs::Jobs;
use crate::oci;
use crate::process::Runner;
use crate::providers::{Endpoints, Providers};
use crate::registries::{self, Registries};
use crate::retention::{self, Retention};
use crate::services::Services;
use crate::settings::Settings;
use crate::storage::{Db, StorageError};
use crate::tokens::Tokens;
use crate::triggers::{self, Triggers};
use crate::vault::{Vault, VaultError, holds_secrets};
use app::api::Backend;
use app::error::AppError;
use axum::Router;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Why Slipway doesn't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A folder can't be made or made private.
    #[error("The folder {path} can't be used: {source}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another process has the data folder.
    #[error("Another Slipway (process {pid}) already works with {path}. Stop it first, or choose another data-dir.")]
    Locked {
        /// Which folder.
        path: PathBuf,
        /// Whose it is.
        pid: String,
    },
    /// The database can't be opened.
    #[error("The database in the data folder can't be opened: {0}")]
    Storage(String),
    /// The master key can't be used.
    #[error("{0}.")]
    Vault(#[from] VaultError),
    /// The setting docker-host isn't an address.
    #[error("The setting docker-host can't be used: {0}")]
    Docker(#[from] DockerError),
    /// The address can't be listened on.
    #[error("Slipway can't listen on {address}: {source}")]
    Listen {
        /// Which.
        address: std::net::SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is no client for registries without trusted certificates.
    #[error("The HTTPS client can't be made; are the system's CA certificates installed? {0}")]
    Client(String),
    /// A use case failed at start.
    #[error("{0}")]
    App(#[from] AppError),
}

impl From<StorageError> for StartError {
    fn from(error: StorageError) -> Self {
        Self::Storage(crate::problems::chain(&error))
    }
}

/// For running steps and requests to end. Steps have 20 s of their own to come to a border.
const STOP: Duration = Duration::from_secs(25);

/// All parts, wired, with nothing running yet but what needs no waiting for.
pub struct Slipway {
    /// The settings in force.
    pub config: Arc<Config>,
    /// The database.
    pub db: Db,
    /// What time it is.
    pub clock: Clock,
    /// People and sign-in.
    pub accounts: Accounts,
    /// Seals secrets.
    pub vault: Vault,
    /// Durable work.
    pub jobs: Jobs,
    /// What the machine can do; looks at Docker in a loop.
    settings: Settings,
    /// Room on disks; looked at in a loop.
    disks: Disks,
    /// How to sign in at registries; examined again in a loop.
    credentials: Credentials,
    /// Where images are pushed; those that Slipway runs are looked at in a loop.
    registries: Registries,
    /// What runs builds; looked at in a loop.
    builders: Builders,
    /// What runs in the Swarm; looks at its tasks in a loop.
    services: Services,
    /// What may be deleted from registries; runs by schedule in a loop.
    pub retention: Retention,
    /// What of our own lies on nodes; cleaned up by schedule in a loop.
    cleanup: Cleanup,
    /// What registries hold; kept fresh in a loop.
    images: Images,
    /// What the product can do.
    pub backend: Backend,
    /// The web part.
    pub web: Arc<Web>,
    /// Cancelled when everything stops.
    pub shutdown: CancellationToken,
    /// Loops and work that outlives a request.
    pub tasks: TaskTracker,
    /// Held while this process has the data folder.
    _lock: lock::Lock,
}

impl Slipway {
    /// Opens and wires everything. `runner` starts programs.
    pub async fn open(config: Config, clock: Clock, runner: Runner) -> Result<Self, StartError> {
        let config = Arc::new(config);
        for folder in [&config.data_dir, &config.logs_dir(), &config.builds_dir()] {
            private_folder(folder)?;
        }
        let lock = lock::take(&config.data_dir)?;
        let db = Db::open(&config.data_dir).await?;
        let vault = Vault::open(&config.master_key_file, !holds_secrets(db.read()).await?)?;
        let shutdown = CancellationToken::new();
        let tasks = TaskTracker::new();

        let oci = oci::Client::new().map_err(|error| StartError::Client(crate::problems::chain(&error)))?;
        let jobs = Jobs::new(db.clone(), clock.clone(), config.logs_dir());
        let accounts = Accounts::new(db.clone(), clock.clone());
        let providers = Providers::with_clock(oci.clone(), Endpoints::default(), clock.clone());
        let credentials = Credentials::new(db.clone(), vault.clone(), clock.clone(), oci.clone(), providers.clone());
        let images = Images::new(db.clone(), clock.clone(), credentials.clone(), providers.clone(), oci.clone());
        let docker = Docker::connect(&config.docker_host)?;
        let settings = Settings::new(db.clone(), clock.clone(), Config::clone(&config), docker.clone(), runner.clone());
        settings.set_jobs(jobs.clone());
        settings.control_groups().sweep();
        let disks = Disks::new(disk::Parts { docker: docker.clone(), config: Config::clone(&config) });
        let registries = Registries::new(registries::Parts {
            db: db.clone(),
            clock: clock.clone(),
            vault: vault.clone(),
            jobs: jobs.clone(),
            credentials: credentials.clone(),
            settings: settings.clone(),
            docker: docker.clone(),
            oci: oci.clone(),
            config: Config::clone(&config),
        });
        let git_accesses = GitAccesses::new(db.clone(), vault.clone(), clock.clone(), runner.clone());
        let builders = Builders::new(builders::Parts {
            db: db.clone(),
            clock: clock.clone(),
            vault: vault.clone(),
            jobs: jobs.clone(),
            docker: docker.clone(),
            runner: runner.clone(),
            config: Config::clone(&config),
        });
        let builds = Builds::new(builds::Parts {
            db: db.clone(),
            clock: clock.clone(),
            vault: vault.clone(),
            jobs: jobs.clone(),
            settings: settings.clone(),
            credentials: credentials.clone(),
            registries: registries.clone(),
            disks: disks.clone(),
            git_accesses: git_accesses.clone(),
            builders: builders.clone(),
            oci: oci.clone(),
            runner,
            config: Config::clone(&config),
            // For repositories behind a private authority.
            git_ca: std::env::var_os("GIT_SSL_CAINFO"),
        });
        let services = Services::new(
            db.clone(),
            vault.clone(),
            clock.clone(),
            jobs.clone(),
            credentials.clone(),
            registries.clone(),
            images.clone(),
            oci.clone(),
            docker.clone(),
            Config::clone(&config),
            settings.clone(),
        );
        let retention = Retention::new(retention::Parts {
            db: db.clone(),
            clock: clock.clone(),
            jobs: jobs.clone(),
            credentials: credentials.clone(),
            registries: registries.clone(),
            images: images.clone(),
            builds: builds.clone(),
            services: services.clone(),
            oci,
            providers,
        });
        let cleanup = Cleanup::new(cleanup::Parts {
            db: db.clone(),
            clock: clock.clone(),
            jobs: jobs.clone(),
            docker,
            services: services.clone(),
            builders: builders.clone(),
        });
        disks.set_volumes(Arc::new(registries.clone()));
        // Services come last in the order of nouns; the others get them plugged in.
        builds.set_services(Arc::new(services.clone()));
        git_accesses.set_reader(Arc::new(builds.clone()));
        credentials.set_users(Arc::new(services.clone()));
        images.set_swarm(Arc::new(services.clone()));
        builds.sweep().await.map_err(|source| StartError::Folder { path: config.builds_dir(), source })?;
        // All jobs there are.
        let handlers = std::iter::once(builds.handler()).chain(builders.handlers());
        for handler in handlers
            .chain(registries.handlers())
            .chain(services.handlers())
            .chain(retention.handlers())
            .chain(cleanup.handlers())
        {
            jobs.register(handler);
        }

        let triggers = Triggers::new(triggers::Parts {
            db: db.clone(),
            clock: clock.clone(),
            vault: vault.clone(),
            jobs: jobs.clone(),
            builds: builds.clone(),
            services: services.clone(),
            config: Config::clone(&config),
        });
        let backend = Backend {
            accounts: Arc::new(accounts.clone()),
            tokens: Arc::new(Tokens::new(db.clone(), clock.clone())),
            credentials: Arc::new(credentials.clone()),
            registries: Arc::new(registries.clone()),
            images: Arc::new(images.clone()),
            git_accesses: Arc::new(git_accesses),
            triggers: Arc::new(triggers),
            builders: Arc::new(builders.clone()),
            builds: Arc::new(builds),
            services: Arc::new(services.clone()),
            retention: Arc::new(retention.clone()),
            trash: Arc::new(retention.clone()),
            cleanup: Arc::new(cleanup.clone()),
            disk: Arc::new(disks.clone()),
            jobs: Arc::new(jobs.clone()),
            settings: Arc::new(settings.clone()),
        };
        let web = Arc::new(Web::new(
            Arc::clone(&config),
            backend.clone(),
            jobs.clone(),
            db.clone(),
            clock.clone(),
            tasks.clone(),
            shutdown.clone(),
        ));
        Ok(Self {
            config,
            db,
            clock,
            accounts,
            vault,
            jobs,
            settings,
            disks,
            credentials,
            registries,
            builders,
            services,
            retention,
            cleanup,
            images,
            backend,
            web,
            shutdown,
            tasks,
            _lock: lock,
        })
    }

    /// Everything that answers.
    pub fn router(&self) -> Router {
        http::router(Arc::clone(&self.web))
    }

    /// Starts the loops: jobs, the looks at Docker, and the sweep of ended sessions.
    pub fn start_loops(&self) {
        let jobs = self.jobs.start(self.shutdown.clone());
        self.tasks.spawn(async move {
            if let Err(error) = jobs.await {
                tracing::error!(%error, "the workers ended in a panic");
            }
        });
        let (settings, shutdown) = (self.settings.clone(), self.shutdown.clone());
        self.tasks.spawn(async move { settings.watch(shutdown).await });
        let (disks, shutdown) = (self.disks.clone(), self.shutdown.clone());
        self.tasks.spawn(async move { disks.watch(shutdown).await });
        let (credentials, shutdown) = (self.credentials.clone(), self.shutdown.clone());
        self.tasks.spawn(async move { credentials.watch(shutdown).await });
        let (images, shutdown) = (self.images.clone(), self.shutdown.clone());
        self.tasks.spawn(async move { images.watch(shutdown).await });
        let (registries, shutdown) = (self.registries.clone(), self.shutdown.clone());
        self.tasks.spawn(async move { registries.watch(shutdown).await });
        let (registries, shutdown) = (self.registries.clone(), self.shutdown.clone());
        self.tasks.spawn(async move { registries.watch_around(shutdown).await });
        let (builders, shutdown) = (self.builders.clone(), self.shutdown.clone());
        self.tasks.spawn(async move { builders.watch(shutdown).await });
        let (services, shutdown) = (self.services.clone(), self.shutdown.clone());
        self.tasks.spawn(async move { services.watch(shutdown).await });
        let (services, shutdown) = (self.services.clone(), self.shutdown.clone());
        self.tasks.spawn(async move { services.watch_lamps(shutdown).await });
        let (services, shutdown) = (self.services.clone(), self.shutdown.clone());
        self.tasks.spawn(async move { services.watch_tags(shutdown).await });
        let (retention, shutdown) = (self.retention.clone(), self.shutdown.clone());
        self.tasks.spawn(async move { retention.watch(shutdown).await });
        let (cleanup, shutdown) = (self.cleanup.clone(), self.shutdown.clone());
        self.tasks.spawn(async move { cleanup.watch(shutdown).await });
        let (web, shutdown) = (Arc::clone(&self.web), self.shutdown.clone());
        self.tasks.spawn(async move {
            loop {
                if let Err(error) = web.sessions.sweep().await {
                    tracing::warn!(error = %crate::problems::chain(&error), "ended sessions couldn't be deleted");
                }
                tokio::select! {
                    () = shutdown.cancelled() => break,
                    () = tokio::time::sleep(Duration::from_secs(3_600)) => {}
                }
            }
        });
    }

    /// Ends loops, jobs and the database, in this order.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.tasks.close();
        if tokio::time::timeout(STOP, self.tasks.wait()).await.is_err() {
            tracing::warn!(left = self.tasks.len(), "some work didn't end in time; the next start takes it up");
        }
        self.db.close().await;
    }
}

/// Runs the server until it is told to stop.
pub async fn serve(config: Config) -> Result<(), StartError> {
    let slipway = Slipway::open(config, Clock::system(), Runner::of_this_program()).await?;
    let address = slipway.config.listen;
    let listener = TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })?;
    let address = listener.local_addr().unwrap_or(address);
    let router = slipway.router();
    slipway.start_loops();
    announce(&slipway, address).await?;
    let shutdown = slipway.shutdown.clone();
    slipway.tasks.spawn(async move {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = told_to_stop() => tracing::info!("stopping: open requests end, running jobs go on at the next start"),
        }
        shutdown.cancel();
    });
    listener::serve(listener, router, listener::Limits::default(), slipway.shutdown.clone()).await;
    slipway.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Says where to go, and the set-up token while nobody has an account.
async fn announce(slipway: &Slipway, address: std::net::SocketAddr) -> Result<(), StartError> {
    let url = match &slipway.config.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None if address.ip().is_unspecified() => format!("http://127.0.0.1:{}", address.port()),
        None => format!("http://{address}"),
    };
    if let Some(url) = slipway.config.public_url.as_ref().filter(|url| url.scheme() == "http") {
        tracing::warn!(%url, "public-url isn't https: nobody can sign in there, because passwords could be read on the way");
    }
    tracing::info!("Slipway listens at {url}");
    if let Some(token) = slipway.accounts.renew_setup_token().await? {
        tracing::info!("Set-up token (good for one hour, once): {token}");
        tracing::info!("Open {url}/setup and enter it to create the owner's account");
    }
    Ok(())
}

/// Until SIGTERM or SIGINT. From the first poll on they no longer end the process by themselves.
pub async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "signals can't be received; stop Slipway with kill -9");
            std::future::pending::<()>().await;
        }
    }
}

/// Makes a folder that only we may enter.
pub fn private_folder(path: &Path) -> Result<(), StartError> {
    let failed = |source| StartError::Folder { path: path.to_owned(), source };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if metadata.permissions().mode() & 0o077 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}
