//! What is kept of a build beside its log: why it began, what it was made with, and what came out.

use super::id::BuildId;
use super::image_ref::Digest;
use super::platform::Platform;
use serde::{Deserialize, Serialize};

/// Why a build began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Trigger {
    /// Somebody asked for it.
    #[default]
    Hand,
    /// Somebody asked for an earlier one again.
    Retry {
        /// Which.
        of: BuildId,
        /// Its number.
        number: i64,
    },
    /// A git host told of a push.
    Push {
        /// Its name: GitHub, GitLab, Gitea, Bitbucket.
        host: String,
        /// Who pushed, as the host says.
        by: String,
    },
    /// The signed deploy hook was called.
    Hook,
}

impl Trigger {
    /// In words: `By hand`, `Build 3 again`, `Push by ada (GitHub)`.
    pub fn words(&self) -> String {
        match self {
            Self::Hand => "By hand".into(),
            Self::Retry { number, .. } => format!("Build {number} again"),
            Self::Push { host, by } if by.is_empty() => format!("Push ({host})"),
            Self::Push { host, by } => format!("Push by {by} ({host})"),
            Self::Hook => "Deploy hook".into(),
        }
    }
}

/// The image of one platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformImage {
    /// For which.
    pub platform: Platform,
    /// Its manifest.
    pub digest: Digest,
    /// Compressed bytes of its layers and configuration.
    pub bytes: u64,
}

/// Something that BuildKit's linter found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildWarning {
    /// What it says.
    pub text: String,
    /// Line of the Dockerfile, from 1.
    pub line: Option<u32>,
    /// Where it is explained.
    pub url: Option<String>,
}

/// An attestation that was pushed with the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// For which platform.
    pub platform: Platform,
    /// The predicate's type, an address.
    pub predicate: String,
    /// The in-toto statement as JSON, or nothing when it is larger than what is kept.
    pub statement: Option<String>,
}

/// What came out of a build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BuildRecord {
    /// One for each platform.
    pub platforms: Vec<PlatformImage>,
    /// Which of them were built by emulation.
    pub emulated: Vec<Platform>,
    /// Steps of the Dockerfile.
    pub steps: u32,
    /// How many of them were taken from the cache.
    pub cached: u32,
    /// How long the cached ones took when they last ran, in milliseconds; None: not known.
    pub saved: Option<i64>,
    /// What BuildKit's linter found, and Slipway's own warnings.
    pub warnings: Vec<BuildWarning>,
    /// What was pushed with the image.
    pub attestations: Vec<Attestation>,
}
