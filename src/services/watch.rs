//! What the Swarm says about our services, looked at every few seconds and kept in memory for the pages.

use super::{Services, spec, words};
use crate::docker::{Docker, DockerError, Found, Node, TaskState};
use app::model::id::ServiceId;
use app::model::platform::Platform;
use app::model::service::{Port, ServiceState, Task};
use app::model::settings::DockerState;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(4);
/// The Swarm keeps five old tasks of every copy; a page needs the last few.
const TASKS_SHOWN: usize = 12;

/// One service in the Swarm.
#[derive(Clone, Debug, Default)]
struct Seen {
    wanted: u64,
    running: u64,
    tasks: Vec<crate::docker::Task>,
    /// What its nodes have to be; empty: anything.
    platforms: Vec<Platform>,
}

/// What was seen when last looked.
#[derive(Debug, Default)]
pub(super) struct Observed {
    state: RwLock<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    /// Unix seconds; 0: never.
    at: i64,
    /// Whether the last look succeeded.
    is_fresh: bool,
    services: HashMap<ServiceId, Seen>,
    /// By Swarm's id.
    nodes: HashMap<String, Node>,
}

impl Observed {
    /// Looks now.
    pub(super) async fn look(&self, docker: &Docker, now: i64) -> Result<(), DockerError> {
        let found = docker.services(&format!("{}=true", spec::MANAGED)).await;
        let looked = match found {
            Ok(found) => read(docker, found, now).await,
            Err(error) => Err(error),
        };
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match looked {
            Ok(seen) => {
                *state = seen;
                Ok(())
            }
            Err(error) => {
                state.is_fresh = false;
                Err(error)
            }
        }
    }

    /// Nobody could be asked.
    fn lost(&self) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).is_fresh = false;
    }

    /// How a service is.
    pub(super) fn state_of(&self, id: &ServiceId, is_deployed: bool) -> ServiceState {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if !is_deployed && !state.services.contains_key(id) {
            return ServiceState::New;
        }
        if !state.is_fresh {
            return ServiceState::Unknown;
        }
        match state.services.get(id) {
            Some(Seen { wanted: 0, .. }) => ServiceState::Stopped,
            Some(seen) if seen.running >= seen.wanted => ServiceState::Running,
            _ => ServiceState::Degraded,
        }
    }

    /// Its tasks, those that should run first, and the time of the look.
    pub(super) fn tasks_of(&self, id: &ServiceId, ports: &[Port]) -> (Vec<Task>, i64) {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let Some(seen) = state.services.get(id) else { return (Vec::new(), state.at) };
        let (wanted, old): (Vec<_>, Vec<_>) = seen.tasks.iter().partition(|task| task.should_run);
        let tasks = wanted.into_iter().chain(old).take(TASKS_SHOWN).map(|task| shown(task, &state.nodes, ports));
        (tasks.collect(), state.at)
    }

    /// Platforms of nodes that a service's image isn't for.
    pub(super) fn uncovered(&self, id: &ServiceId) -> Vec<Platform> {
        let image = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            state.services.get(id).map(|seen| seen.platforms.clone()).unwrap_or_default()
        };
        if image.is_empty() { image } else { super::platforms::uncovered(&image, &self.platforms()) }
    }

    /// The platforms of the nodes that take tasks, each once; empty while not all are known.
    pub(super) fn platforms(&self) -> Vec<Platform> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let taking = state.nodes.values().filter(|node| node.is_ready && node.takes_tasks);
        let platforms: Option<std::collections::BTreeSet<_>> = taking.map(|node| node.platform.clone()).collect();
        platforms.unwrap_or_default().into_iter().collect()
    }
}

fn shown(task: &crate::docker::Task, nodes: &HashMap<String, Node>, ports: &[Port]) -> Task {
    let node = task.node.as_ref().and_then(|node| nodes.get(node));
    let digest = task.image.split_once('@').and_then(|(_, digest)| digest.parse().ok());
    Task {
        id: task.id.chars().take(12).collect(),
        node: node.map(|node| node.name.clone()).unwrap_or_default(),
        state: task.state.word().into(),
        message: words::why(task, ports),
        image: digest.map_or_else(|| task.image.clone(), |digest: app::model::image_ref::Digest| digest.brief()),
        since: task.since,
    }
}

