//! The queue as people see it: who is next, and what each one waits for.

use super::build::{Build, CommitSha};
use super::id::JobId;
use super::service::Branch;
use serde::{Deserialize, Serialize};

/// What a queued job waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum WaitsFor {
    /// Those before it; there is a place.
    Turn,
    /// Another job that changes the same thing.
    Other {
        /// Which.
        job: JobId,
    },
    /// A place at what it takes one of beside its lane, such as its builder.
    Resource {
        /// How many places that has.
        most: u32,
    },
    /// A place in its lane.
    Lane {
        /// How many places that has.
        most: u32,
    },
    /// The time of its next try.
    Later {
        /// Unix milliseconds.
        at: i64,
    },
}

/// Where a queued job stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Which.
    pub job: JobId,
    /// From 1.
    pub position: u32,
    /// How many wait.
    pub queued: u32,
    /// What it waits for.
    pub waits_for: WaitsFor,
}

/// Where a queued job is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Move {
    /// Before all others.
    Front,
    /// Before the one before it.
    Up,
    /// Behind the one behind it.
    Down,
}

impl std::str::FromStr for Move {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "front" => Ok(Self::Front),
            "up" => Ok(Self::Up),
            "down" => Ok(Self::Down),
            _ => Err(format!("unknown move {text:?}")),
        }
    }
}

/// A build that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedBuild {
    /// The build.
    pub build: Build,
    /// Where it stands.
    pub waiting: Waiting,
    /// What it builds; none: the service is gone.
    pub branch: Option<Branch>,
    /// The commit that was asked for; none: the newest.
    pub commit: Option<CommitSha>,
}
