//! Durable pieces of work: states, steps, log lines, live events.

use super::id::JobId;
use crate::error::Problem;
use serde::{Deserialize, Serialize};

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for a worker.
    Queued,
    /// A worker is on it.
    Running,
    /// Somebody asked to stop it; it ends within 15 s.
    Cancelling,
    /// Did all it should.
    Succeeded,
    /// Ended with a problem.
    Failed,
    /// Was stopped.
    Cancelled,
    /// A newer one took its place before it started.
    Superseded,
}

impl JobState {
    /// All states, for tables and parsers.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Running,
        Self::Cancelling,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Superseded,
    ];

    /// Whether nothing will change any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled | Self::Superseded)
    }

    /// As stored: `queued`, `running`, …
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Cancelling => "cancelling",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
        }
    }
}

impl std::str::FromStr for JobState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| format!("unknown job state {text:?}"))
    }
}

/// Where a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Under way, or was when the process stopped.
    Running,
    /// Done; not repeated after a restart.
    Done,
    /// Failed.
    Failed,
}

impl StepState {
    /// All states, for parsers.
    pub const ALL: [Self; 3] = [Self::Running, Self::Done, Self::Failed];

    /// As stored: `running`, `done`, `failed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl std::str::FromStr for StepState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| format!("unknown step state {text:?}"))
    }
}

/// One step of a job. BuildKit's own steps are sub-steps, named `build/<digest>` with their title.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Stable name.
    pub name: String,
    /// Words for people.
    pub title: String,
    /// Where it is.
    pub state: StepState,
    /// Unix milliseconds.
    pub started: i64,
    /// Unix milliseconds.
    pub finished: Option<i64>,
    /// Taken from a cache.
    pub cached: bool,
}

/// A job as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// `build_image`, `deploy`, …
    pub kind: String,
    /// What it changes: `service:srv_…`.
    pub subject: String,
    /// Where it is.
    pub state: JobState,
    /// Why it failed.
    pub problem: Option<Problem>,
    /// Which try this is, from 1.
    pub attempt: i64,
    /// Who asked.
    pub asked_by: String,
    /// Unix milliseconds.
    pub created: i64,
    /// Unix milliseconds.
    pub started: Option<i64>,
    /// Unix milliseconds.
    pub finished: Option<i64>,
}

/// One line of a job's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Line number, from 1.
    pub n: u64,
    /// Unix milliseconds.
    pub at: i64,
    /// The step it belongs to.
    pub step: String,
    /// At most 16 KiB; colour escapes only, secrets masked.
    pub text: String,
}

/// Some lines of a log. On the wire it looks like [`LiveEvent::Log`] with one field more, so that browsers need no second
/// way to read lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename = "log")]
pub struct LogPage {
    /// In order, without gaps.
    pub lines: Vec<LogLine>,
    /// How many the log has.
    pub total: u64,
}

/// What the event streams carry. Event names on the wire are the variants in snake case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LiveEvent {
    /// New log lines (stream `/jobs/<id>/log`; the event id is the byte offset behind them).
    Log {
        /// In order.
        lines: Vec<LogLine>,
    },
    /// The job's state or steps changed.
    Job {
        /// The job.
        job: Box<Job>,
        /// All its steps.
        steps: Vec<Step>,
    },
    /// Nothing more will come.
    End,
}
