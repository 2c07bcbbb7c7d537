//! Room on disks.

use serde::{Deserialize, Serialize};

/// What keeps its data there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Place {
    /// Slipway's data folder.
    Data,
    /// Docker's images, containers and build cache.
    Docker,
    /// The volume of a managed registry.
    Registry {
        /// Its name.
        name: String,
    },
}

/// A place and the room there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// What keeps its data there.
    pub place: Place,
    /// Free bytes and all; none: it can't be seen from here.
    pub room: Option<(u64, u64)>,
}
