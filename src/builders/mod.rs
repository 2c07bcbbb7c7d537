//! What runs builds: the engine itself, containers of BuildKit, and builders elsewhere.
//!
//! What must always hold: a page never waits for a builder; which one builds is decided by platforms, and emulation only
//! where nothing native fits; what buildx keeps can be made anew from the database; keys are files only while a program
//! needs them.
//!
//! `choose` decides; `watch` looks and `seen` keeps what it saw; `buildx` has the command lines; `repair` keeps buildx's own
//! folder right; `causes` explains failures.

mod api;
mod buildx;
mod causes;
mod choose;
mod clear;
mod keys;
mod repair;
mod seen;
mod store;
mod trim;
mod watch;

pub use choose::Wish;
pub use trim::Cache;

use crate::clock::Clock;
use crate::config::Config;
use crate::docker::Docker;
use crate::jobs::{Handler, Jobs};
use crate::problems;
use crate::process::Runner;
use crate::storage::Db;
use crate::vault::Vault;
use app::error::{AppError, Problem};
use app::model::build_record::{BuildRecord, BuildWarning};
use app::model::builder::{BuilderKind, BuilderNode, Caps, Tls, WhichBuilder};
use app::model::id::BuilderId;
use app::model::image_ref::ImageRef;
use app::model::platform::Platform;
use app::paths;
use buildx::{Definition, Place};
use choose::{Candidate, Health};
use keys::{Files, Held, KeyFiles};
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The engine that Slipway deploys to, as a resource of jobs.
pub const ENGINE: &str = "builder:engine";
/// The code of the problem that the engine can't be asked.
pub const AWAY: &str = "builder.engine";
/// What people read for it.
const ENGINE_NAME: &str = "This engine";
/// What buildx's names of our builders begin with.
const PREFIX: &str = "slipway-";

/// What builds one build.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// Which; none: the engine's own.
    pub id: Option<BuilderId>,
    /// What people call it.
    pub name: String,
    /// buildx's name for it, for `--builder`; none: the engine's own.
    pub buildx: Option<String>,
    /// BUILDX_CONFIG, where buildx finds it; none: the build's own folder.
    pub config: Option<PathBuf>,
    /// What a job that builds takes a place of.
    pub resource: String,
    /// Platforms that it can only emulate.
    pub emulated: Vec<Platform>,
    /// What people should know of how it was chosen.
    pub note: Option<String>,
}

impl Default for Chosen {
    /// The engine's own.
    fn default() -> Self {
        Self {
            id: None,
            name: ENGINE_NAME.into(),
            buildx: None,
            config: None,
            resource: ENGINE.into(),
            emulated: Vec::new(),
            note: None,
        }
    }
}

impl Chosen {
    /// What emulation costs, where there is any.
    pub fn warning(&self) -> Option<String> {
        let names: Vec<_> = self.emulated.iter().map(ToString::to_string).collect();
        (!names.is_empty()).then(|| {
            format!(
                "{} is emulated by {}: commands run several times slower than natively. A builder on such a machine would be \
                 faster.",
                names.join(" and "),
                self.name
            )
        })
    }

    /// The record of a build, with what the builder has to do with it.
    pub fn noted_in(&self, mut record: BuildRecord) -> BuildRecord {
        record.emulated.clone_from(&self.emulated);
        let said = self.note.clone().into_iter().chain(self.warning());
        record.warnings.extend(said.map(|text| BuildWarning { text, line: None, url: None }));
        record
    }
}

/// Held while a build runs on a builder: its keys are files as long.
#[derive(Debug)]
pub struct Opened {
    _files: Option<Arc<Files>>,
}

/// What builders work with.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// What time it is.
    pub clock: Clock,
    /// Seals keys.
    pub vault: Vault,
    /// Durable work.
    pub jobs: Jobs,
    /// The engine.
    pub docker: Docker,
    /// Starts buildx.
    pub runner: Runner,
    /// The settings in force.
    pub config: Config,
}

/// What runs builds: the use cases behind `app::api::builders`. Cheap to clone.
#[derive(Clone)]
pub struct Builders {
    inner: Arc<Inner>,
}

struct Inner {
    parts: Parts,
    place: Place,
    seen: seen::Seen,
    held: Held,
    /// Held while buildx's folder is changed.
    repairing: tokio::sync::Mutex<()>,
    wake: tokio::sync::Notify,
}

impl std::fmt::Debug for Builders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Builders")
    }
}

/// A builder that was added, as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    id: BuilderId,
    name: String,
    kind: BuilderKind,
    image: ImageRef,
    caps: Caps,
    nodes: Vec<BuilderNode>,
    limit: Option<u32>,
    version: i64,
}

