//! What is kept of a build beside its log: why it began, what it was made with, and what came out.

use super::build_options::Recipe;
use super::id::BuildId;
use super::image_ref::Digest;
use super::platform::Platform;
use super::text;
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

/// An attestation that was pushed with the image. The statement itself is kept beside the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// For which platform.
    pub platform: Platform,
    /// The predicate's type, an address.
    pub predicate: String,
    /// The in-toto statement, a blob of the repository.
    pub digest: Digest,
    /// Its size.
    pub bytes: u64,
}

impl Attestation {
    /// What kind it is, in words.
    pub fn kind(&self) -> &'static str {
        if self.predicate.starts_with("https://slsa.dev/provenance/") {
            "Provenance"
        } else if self.predicate.starts_with("https://spdx.dev/")
            || self.predicate.starts_with("https://cyclonedx.org/")
        {
            "Bill of materials"
        } else {
            "Attestation"
        }
    }
}

/// What an image was made by, without the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecipeKind {
    /// The repository's own Dockerfile.
    #[default]
    Repository,
    /// A Dockerfile that was typed into the form.
    Typed,
    /// A folder behind a web server.
    Static,
}

impl From<&Recipe> for RecipeKind {
    fn from(recipe: &Recipe) -> Self {
        match recipe {
            Recipe::Repository => Self::Repository,
            Recipe::Typed { .. } => Self::Typed,
            Recipe::Static { .. } => Self::Static,
        }
    }
}

/// What BuildKit is busy with. Parts overlap: it pulls one base image while it works on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuildPart {
    /// The Dockerfile and the context come in.
    Load,
    /// Base images are looked up and pulled.
    Pull,
    /// The Dockerfile's steps run.
    Steps,
    /// Layers and manifests are made.
    Export,
    /// They are pushed.
    Push,
    /// The cache is read and written.
    Cache,
}

impl BuildPart {
    /// In the order of pages.
    pub const ALL: [Self; 6] = [Self::Load, Self::Pull, Self::Steps, Self::Export, Self::Push, Self::Cache];
}

/// How long a part took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartTime {
    /// Which.
    pub part: BuildPart,
    /// Milliseconds in which it was under way.
    pub millis: i64,
}

/// What came out of a build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BuildRecord {
    /// What the image was made by.
    pub recipe: RecipeKind,
    /// One for each platform.
    pub platforms: Vec<PlatformImage>,
    /// Which of them were built by emulation.
    pub emulated: Vec<Platform>,
    /// Steps of the Dockerfile that make layers (`RUN`, `COPY`, `ADD`, `WORKDIR`); the same step of several platforms counts
    /// once. `FROM` doesn't count: it is looked up each time.
    pub steps: u32,
    /// How many of them were taken from the cache, for all platforms.
    pub cached: u32,
    /// How many of the cached ones have run before while somebody looked, so that their time is known.
    pub timed: u32,
    /// How long those took when they last ran, in milliseconds; None: of none is it known.
    pub saved: Option<i64>,
    /// What BuildKit was busy with.
    pub parts: Vec<PartTime>,
    /// What BuildKit's linter found, and Slipway's own warnings.
    pub warnings: Vec<BuildWarning>,
    /// What was pushed with the image.
    pub attestations: Vec<Attestation>,
}

impl BuildRecord {
    /// What the cache was good for, in a sentence; None: no step could have been in it.
    pub fn cache_words(&self) -> Option<String> {
        let Self { steps, cached, timed, saved, .. } = *self;
        if steps == 0 {
            return None;
        }
        let of = format!("{cached} of {}", text::count(u64::from(steps), "step"));
        Some(match saved {
            _ if cached == 0 => {
                format!("Nothing came from the cache (0 of {}).", text::count(u64::from(steps), "step"))
            }
            Some(saved) if timed >= cached => format!("The cache saved {} ({of}).", text::duration(saved)),
            Some(saved) => format!("The cache saved at least {} ({of}).", text::duration(saved)),
            None => format!("{of} came from the cache; how long they take isn't known yet."),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_told_in_a_sentence() {
        let words = |steps, cached, timed, saved| {
            BuildRecord { steps, cached, timed, saved, ..BuildRecord::default() }.cache_words().unwrap_or_default()
        };
        assert_eq!(words(7, 5, 5, Some(41_000)), "The cache saved 41.0 s (5 of 7 steps).");
        assert_eq!(words(7, 5, 3, Some(41_000)), "The cache saved at least 41.0 s (5 of 7 steps).");
        assert_eq!(words(7, 5, 0, None), "5 of 7 steps came from the cache; how long they take isn't known yet.");
        assert_eq!(words(1, 0, 0, None), "Nothing came from the cache (0 of 1 step).");
        assert_eq!(words(0, 0, 0, None), "");
    }

    #[test]
    fn a_tag_of_a_commit_is_never_the_caches() {
        use super::super::build::CommitSha;
        use super::super::build_options::CACHE_TAG;
        assert!(CACHE_TAG.parse::<super::super::image_ref::Tag>().is_ok());
        assert!(CACHE_TAG.parse::<CommitSha>().is_err() && CACHE_TAG.bytes().any(|byte| !byte.is_ascii_hexdigit()));
    }

    #[test]
    fn a_record_of_before_is_read() {
        assert_eq!(serde_json::from_str::<BuildRecord>("{\"steps\":3}").map(|it| it.steps).ok(), Some(3));
    }
}
