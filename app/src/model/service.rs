//! What runs in the Swarm: settings, tasks, deployments.

use super::build::CommitSha;
use super::id::{BuildId, DeploymentId, JobId, ProjectId, ServiceId};
use super::image_ref::ImageRef;
use super::job::JobState;
use super::standing::Back;
use super::tag_watch::{News, WatchMode};
use crate::error::Problem;
use serde::{Deserialize, Serialize};

pub use super::service_form::{CredentialChoice, ServiceFields, ServiceForm, SourceFields};
pub use super::service_settings::{Mount, Resources, SecretFile};
pub use super::source::{Branch, GitSource, GitUrl, ImageSource, InnerPath, Source};

/// A published port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// On the node.
    pub published: u16,
    /// In the container.
    pub target: u16,
    /// UDP instead of TCP.
    pub udp: bool,
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}{}", self.published, self.target, if self.udp { "/udp" } else { "" })
    }
}

/// How Docker finds out whether a container is well: a program run in it, never a shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Seconds between runs.
    pub interval: u32,
    /// Failures in a row that make it unhealthy.
    pub retries: u32,
    /// Seconds in which failures don't count.
    pub start_period: u32,
    /// Seconds that a run may take.
    #[serde(default = "timeout")]
    pub timeout: u32,
}

/// What every check had before it could be chosen.
fn timeout() -> u32 {
    5
}

/// Everything but the image; a deployment keeps a copy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Environment variables, in order.
    pub env: Vec<(String, String)>,
    /// Published ports.
    pub ports: Vec<Port>,
    /// Running copies.
    pub replicas: u32,
    /// How Docker finds out whether it is well.
    pub health: Option<HealthCheck>,
    /// Program and arguments instead of the image's entry point; empty: the image's.
    pub command: Vec<String>,
    /// Arguments instead of the image's; empty: the image's.
    pub args: Vec<String>,
    /// What a task may use.
    pub resources: Resources,
    /// Where tasks may run, in Swarm's words.
    pub constraints: Vec<String>,
    /// Data that outlives tasks.
    pub mounts: Vec<Mount>,
    /// Overlay networks beside the project's own, by name.
    pub networks: Vec<String>,
    /// Files below `/run/secrets`; their values are sealed.
    pub secrets: Vec<SecretFile>,
}

/// How a service is, from what is true in the Swarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    /// Never deployed.
    New,
    /// As many tasks run as should.
    Running,
    /// Fewer tasks run than should.
    Degraded,
    /// Zero replicas wanted.
    Stopped,
    /// Docker can't be asked.
    Unknown,
}

/// A service as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSummary {
    /// Its id.
    pub id: ServiceId,
    /// What people call it.
    pub name: String,
    /// The project's name.
    pub project: String,
    /// How it is.
    pub state: ServiceState,
    /// The number of the deployment that runs.
    pub deployment: Option<i64>,
    /// The newest build's state.
    pub last_build: Option<JobState>,
    /// When something last happened, Unix milliseconds.
    pub changed: i64,
    /// Its tag leads to a digest that doesn't run.
    pub news: Option<News>,
}

/// A service as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// What people call it.
    pub name: String,
    /// What its name is in paths.
    pub slug: String,
    /// The project.
    pub project: ProjectId,
    /// The project's name.
    pub project_name: String,
    /// The project's name in paths.
    pub project_slug: String,
    /// Where images come from.
    pub source: Source,
    /// Used by the next deployment that isn't a way back.
    pub settings: Settings,
    /// What happens when its tag leads to a new digest.
    pub watch: WatchMode,
    /// The deployment that runs.
    pub current: Option<DeploymentId>,
    /// Grows with every change.
    pub version: i64,
}

/// One task of the Swarm service, in plain words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Swarm's id, short.
    pub id: String,
    /// The node's host name.
    pub node: String,
    /// `running`, `starting`, …
    pub state: String,
    /// Why it is not well, and what to do.
    pub message: Option<String>,
    /// The image's digest it runs, brief.
    pub image: String,
    /// Since when, Unix seconds.
    pub since: i64,
}

/// Why a deployment was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Origin {
    /// A build pushed its image.
    Build {
        /// Which.
        build: BuildId,
        /// Its number.
        number: i64,
    },
    /// Somebody deployed the service's image.
    Image,
    /// The signed deploy hook named an image of its repository.
    Hook,
    /// The service's tag led to a new digest.
    Watch,
    /// Somebody started what ran anew.
    Restart {
        /// What ran.
        of: DeploymentId,
        /// Its number.
        number: i64,
    },
    /// Somebody changed the number of copies; tasks that run go on.
    Scale {
        /// The deployment whose tasks go on.
        tasks: DeploymentId,
        /// Copies before.
        from: u32,
        /// Copies since.
        to: u32,
    },
    /// Somebody went back.
    RollBack {
        /// To which.
        to: DeploymentId,
        /// Its number.
        number: i64,
        /// What came back.
        #[serde(default)]
        what: Back,
    },
}

impl Deployment {
    /// The deployment whose label its tasks carry: tasks of what is only scaled go on as they are.
    pub fn tasks(&self) -> &DeploymentId {
        if let Origin::Scale { tasks, .. } = &self.origin { tasks } else { &self.id }
    }
}

/// One version of a service: digest plus settings. Never changes, but for its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its id.
    pub id: DeploymentId,
    /// Counts within the service, from 1.
    pub number: i64,
    /// What it is a version of.
    pub service: ServiceId,
    /// By digest, with the tag for people.
    pub image: ImageRef,
    /// What was built; none: the image isn't from here.
    pub commit: Option<CommitSha>,
    /// First line of its message.
    pub commit_subject: Option<String>,
    /// The settings it runs with.
    pub settings: Settings,
    /// Why it was made.
    pub origin: Origin,
    /// Where its job is.
    pub state: JobState,
    /// Why it failed.
    pub problem: Option<Problem>,
    /// Whether this is the one that runs.
    pub is_current: bool,
    /// The work behind it.
    pub job: JobId,
    /// Who asked.
    pub asked_by: String,
    /// Unix milliseconds.
    pub created: i64,
    /// Unix milliseconds.
    pub finished: Option<i64>,
}
