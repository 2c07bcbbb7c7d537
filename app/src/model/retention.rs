//! What may be deleted from registries: rules that only ever keep, and why each tag stays or goes.

use super::id::{DeploymentId, RegistryId, ServiceId, TrashId};
use super::image_ref::{Digest, Repository};
use serde::{Deserialize, Serialize};

/// What rules hold for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Scope {
    /// All repositories of a registry.
    Registry(RegistryId),
    /// What a service's builds pushed, in addition to its registry's rules.
    Service(ServiceId),
}

/// Rules that keep. A tag goes only when no rule keeps it and nothing protects it, so another rule never deletes more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// So many of the newest for each repository and branch.
    pub keep_last: Option<u32>,
    /// What was pushed in the last days.
    pub keep_days: Option<u32>,
    /// Tags that fit one of these patterns.
    pub keep_matching: Vec<String>,
    /// Whether tags that Slipway didn't push may go too.
    pub foreign: bool,
    /// Days in which a deleted tag can come back; 0: none.
    pub trash_days: u32,
    /// Hours between runs; none: by hand alone.
    pub every_hours: Option<u32>,
}

/// Why something stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Why {
    /// A deployment needs it.
    Deployment {
        /// Whose.
        service: ServiceId,
        /// The service's name.
        name: String,
        /// Which.
        deployment: DeploymentId,
        /// Its number.
        number: i64,
        /// What for.
        need: Need,
    },
    /// An index that stays leads to it.
    ChildOf {
        /// Which.
        index: Digest,
    },
    /// Builds keep their cache there.
    Cache,
    /// Somebody else pushed it.
    Foreign,
    /// Among the newest of its branch.
    Newest {
        /// Of which branch; none: not known.
        branch: Option<String>,
        /// Its place, from 1.
        place: u32,
    },
    /// Younger than the rule says.
    Young {
        /// Whole days.
        days: u32,
    },
    /// It fits a pattern.
    Matches {
        /// Which.
        pattern: String,
    },
    /// It couldn't be read, and what isn't known is never deleted.
    Unknown,
}

/// What a deployment needs its image for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// It runs.
    Runs,
    /// It is on its way.
    UnderWay,
    /// Somebody pinned it.
    Pinned,
    /// It is within the rollback window.
    Window,
}

/// A tag, with all that keeps it. Nothing keeps it: it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Where.
    pub repository: Repository,
    /// Which tag.
    pub tag: String,
    /// What it leads to; none: not known.
    pub digest: Option<Digest>,
    /// When it was pushed or made, Unix seconds; none: not known.
    pub at: Option<i64>,
    /// What it takes by itself, bytes; shared layers count here too.
    pub size: Option<u64>,
    /// Why it stays.
    pub keeps: Vec<Why>,
}

/// What a run would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// All tags, by repository, newest first.
    pub tags: Vec<Judged>,
    /// Bytes that come free once the trash is emptied and garbage collected; what others share isn't counted.
    pub frees: u64,
    /// What couldn't be read, in words; that is never deleted.
    pub unread: Vec<String>,
}

/// A tag that was deleted and may come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trashed {
    /// Its id.
    pub id: TrashId,
    /// Of which registry.
    pub registry: RegistryId,
    /// Where.
    pub repository: Repository,
    /// Which tag.
    pub tag: String,
    /// What it led to.
    pub digest: Digest,
    /// When it was deleted, Unix seconds.
    pub at: i64,
    /// Until when it can come back, Unix seconds.
    pub until: i64,
    /// Who asked.
    pub by: String,
}