async fn read(docker: &Docker, found: Vec<Found>, now: i64) -> Result<State, DockerError> {
    let ids: Vec<String> = found.iter().map(|service| service.id.clone()).collect();
    let tasks = docker.tasks(&ids).await?;
    let nodes = docker.nodes().await?.into_iter().map(|node| (node.id.clone(), node)).collect();
    let services = found
        .into_iter()
        .filter_map(|service| {
            let id = service.labels.get(spec::SERVICE)?.parse().ok()?;
            let tasks: Vec<_> = tasks.iter().filter(|task| task.service == service.id).cloned().collect();
            let running = tasks.iter().filter(|task| task.should_run && task.state == TaskState::Running).count();
            Some((id, Seen { wanted: service.replicas, running: running as u64, tasks, platforms: service.platforms }))
        })
        .collect();
    Ok(State { at: now, is_fresh: true, services, nodes })
}

impl Services {
    /// Looks at once, then again and again, until `stop`. Started by `start.rs`.
    pub async fn watch(&self, stop: CancellationToken) {
        let mut told = false;
        while !stop.is_cancelled() {
            if self.inner.settings.host_now().docker == DockerState::Ready {
                let looked = tokio::select! {
                    looked = self.look() => looked,
                    () = stop.cancelled() => return,
                };
                if let Err(error) = &looked
                    && !told
                {
                    tracing::warn!(error = %error, "the Swarm's tasks can't be looked at now");
                }
                told = looked.is_err();
            } else {
                self.inner.observed.lost();
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Looks now.
    pub async fn look(&self) -> Result<(), DockerError> {
        self.inner.observed.look(&self.inner.docker, self.inner.clock.seconds()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(is_fresh: bool, seen: Option<Seen>) -> (Observed, ServiceId) {
        let id = ServiceId::from_random([1; 8]);
        let services = seen.map(|seen| (id.clone(), seen)).into_iter().collect();
        let state = State { at: 5, is_fresh, services, nodes: HashMap::new() };
        (Observed { state: RwLock::new(state) }, id)
    }

    #[test]
    fn platforms_are_those_of_nodes_that_take_tasks() {
        let node = |id: &str, platform: Option<&str>, is_ready, takes_tasks| Node {
            id: id.into(),
            name: id.into(),
            is_ready,
            takes_tasks,
            platform: platform.map(|text| text.parse().expect("a platform")),
        };
        let (observed, _) = observed(true, None);
        let amd = node("a", Some("linux/amd64"), true, true);
        let platforms = |nodes: Vec<Node>| {
            observed.state.write().expect("a lock").nodes =
                nodes.into_iter().map(|node| (node.id.clone(), node)).collect();
            observed.platforms().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(platforms(Vec::new()), Vec::<String>::new());
        let arm = node("b", Some("linux/arm64"), true, true);
        let drained = node("c", Some("windows/amd64"), true, false);
        let down = node("d", None, false, true);
        let twin = node("e", Some("linux/amd64"), true, true);
        assert_eq!(platforms(vec![amd.clone(), arm, drained, down, twin]), ["linux/amd64", "linux/arm64"]);
        // What one node is isn't known: then nothing may be said about all.
        assert_eq!(platforms(vec![amd, node("f", None, true, true)]), Vec::<String>::new());
    }

    #[test]
    fn a_service_is_what_the_swarm_says() {
        let seen = |wanted, running| Some(Seen { wanted, running, ..Seen::default() });
        for (is_fresh, found, is_deployed, state) in [
            (true, None, false, ServiceState::New),
            (false, None, false, ServiceState::New),
            (true, seen(2, 2), true, ServiceState::Running),
            (true, seen(2, 1), true, ServiceState::Degraded),
            (true, seen(1, 0), false, ServiceState::Degraded),
            (true, seen(0, 0), true, ServiceState::Stopped),
            (true, None, true, ServiceState::Degraded),
            (false, seen(2, 2), true, ServiceState::Unknown),
        ] {
            let (observed, id) = observed(is_fresh, found.clone());
            assert_eq!(observed.state_of(&id, is_deployed), state, "{is_fresh} {found:?} {is_deployed}");
        }
    }
}
