//! What the machine can do, found by looking.

use serde::{Deserialize, Serialize};

/// How Docker is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DockerState {
    /// Not looked yet.
    Unknown,
    /// Can't be reached.
    Unreachable {
        /// Why, in plain words.
        reason: String,
    },
    /// Answers, but isn't in Swarm mode.
    NoSwarm {
        /// What other nodes would reach this one at.
        suggested_address: String,
    },
    /// Answers, in a Swarm, but not as a manager.
    NotManager,
    /// All is well.
    Ready,
}

/// What was found about Docker, buildx and the host; renewed in the background.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// How Docker is.
    pub docker: DockerState,
    /// The engine's version.
    pub docker_version: Option<String>,
    /// Whether images are kept in containerd's store; multi-platform builds need it.
    pub containerd_store: bool,
    /// `docker buildx version`, or why it can't be run.
    pub buildx: Result<String, String>,
    /// Virtual IPs and the routing mesh work here (the kernel has IP_VS).
    pub has_ipvs: bool,
    /// Nodes of the Swarm.
    pub nodes: u64,
    /// `linux/amd64` and so on.
    pub platform: Option<String>,
    /// Looked, Unix seconds; 0: never.
    pub looked_at: i64,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            docker: DockerState::Unknown,
            docker_version: None,
            containerd_store: false,
            buildx: Err("Not looked yet.".into()),
            has_ipvs: false,
            nodes: 0,
            platform: None,
            looked_at: 0,
        }
    }
}
