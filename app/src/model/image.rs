//! What registries hold: repositories, tags, and what stands behind them. Everything in here came from a registry and is
//! untrusted text.

use super::id::{CredentialId, ServiceId};
use super::image_ref::{Digest, ImageRef, RegistryHost, Repository, Tag};
use super::platform::Platform;
use crate::error::Problem;
use serde::{Deserialize, Serialize};

/// How far the list of a credential's repositories is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Listing {
    /// Nobody has asked yet.
    Never,
    /// Being read for the first time; so many so far.
    Reading {
        /// Repositories up to now.
        found: u64,
    },
    /// Complete as of `at`.
    Complete {
        /// Unix seconds.
        at: i64,
        /// Repositories.
        count: u64,
        /// Being read again right now.
        is_refreshing: bool,
    },
    /// This registry can't list with this credential. Normal: names are typed and checked.
    CannotList {
        /// Why, in plain words.
        why: String,
    },
    /// The last try failed; what an earlier one found is still shown.
    Failed {
        /// Why.
        problem: Problem,
        /// When the shown list was complete, Unix seconds; None: never.
        at: Option<i64>,
        /// Repositories that are shown.
        count: u64,
    },
}

/// A place that images come from: a credential, or Docker Hub as anybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// None: Docker Hub without signing in.
    pub credential: Option<CredentialId>,
    /// The credential's name.
    pub name: String,
    /// Where.
    pub host: RegistryHost,
    /// How far its list is.
    pub listing: Listing,
    /// Docker Hub's remaining pulls, where known.
    pub allowance: Option<Allowance>,
}

/// How many pulls are left (Docker Hub's `ratelimit-remaining`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// Left.
    pub remaining: u64,
    /// Of so many.
    pub limit: u64,
    /// In so many seconds.
    pub window: u64,
    /// When this was read, Unix seconds.
    pub at: i64,
}

/// A repository that a search found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Which credential reaches it; None: Docker Hub as anybody.
    pub credential: Option<CredentialId>,
    /// The credential's name.
    pub source: String,
    /// Where it is.
    pub host: RegistryHost,
    /// Its name there.
    pub repository: Repository,
    /// What its registry says about it; Docker Hub's public search alone.
    pub about: Option<String>,
    /// Services that run an image of it: name and brief tag or digest.
    pub runs_in: Vec<RunsIn>,
}

/// A service that runs an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunsIn {
    /// Which.
    pub service: ServiceId,
    /// Its name.
    pub name: String,
    /// What it runs.
    pub image: ImageRef,
}

/// What a search asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// Typed text; a host in front narrows to it (`ghcr.io/acme/web`).
    pub text: String,
    /// One credential alone.
    pub credential: Option<CredentialId>,
    /// Ask Docker Hub's public search too, and registries that search themselves. Takes a request; never on page load.
    pub live: bool,
    /// So many hits are skipped.
    pub offset: u64,
    /// At most so many hits, up to 200.
    pub limit: u64,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The best first: exact, beginning, beginning of a part, anywhere.
    pub hits: Vec<Hit>,
    /// All hits in the index.
    pub total: u64,
    /// Where it was looked, with the state of each list.
    pub sources: Vec<Source>,
}

/// One tag of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagLine {
    /// The tag.
    pub tag: Tag,
    /// What it leads to, as far as known.
    pub digest: Option<Digest>,
    /// When it was pushed or made, Unix seconds, as far as known.
    pub at: Option<i64>,
    /// Compressed bytes, as far as known.
    pub size: Option<u64>,
    /// Services that run it.
    pub runs_in: Vec<RunsIn>,
}

/// The order of tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagOrder {
    /// By version, the highest first; names that are no versions after them.
    #[default]
    Version,
    /// By date, the newest first; tags without a date after them, by version.
    Date,
}

/// The tags of a repository, a page of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tags {
    /// In the order that was asked for, over the whole set.
    pub tags: Vec<TagLine>,
    /// Tags that fit the filter.
    pub total: u64,
    /// How far the list is.
    pub listing: Listing,
}

/// What a tag or digest leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// With tag (if that was asked for) and digest.
    pub reference: ImageRef,
    /// Of the index or manifest.
    pub media_type: String,
    /// One for each platform; attestations aren't among them.
    pub platforms: Vec<PlatformImage>,
    /// What is attached: provenance, SBOM.
    pub attestations: Vec<Attestation>,
    /// Annotations of index or manifest.
    pub annotations: Vec<(String, String)>,
    /// When this was read, Unix seconds.
    pub at: i64,
}

/// The image of one platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformImage {
    /// None: an artifact that isn't for any platform.
    pub platform: Option<Platform>,
    /// Of its manifest.
    pub digest: Digest,
    /// Compressed bytes: configuration and layers, each once.
    pub size: u64,
    /// What its configuration says; None: not read yet.
    pub config: Option<ImageConfig>,
    /// Layers, the lowest first.
    pub layers: Vec<Layer>,
}

/// One layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// Compressed bytes.
    pub size: u64,
}

/// What an image's configuration says (OCI image specification, `config`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// Unix seconds; None: unknown or meant to be (reproducible builds say 1970 or year 1).
    pub created: Option<i64>,
    /// Entry point.
    pub entrypoint: Vec<String>,
    /// Arguments.
    pub cmd: Vec<String>,
    /// Names of environment variables; values may be secret and aren't kept.
    pub env_names: Vec<String>,
    /// `80/tcp`.
    pub ports: Vec<String>,
    /// Volumes.
    pub volumes: Vec<String>,
    /// The user it runs as.
    pub user: String,
    /// Its working folder.
    pub working_dir: String,
    /// Labels.
    pub labels: Vec<(String, String)>,
    /// How it was made, the first step first: command, and whether it made no layer.
    pub history: Vec<(String, bool)>,
}

/// Something attached to an image by BuildKit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// Of its manifest.
    pub digest: Digest,
    /// The platform manifest that it is about.
    pub about: Option<Digest>,
    /// `https://slsa.dev/provenance/…` and the like, as far as known.
    pub kinds: Vec<String>,
    /// Bytes.
    pub size: u64,
}

/// Whether an image fits the Swarm's nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Every node can run it.
    All,
    /// Some can't.
    Some {
        /// Their platforms.
        missing: Vec<Platform>,
    },
    /// None can.
    None {
        /// What the nodes are.
        nodes: Vec<Platform>,
    },
    /// The nodes' platforms aren't known.
    Unknown,
}
