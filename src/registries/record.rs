//! What is kept of a registry that Slipway runs.

use app::model::id::{CredentialId, RegistryId};
use app::model::image_ref::RegistryHost;
use app::model::registry::{Phase, Reach, Storage};
use serde::{Deserialize, Serialize};

/// What reaches the Swarm when it changes. Keys and passwords are in the vault, under the registry's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    /// The registry image, with its digest when it was found.
    pub image: String,
    /// A name under which a reverse proxy shows it.
    pub domain: Option<RegistryHost>,
    /// What keeps the images.
    pub storage: Storage,
    /// The revision under which the vault has the keys of its bucket; 0: it has none.
    #[serde(default)]
    pub keys: i64,
    /// Nothing can be pushed or deleted, while its garbage is being collected.
    #[serde(default)]
    pub read_only: bool,
}

/// One registry that Slipway runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub id: RegistryId,
    pub name: String,
    /// Made, changed and deleted with it.
    pub credential: CredentialId,
    pub phase: Phase,
    /// It is to become the default once it runs.
    pub wants_default: bool,
    /// When it is deleted, the volume stays.
    pub keep_data: bool,
    pub port: u16,
    pub reach: Reach,
    /// The node that a local volume ties it to: id and host name.
    pub node: Option<(String, String)>,
    /// When the engine made the volume; another time is another volume.
    pub volume_created: Option<String>,
    pub wanted: Wanted,
    pub revision: i64,
    /// The last settings that passed the probe, and their revision.
    pub settled: Option<(Wanted, i64)>,
}
