//! Tags that were deleted and may come back, and what runs of retention did.

use super::id::{JobId, RegistryId, TrashId};
use super::image_ref::{Digest, Repository};
use crate::error::Problem;
use serde::{Deserialize, Serialize};

/// Where a deleted tag is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrashState {
    /// It is being deleted.
    Deleting,
    /// It is deleted, and can come back.
    Kept,
    /// Its time is over; its manifests are being deleted.
    Expiring,
}

impl TrashState {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deleting => "deleting",
            Self::Kept => "kept",
            Self::Expiring => "expiring",
        }
    }
}

impl std::str::FromStr for TrashState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Deleting, Self::Kept, Self::Expiring];
        all.into_iter().find(|state| state.as_str() == text).ok_or_else(|| format!("no state of the trash: {text}"))
    }
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
    /// Bytes of all that it led to; what others share counts too.
    pub size: u64,
    /// When it was deleted, Unix seconds.
    pub at: i64,
    /// Until when it can come back, Unix seconds.
    pub until: i64,
    /// Who asked.
    pub by: String,
    /// Where it is.
    pub state: TrashState,
    /// Why the last attempt to bring it back failed, or why it stays although its time is over.
    pub trouble: Option<Problem>,
    /// The last job that was to bring it back.
    pub job: Option<JobId>,
}

/// The tag leads to something else by now: code of the problem that a restoration ends with.
pub const TAG_TAKEN: &str = "trash.tag_taken";

/// What happened to a tag, or to what it led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The tag was deleted.
    Deleted,
    /// The tag stayed although nothing had kept it before.
    Skipped,
    /// Its time in the trash was over: its manifests are gone.
    Expired,
    /// Its time was over, and its manifests stayed.
    Stayed,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Deleted, Self::Skipped, Self::Expired, Self::Stayed];

    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Skipped => "skipped",
            Self::Expired => "expired",
            Self::Stayed => "stayed",
        }
    }
}

impl std::str::FromStr for Outcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or_else(|| format!("no outcome: {text}"))
    }
}

/// One line of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportLine {
    /// Where.
    pub repository: Repository,
    /// Which tag.
    pub tag: String,
    /// What it led to.
    pub digest: Digest,
    /// What happened.
    pub outcome: Outcome,
    /// Why, in a sentence; empty when there is nothing to say.
    pub note: String,
}

/// A run, in figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its job.
    pub job: JobId,
    /// Whether the rules ran; else the trash was emptied by hand.
    pub by_rules: bool,
    /// Who asked.
    pub by: String,
    /// When it began, Unix seconds.
    pub at: i64,
    /// When it ended, Unix seconds; none: it didn't yet.
    pub ended: Option<i64>,
    /// Tags that were judged.
    pub judged: u64,
    /// Bytes that come free once the trash is emptied and garbage is collected, as the rules counted.
    pub frees: u64,
    /// Tags that were deleted.
    pub deleted: u64,
    /// Tags that were to go and stayed.
    pub skipped: u64,
    /// Entries of the trash whose manifests are gone.
    pub expired: u64,
    /// Entries of the trash whose time was over and that stayed.
    pub stayed: u64,
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    /// In figures.
    pub summary: RunSummary,
    /// What couldn't be read, and so wasn't touched.
    pub unread: Vec<String>,
    /// All that happened, in order; at most [`RunReport::MOST`] lines.
    pub lines: Vec<ReportLine>,
}

impl RunReport {
    /// Lines that are shown.
    pub const MOST: u32 = 2_000;
}

/// What is asked for when the trash is emptied.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct EmptyForm {
    /// Present when somebody confirmed that nothing of it can come back.
    #[serde(default)]
    pub sure: Option<String>,
}
