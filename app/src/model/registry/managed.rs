//! What there is to know of a registry that Slipway runs: where it is, what keeps its images, how it is reached.

use crate::model::id::JobId;
use crate::model::image_ref::{Malformed, RegistryHost};
use serde::{Deserialize, Serialize};

/// How a managed registry is reached as `127.0.0.1:<port>` by the engine of every node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// The port is published on the node that runs it; for a Swarm of one node.
    Host,
    /// The routing mesh answers on every node; needs the kernel's IP_VS.
    Mesh,
    /// A small proxy on every node passes on to it; for several nodes without IP_VS.
    Proxy,
}

impl Reach {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Mesh => "mesh",
            Self::Proxy => "proxy",
        }
    }
}

impl std::str::FromStr for Reach {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        [Self::Host, Self::Mesh, Self::Proxy]
            .into_iter()
            .find(|reach| reach.as_str() == text)
            .ok_or_else(|| Malformed("There is no such reach.".into()))
    }
}

/// Where it is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Its creation was asked for and isn't done.
    Creating,
    /// It was created; whether it is well is another question.
    Running,
    /// Its creation failed and was undone; it can be tried again.
    Failed,
    /// Its deletion is under way.
    Deleting,
}

impl Phase {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Deleting => "deleting",
        }
    }
}

impl std::str::FromStr for Phase {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        [Self::Creating, Self::Running, Self::Failed, Self::Deleting]
            .into_iter()
            .find(|phase| phase.as_str() == text)
            .ok_or_else(|| Malformed("There is no such phase.".into()))
    }
}

/// A bucket of an S3-compatible store; the keys are elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct S3Place {
    /// The region, also where the store has none (`us-east-1`).
    pub region: String,
    /// `https://host[:port]`; None: Amazon's own.
    pub endpoint: Option<String>,
    /// The bucket.
    pub bucket: String,
    /// What comes before every key; may be empty, no slashes at its ends.
    pub prefix: String,
    /// `endpoint/bucket` instead of `bucket.endpoint`.
    pub path_style: bool,
    /// Asks the store to encrypt what it keeps (AES256).
    pub encrypt: bool,
    /// Private addresses and plain HTTP are allowed.
    pub internal: bool,
}

/// What keeps the images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Storage {
    /// A named volume on one node.
    Volume {
        /// Docker's name of it.
        name: String,
    },
    /// A bucket.
    S3(S3Place),
}

/// A registry that Slipway runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Managed {
    /// Where it is in its life.
    pub phase: Phase,
    /// The image that runs, as it was asked for, with its digest when it was found.
    pub image: String,
    /// The port on every node.
    pub port: u16,
    /// How it is reached.
    pub reach: Reach,
    /// What keeps the images.
    pub storage: Storage,
    /// The node that a local volume ties it to: Swarm's id and the host name.
    pub node: Option<(String, String)>,
    /// A name under which a reverse proxy shows it to others.
    pub domain: Option<RegistryHost>,
    /// The user of its credential.
    pub username: String,
    /// Which version of its settings is asked for; grows with every change that reaches the Swarm.
    pub revision: i64,
    /// The newest job about it.
    pub job: Option<JobId>,
}

impl Managed {
    /// Code of the problem "the volume that is there isn't the one of before": accepting the loss is its way out.
    pub const VOLUME_CHANGED: &'static str = "registry.volume_changed";
}
