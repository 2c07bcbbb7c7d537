//! Registries as the API shows them. The login of one that Slipway runs isn't among it.

use crate::http::api::jobs::Job;
use crate::http::api::times;
use crate::http::api::words::{Phase, Reach};
use app::model::registry;
use serde::Serialize;
use utoipa::ToSchema;

/// All registries.
#[derive(Serialize, ToSchema)]
pub struct RegistryList {
    /// The default first, then by name.
    pub items: Vec<Registry>,
}

/// A registry that was asked for.
#[derive(Serialize, ToSchema)]
pub struct Created {
    /// As it is now.
    pub registry: Registry,
    /// What brings it up; null: somebody else runs it, and it is there.
    pub job: Option<Job>,
}

/// A place images are pushed to.
#[derive(Serialize, ToSchema)]
pub struct Registry {
    /// Its id.
    id: String,
    /// What people call it.
    name: String,
    /// Who runs it.
    kind: RegistryKind,
    /// `host` or `host:port`, as in names of images.
    host: String,
    /// How to sign in there.
    credential: CredentialRef,
    /// What comes before `<project>/<service>` in names of images.
    base_path: Option<String>,
    /// Builds use it when nothing else is chosen.
    is_default: bool,
    /// Platforms that builds to it produce; empty: the one of the engine that builds.
    platforms: Vec<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// Grows with every change.
    version: i64,
    /// What there is to know of one that Slipway runs; null: somebody else runs it.
    managed: Option<Managed>,
}

/// Who runs it: somebody else, or Slipway.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RegistryKind {
    External,
    Managed,
}

/// The credential of a registry.
#[derive(Serialize, ToSchema)]
struct CredentialRef {
    /// Its id.
    id: String,
    /// What people call it.
    name: String,
    /// Whether its last test succeeded.
    works: bool,
}

/// A registry that Slipway runs.
#[derive(Serialize, ToSchema)]
struct Managed {
    /// Where it is in its life.
    phase: Phase,
    /// The image that runs.
    image: String,
    /// The port on every node.
    port: u16,
    /// How it is reached.
    reach: Reach,
    /// What keeps the images.
    storage: Storage,
    /// The node that a volume ties it to.
    node: Option<Node>,
    /// The name under which a reverse proxy shows it to others.
    domain: Option<String>,
    /// The user to sign in as.
    username: String,
    /// Which version of its settings is asked for.
    revision: i64,
    /// The id of the newest job about it.
    job: Option<String>,
}

/// A node of the Swarm.
#[derive(Serialize, ToSchema)]
struct Node {
    /// Swarm's id.
    id: String,
    /// Its host name.
    name: String,
}

/// What keeps the images.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Storage {
    /// A volume on one node.
    Volume {
        /// Docker's name of it.
        volume: String,
    },
    /// A bucket of an S3-compatible store.
    S3 {
        /// The region.
        region: String,
        /// The store's address; null: Amazon's own.
        endpoint: Option<String>,
        /// The bucket.
        bucket: String,
        /// What comes before every key.
        prefix: String,
        /// `endpoint/bucket` instead of `bucket.endpoint`.
        path_style: bool,
        /// The store is asked to encrypt what it keeps.
        encrypt: bool,
        /// Private addresses and plain HTTP are allowed.
        internal_network: bool,
    },
}

impl From<registry::Storage> for Storage {
    fn from(storage: registry::Storage) -> Self {
        match storage {
            registry::Storage::Volume { name } => Self::Volume { volume: name },
            registry::Storage::S3(place) => Self::S3 {
                region: place.region,
                endpoint: place.endpoint,
                bucket: place.bucket,
                prefix: place.prefix,
                path_style: place.path_style,
                encrypt: place.encrypt,
                internal_network: place.internal,
            },
        }
    }
}

impl From<registry::Managed> for Managed {
    fn from(managed: registry::Managed) -> Self {
        Self {
            phase: managed.phase.into(),
            image: managed.image,
            port: managed.port,
            reach: managed.reach.into(),
            storage: managed.storage.into(),
            node: managed.node.map(|(id, name)| Node { id, name }),
            domain: managed.domain.map(|domain| domain.to_string()),
            username: managed.username,
            revision: managed.revision,
            job: managed.job.map(|job| job.to_string()),
        }
    }
}

impl From<registry::Registry> for Registry {
    fn from(registry: registry::Registry) -> Self {
        Self {
            id: registry.id.to_string(),
            name: registry.name,
            kind: if registry.managed.is_some() { RegistryKind::Managed } else { RegistryKind::External },
            host: registry.host.to_string(),
            credential: CredentialRef {
                id: registry.credential.to_string(),
                name: registry.credential_name,
                works: registry.credential_works,
            },
            base_path: registry.base_path.map(|path| path.to_string()),
            is_default: registry.is_default,
            platforms: registry.platforms.iter().map(ToString::to_string).collect(),
            created_at: times::of_seconds(registry.created_at),
            version: registry.version,
            managed: registry.managed.map(Managed::from),
        }
    }
}
