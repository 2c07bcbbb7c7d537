//! How a managed registry is, from what is true and not from what the Swarm believes.

use crate::error::Problem;
use serde::{Deserialize, Serialize};

/// In one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManagedState {
    /// Nobody has looked since Slipway started.
    Unknown,
    /// Its creation or another job about it is under way.
    Working,
    /// A push and a pull just worked.
    Healthy,
    /// It works, but something needs an eye.
    Warning,
    /// It doesn't work.
    Failing,
    /// Somebody scaled it to zero on purpose.
    Stopped,
    /// Its creation failed; nothing of it runs.
    NotCreated,
}

impl ManagedState {
    /// As stored and in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Working => "working",
            Self::Healthy => "healthy",
            Self::Warning => "warning",
            Self::Failing => "failing",
            Self::Stopped => "stopped",
            Self::NotCreated => "not_created",
        }
    }
}

/// One task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskLine {
    /// Swarm's id.
    pub id: String,
    /// The node's host name.
    pub node: Option<String>,
    /// Its state in a word.
    pub state: String,
    /// Whether it runs and is healthy.
    pub runs: bool,
    /// In this state since, Unix seconds.
    pub since: i64,
    /// What went wrong, in Swarm's own words.
    pub error: Option<String>,
}

/// One step of the end-to-end probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeStep {
    /// `connect`, `sign_in`, `push`, `read`, `delete`, `storage`, `domain`.
    pub name: String,
    /// For people.
    pub title: String,
    /// None: not reached.
    pub ok: Option<bool>,
    /// How long it took.
    pub millis: i64,
    /// What was found, or went wrong.
    pub text: String,
}

/// What the last probe found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeReport {
    /// When, Unix seconds.
    pub at: i64,
    /// Whether all steps went well.
    pub ok: bool,
    /// How long it took.
    pub millis: i64,
    /// Its steps.
    pub steps: Vec<ProbeStep>,
    /// What went wrong, and what to do.
    pub problem: Option<Problem>,
}

/// One piece of the uptime strip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UptimeSlot {
    /// Begins, Unix seconds.
    pub from: i64,
    /// Probes that went well.
    pub good: u32,
    /// Probes that failed.
    pub bad: u32,
    /// What went wrong first.
    pub problem: Option<String>,
}

/// What is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Counted, Unix seconds.
    pub at: i64,
    /// Repositories with a tag.
    pub repositories: u64,
    /// Tags.
    pub tags: u64,
    /// Bytes of all layers, configurations and manifests, each once.
    pub bytes: u64,
    /// Bytes that would be needed on top if nothing were shared.
    pub shared: u64,
}

/// Room where the images are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Free bytes.
    pub free: u64,
    /// All bytes.
    pub total: u64,
}

/// All that the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagedStatus {
    /// In one word.
    pub state: ManagedState,
    /// In one sentence.
    pub headline: String,
    /// What is wrong, and what to do.
    pub problem: Option<Problem>,
    /// Newest first; those of the proxy are not among them.
    pub tasks: Vec<TaskLine>,
    /// What the last probe found.
    pub probe: Option<ProbeReport>,
    /// Oldest first; all the same length.
    pub uptime: Vec<UptimeSlot>,
    /// The newest count.
    pub usage: Option<Usage>,
    /// When and how many bytes, oldest first.
    pub growth: Vec<(i64, u64)>,
    /// Room where the images are kept; None: not known, as for a bucket or another node.
    pub disk: Option<Disk>,
    /// Since when nothing can be pushed because its garbage is collected, Unix seconds; None: it can.
    #[serde(default)]
    pub shut_since: Option<i64>,
    /// When Docker was looked at, Unix seconds; 0: never.
    pub looked_at: i64,
}
