//! What of Slipway's own lies on nodes and may go: images and build cache.

use super::retention::Need;
use serde::{Deserialize, Serialize};

/// Rules of the clean-up on nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CleanupRules {
    /// Versions of each service that stay on the nodes, so that going back is instant.
    pub keep_last: u32,
    /// Bytes that images and build cache of ours may take; none: no budget.
    pub budget: Option<u64>,
    /// Hours between runs; none: by hand alone.
    pub every_hours: Option<u32>,
}

impl Default for CleanupRules {
    fn default() -> Self {
        Self { keep_last: 3, budget: None, every_hours: None }
    }
}

/// An image on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalImage {
    /// Docker's id.
    pub id: String,
    /// What it is called.
    pub names: Vec<String>,
    /// Bytes.
    pub size: u64,
    /// Which node.
    pub node: String,
    /// Why it stays; none: it goes.
    pub stays: Option<Stays>,
}

/// Why an image stays on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Stays {
    /// Slipway didn't make it.
    Foreign,
    /// A container has it, running or stopped.
    InUse,
    /// A service needs it.
    Service {
        /// The service's name.
        name: String,
        /// What for.
        need: Need,
    },
}

/// What a clean-up would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanupPlan {
    /// All images of ours that were seen, and why they stay.
    pub images: Vec<LocalImage>,
    /// Bytes of build cache that may go.
    pub cache: u64,
    /// Nodes that couldn't be asked, and why.
    pub unreached: Vec<(String, String)>,
}
