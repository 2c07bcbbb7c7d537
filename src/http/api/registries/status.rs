//! How a registry that Slipway runs is.

use crate::http::api::jobs::Trouble;
use crate::http::api::times;
use crate::http::api::words::State;
use app::model::registry::{self, ManagedStatus};
use serde::Serialize;
use utoipa::ToSchema;

/// How a registry that Slipway runs is, from what is true.
#[derive(Serialize, ToSchema)]
pub struct Status {
    /// In one word.
    state: State,
    /// In one sentence.
    headline: String,
    /// What is wrong, and what to do.
    problem: Option<Trouble>,
    /// Newest first.
    tasks: Vec<Task>,
    /// What the last push and pull found.
    probe: Option<Probe>,
    /// Oldest first; all the same length.
    uptime: Vec<Slot>,
    /// What is in it.
    usage: Option<Usage>,
    /// Bytes over time, oldest first.
    growth: Vec<Size>,
    /// Room where the images are kept; null: not known.
    disk: Option<Disk>,
    /// When Docker was looked at; null: never since Slipway started.
    #[schema(format = DateTime)]
    looked_at: Option<String>,
}

/// A task of the Swarm.
#[derive(Serialize, ToSchema)]
struct Task {
    /// Swarm's id.
    id: String,
    /// The node's host name.
    node: Option<String>,
    /// Its state in a word.
    state: String,
    /// Whether it runs and is healthy.
    runs: bool,
    #[schema(format = DateTime)]
    since: String,
    /// What went wrong, in Swarm's own words.
    error: Option<String>,
}

/// A push and a pull from end to end.
#[derive(Serialize, ToSchema)]
struct Probe {
    #[schema(format = DateTime)]
    at: String,
    /// Whether all steps went well.
    ok: bool,
    /// How long it took.
    milliseconds: i64,
    /// In order.
    steps: Vec<Step>,
    /// What went wrong, and what to do.
    problem: Option<Trouble>,
}

/// A step of a probe.
#[derive(Serialize, ToSchema)]
#[schema(as = ProbeStep)]
struct Step {
    /// `connect`, `sign_in`, `push`, `read`, `delete`, `storage` or `domain`.
    name: String,
    /// For people.
    title: String,
    /// Null: not reached.
    ok: Option<bool>,
    /// How long it took.
    milliseconds: i64,
    /// What was found, or went wrong.
    text: String,
}

/// A piece of the uptime strip.
#[derive(Serialize, ToSchema)]
#[schema(as = UptimeSlot)]
struct Slot {
    #[schema(format = DateTime)]
    from: String,
    /// Probes that went well.
    good: u32,
    /// Probes that failed.
    bad: u32,
    /// What went wrong first.
    problem: Option<String>,
}

/// What is in it.
#[derive(Serialize, ToSchema)]
struct Usage {
    #[schema(format = DateTime)]
    at: String,
    /// Repositories with a tag.
    repositories: u64,
    /// Tags.
    tags: u64,
    /// Bytes of all layers, configurations and manifests, each once.
    bytes: u64,
    /// Bytes that would be needed on top if nothing were shared.
    shared_bytes: u64,
}

/// Bytes at a time.
#[derive(Serialize, ToSchema)]
struct Size {
    #[schema(format = DateTime)]
    at: String,
    bytes: u64,
}

/// Room where the images are kept.
#[derive(Serialize, ToSchema)]
struct Disk {
    free_bytes: u64,
    total_bytes: u64,
}

impl From<registry::TaskLine> for Task {
    fn from(task: registry::TaskLine) -> Self {
        let registry::TaskLine { id, node, state, runs, since, error } = task;
        Self { id, node, state, runs, since: times::of_seconds(since), error }
    }
}

impl From<registry::ProbeStep> for Step {
    fn from(step: registry::ProbeStep) -> Self {
        let registry::ProbeStep { name, title, ok, millis, text } = step;
        Self { name, title, ok, milliseconds: millis, text }
    }
}

impl From<registry::ProbeReport> for Probe {
    fn from(report: registry::ProbeReport) -> Self {
        Self {
            at: times::of_seconds(report.at),
            ok: report.ok,
            milliseconds: report.millis,
            steps: report.steps.into_iter().map(Step::from).collect(),
            problem: report.problem.map(Trouble::from),
        }
    }
}

impl From<registry::UptimeSlot> for Slot {
    fn from(slot: registry::UptimeSlot) -> Self {
        Self { from: times::of_seconds(slot.from), good: slot.good, bad: slot.bad, problem: slot.problem }
    }
}

impl From<registry::Usage> for Usage {
    fn from(usage: registry::Usage) -> Self {
        let registry::Usage { at, repositories, tags, bytes, shared } = usage;
        Self { at: times::of_seconds(at), repositories, tags, bytes, shared_bytes: shared }
    }
}

impl From<ManagedStatus> for Status {
    fn from(status: ManagedStatus) -> Self {
        Self {
            state: status.state.into(),
            headline: status.headline,
            problem: status.problem.map(Trouble::from),
            tasks: status.tasks.into_iter().map(Task::from).collect(),
            probe: status.probe.map(Probe::from),
            uptime: status.uptime.into_iter().map(Slot::from).collect(),
            usage: status.usage.map(Usage::from),
            growth: status.growth.into_iter().map(|(at, bytes)| Size { at: times::of_seconds(at), bytes }).collect(),
            disk: status.disk.map(|disk| Disk { free_bytes: disk.free, total_bytes: disk.total }),
            looked_at: (status.looked_at > 0).then(|| times::of_seconds(status.looked_at)),
        }
    }
}
