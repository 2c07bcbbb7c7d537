//! How a service's images are built, beside where its source is.

use super::id::BuilderId;
use super::platform::Platform;
use super::source::InnerPath;
use serde::{Deserialize, Serialize};

/// The tag under which a registry keeps what builds of a repository can use again. It is no image: lists leave it out, and
/// whatever tidies a registry up keeps it. Tags of commits are hexadecimal, so none of them can be this one.
pub const CACHE_TAG: &str = "buildcache";

/// What the image is made by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Recipe {
    /// The repository's own Dockerfile; its path is in the source.
    #[default]
    Repository,
    /// A Dockerfile that was typed into the form.
    Typed {
        /// The whole of it.
        text: String,
    },
    /// A folder of the repository, served by the web server image of the settings.
    Static {
        /// Relative to the repository.
        folder: InnerPath,
    },
}

impl Recipe {
    /// As forms send it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Repository => "repository",
            Self::Typed { .. } => "typed",
            Self::Static { .. } => "static",
        }
    }
}

/// Where BuildKit keeps what a later build can use again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheKind {
    /// With the builder, as it does by itself.
    #[default]
    Builder,
    /// In the registry as well, under a tag of its own.
    Registry,
    /// In a folder of Slipway's, within a budget.
    Local,
    /// Nothing is used again.
    Off,
}

impl CacheKind {
    /// All kinds, in the order of forms.
    pub const ALL: [Self; 4] = [Self::Builder, Self::Registry, Self::Local, Self::Off];

    /// As stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Builder => "builder",
            Self::Registry => "registry",
            Self::Local => "local",
            Self::Off => "off",
        }
    }

    /// In words, for forms.
    pub fn words(self) -> &'static str {
        match self {
            Self::Builder => "With the builder, as it does by itself",
            Self::Registry => "In the registry too, under a tag of its own",
            Self::Local => "In a folder of Slipway's, within its budget",
            Self::Off => "None: every build begins afresh",
        }
    }
}

/// How a service's images are built. What isn't said is as it was before there was a choice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BuildOptions {
    /// What the image is made by.
    pub recipe: Recipe,
    /// Build arguments: plain, in the image's history for everybody to read.
    pub args: Vec<(String, String)>,
    /// Names of build secrets; the values are sealed (owner `<service>:build`).
    pub secrets: Vec<String>,
    /// Replaces the registry's platforms; empty: those of the registry.
    pub platforms: Vec<Platform>,
    /// Which builder; none: one that fits the platforms.
    pub builder: Option<BuilderId>,
    /// Where the cache is.
    pub cache: CacheKind,
    /// Whether a bill of materials is pushed with the image.
    pub sbom: bool,
    /// Whether a record of how it was made is pushed with the image.
    pub provenance: bool,
}
