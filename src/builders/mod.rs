//! What runs builds: the engine itself, containers of BuildKit, and builders elsewhere.
//!
//! What must always hold: a page never waits for a builder; which one builds is decided by platforms, and emulation only
//! where nothing native fits.

use app::error::Problem;
use app::model::id::BuilderId;
use app::model::platform::Platform;
use std::path::PathBuf;

/// The engine that Slipway deploys to, as a resource of jobs.
pub const ENGINE: &str = "builder:engine";

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
}

/// What runs builds. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Builders {}

impl Builders {
    /// The one that builds for these platforms (none: its own), the wanted one where one is named.
    pub async fn choose(&self, platforms: &[Platform], wanted: Option<&BuilderId>) -> Result<Chosen, Problem> {
        let _ = (platforms, wanted);
        Ok(Chosen {
            id: None,
            name: "This engine".into(),
            buildx: None,
            config: None,
            resource: ENGINE.into(),
            emulated: Vec::new(),
        })
    }
}
