//! One look at Docker: what the Swarm has of all managed registries, in a handful of calls.

use super::names;
use super::record::Record;
use crate::docker::{Docker, DockerError, Found, Node, Task, TaskState};
use app::model::registry::{Disk, Storage, TaskLine};

/// Tasks that a page needs; the Swarm keeps some more.
const SHOWN: usize = 8;

/// What Docker said, for all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Look {
    services: Vec<Found>,
    tasks: Vec<Task>,
    secrets: Vec<String>,
    network: Option<String>,
    nodes: Vec<Node>,
    /// The node of the engine that was asked.
    here: Option<String>,
}

/// The volume of a registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum VolumeSeen {
    /// There is none to be seen: it is on another node, or there is a bucket.
    #[default]
    Unseen,
    /// The node that it should be on has none of that name.
    Gone,
    /// It was made then.
    There(String),
}

/// What was found of one registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Its service.
    pub service: Option<Found>,
    /// Its proxy's service.
    pub proxy: Option<Found>,
    /// Tasks of its service, newest first.
    pub tasks: Vec<Task>,
    /// Names of its secrets that the Swarm has.
    pub secrets: Vec<String>,
    /// The id of the network of all registries.
    pub network: Option<String>,
    /// The machines.
    pub nodes: Vec<Node>,
    /// Its volume.
    pub volume: VolumeSeen,
}

impl Look {
    /// Asks Docker.
    pub async fn take(docker: &Docker) -> Result<Self, DockerError> {
        let services = docker.services(names::REGISTRY).await?;
        let ids: Vec<String> = services.iter().map(|service| service.id.clone()).collect();
        Ok(Self {
            tasks: docker.tasks(&ids).await?,
            secrets: docker.secrets(names::REGISTRY).await?.into_iter().map(|secret| secret.name).collect(),
            network: docker.find_network(names::NETWORK).await?.map(|network| network.id),
            nodes: docker.nodes().await?,
            here: docker.own_node().await?.map(|(id, _)| id),
            services,
        })
    }

    /// What of it is about one registry.
    pub async fn of(&self, docker: &Docker, record: &Record) -> Result<Seen, DockerError> {
        let volume = match &record.wanted.storage {
            Storage::Volume { name } if self.is_here(record) => match docker.find_volume(name).await? {
                // A label lasts, while engines take the time from a folder's, which a restored backup changes. A volume that
                // Docker makes by itself for a task has no label.
                Some(volume) if names::are_of(&volume.labels, &record.id) => {
                    VolumeSeen::There(record.volume_created.clone().unwrap_or(volume.created))
                }
                Some(volume) => VolumeSeen::There(volume.created),
                None => VolumeSeen::Gone,
            },
            _ => VolumeSeen::Unseen,
        };
        let find = |name: String| self.services.iter().find(|service| service.name == name).cloned();
        let service = find(names::service(&record.id));
        let own = format!("{}-", names::service(&record.id));
        Ok(Seen {
            tasks: self
                .tasks
                .iter()
                .filter(|task| service.as_ref().is_some_and(|service| service.id == task.service))
                .cloned()
                .collect(),
            proxy: find(names::proxy(&record.id)),
            secrets: self.secrets.iter().filter(|name| name.starts_with(&own)).cloned().collect(),
            network: self.network.clone(),
            nodes: self.nodes.clone(),
            volume,
            service,
        })
    }

    fn is_here(&self, record: &Record) -> bool {
        record.node.as_ref().is_none_or(|(id, _)| self.here.as_ref() == Some(id))
    }
}

impl Seen {
    /// Whether a task of it runs and is healthy.
    pub fn runs(&self) -> bool {
        self.tasks.iter().any(is_running)
    }

    /// Its tasks for people: those that should run first.
    pub fn lines(&self) -> Vec<TaskLine> {
        let (wanted, old): (Vec<_>, Vec<_>) = self.tasks.iter().partition(|task| task.should_run);
        wanted.into_iter().chain(old).take(SHOWN).map(|task| self.line(task)).collect()
    }

    fn line(&self, task: &Task) -> TaskLine {
        let node = task.node.as_ref().map(|id| {
            let known = self.nodes.iter().find(|node| node.id == *id);
            known.map_or_else(|| id.chars().take(12).collect(), |node| node.name.clone())
        });
        TaskLine {
            id: task.id.chars().take(12).collect(),
            node,
            state: task.state.word().to_owned(),
            runs: is_running(task),
            since: task.since,
            error: task.error.clone(),
        }
    }
}

fn is_running(task: &Task) -> bool {
    task.should_run && task.state == TaskState::Running
}

/// Room where a volume keeps images, and whether it changed enough to look closer.
pub(super) fn is_news(before: Option<Disk>, now: Option<Disk>) -> bool {
    let tight = |disk: Option<Disk>| disk.is_some_and(crate::disk::is_tight);
    tight(before) != tight(now)
}