impl Builders {
    /// The use cases over their parts.
    pub fn new(parts: Parts) -> Self {
        let place = Place {
            folder: parts.config.data_dir.join("buildx"),
            docker_host: parts.config.docker_host.clone(),
            ssh_agent: std::env::var_os("SSH_AUTH_SOCK"),
        };
        if let Err(error) = Held::sweep(&place.folder) {
            tracing::warn!(%error, "keys that an earlier run left can't be removed");
        }
        let inner = Inner {
            parts,
            place,
            seen: seen::Seen::default(),
            held: Held::default(),
            repairing: tokio::sync::Mutex::default(),
            wake: tokio::sync::Notify::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The jobs that it runs; `start.rs` registers them.
    pub fn handlers(&self) -> Vec<Arc<dyn Handler>> {
        vec![Arc::new(clear::Clear(self.clone()))]
    }

    /// The one that builds, by what is known now; never waits.
    pub async fn choose(&self, wish: &Wish<'_>) -> Result<Chosen, AppError> {
        let records = store::list(self.inner.parts.db.read()).await.map_err(problems::of)?;
        let engine = self.candidate(WhichBuilder::Engine, ENGINE_NAME, BuilderKind::Engine);
        let added = records
            .iter()
            .map(|record| self.candidate(WhichBuilder::Added(record.id.clone()), &record.name, record.kind));
        let candidates: Vec<_> = std::iter::once(engine).chain(added).collect();
        let decision = choose::choose(&candidates, wish)?;
        let one = &candidates[decision.at];
        let id = one.which.id().cloned();
        Ok(Chosen {
            name: one.name.clone(),
            buildx: id.as_ref().map(buildx_name),
            config: id.as_ref().map(|_| self.inner.place.folder.clone()),
            resource: one.which.resource(),
            emulated: decision.emulated,
            note: decision.note,
            id,
        })
    }

    /// Looks at the engine if nobody did yet: a build that begins right after the start waits for that.
    pub async fn know(&self, stop: &CancellationToken) {
        if self.inner.seen.one(&WhichBuilder::Engine).at == 0 {
            self.look(None, stop).await;
        }
    }

    /// Gets a builder ready for one build: buildx knows it, and its keys are there while this is held.
    pub async fn ready(&self, chosen: &Chosen, stop: &CancellationToken) -> Result<Opened, Problem> {
        let Some(id) = &chosen.id else { return Ok(Opened { _files: None }) };
        let gone = || Problem::new("builder.gone", format!("The builder {} was deleted.", chosen.name), "Build again.");
        let record = self.record(id).await.map_err(|_| gone())?;
        let (definition, files) = self.open(&record).await?;
        self.repair(&definition, stop).await.map_err(|problem| problem.with_link(page(id), "Open the builder"))?;
        Ok(Opened { _files: files })
    }

    fn candidate(&self, which: WhichBuilder, name: &str, kind: BuilderKind) -> Candidate {
        let one = self.inner.seen.one(&which);
        let health = match one.problem {
            _ if one.at == 0 => Health::Unknown,
            None => Health::Works,
            Some(problem) => Health::Fails(problem.cause),
        };
        Candidate {
            which,
            name: name.to_owned(),
            kind,
            health,
            native: one.native,
            emulated: one.emulated,
            makes_several: one.makes_several,
        }
    }

    /// What buildx is to have, with its keys as files while the second is held.
    async fn open(&self, record: &Record) -> Result<(Definition, Option<Arc<Files>>), Problem> {
        let mut all = Vec::new();
        let mut nodes = Vec::with_capacity(record.nodes.len());
        let folder = &self.inner.place.folder;
        for node in &record.nodes {
            let is_ssh = node.endpoint.is_ssh();
            if !is_ssh {
                all.push((node.number, self.tls(&record.id, node.number).await?));
            }
            nodes.push(buildx::Node {
                number: node.number,
                platform: node.platform.clone(),
                endpoint: node.endpoint.clone(),
                keys: (!is_ssh).then(|| KeyFiles::of(folder, &record.id, node.number)),
            });
        }
        let files = match all.as_slice() {
            [] => None,
            all => Some(self.inner.held.hold(folder, &record.id, all).map_err(|error| repair::folder(&error))?),
        };
        let definition =
            Definition { name: buildx_name(&record.id), image: record.image.clone(), caps: record.caps, nodes };
        Ok((definition, files))
    }

    async fn tls(&self, id: &BuilderId, number: u32) -> Result<Tls, Problem> {
        let read = async |what: &str| {
            let sealed =
                self.inner.parts.vault.get(self.inner.parts.db.read(), id.as_str(), &secret(what, number)).await;
            sealed.map_err(|error| {
                tracing::error!(error = %problems::chain(&error), builder = %id, "a builder's key can't be opened");
                Problem::new(
                    "builder.key",
                    "The keys of this builder can't be opened.",
                    "Remove the machine and add it again with its certificates.",
                )
            })
        };
        Ok(Tls {
            ca: read("ca").await?.expose("it is written to a file").to_owned(),
            certificate: read("certificate").await?.expose("it is written to a file").to_owned(),
            key: read("key").await?,
        })
    }

    async fn record(&self, id: &BuilderId) -> Result<Record, AppError> {
        let found = store::find(self.inner.parts.db.read(), id).await.map_err(problems::of)?;
        found.ok_or_else(|| AppError::NotFound("builder".into()))
    }

    /// Has one looked at soon.
    fn due(&self, which: &WhichBuilder) {
        self.inner.seen.change(which, |one| one.is_due = true);
        self.inner.wake.notify_one();
    }
}

/// What buildx calls it.
fn buildx_name(id: &BuilderId) -> String {
    format!("{PREFIX}{}", id.short())
}

/// What a key of a machine is called in the vault; its owner is the builder.
fn secret(what: &str, number: u32) -> String {
    format!("{what}.{number}")
}

fn page(id: &BuilderId) -> String {
    paths::builder(&WhichBuilder::Added(id.clone()))
}
