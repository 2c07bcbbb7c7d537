//! The engine itself: version, storage, Swarm mode, nodes.

use super::{Docker, DockerError};
use app::model::platform::Platform;
use bollard::models::{LocalNodeState, NodeSpecAvailabilityEnum, NodeState, SwarmInitRequest, SystemInfo};
use std::path::PathBuf;

/// How the engine is in a Swarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwarmMode {
    /// Not in one.
    Off,
    /// In one, and may change it.
    Manager,
    /// In one, but may not change it.
    Worker,
    /// In one that doesn't work, and why.
    Broken(String),
}

/// What the engine says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// Its version.
    pub version: Option<String>,
    /// Whether images are kept in containerd's store.
    pub containerd_store: bool,
    /// `linux/amd64` and so on.
    pub platform: Option<String>,
    /// Where it keeps images, containers and build cache, on its own machine.
    pub root: Option<PathBuf>,
    /// How it is in a Swarm.
    pub swarm: SwarmMode,
    /// Nodes of the Swarm; 0 outside one.
    pub nodes: u64,
}

/// One machine of the Swarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Swarm's id.
    pub id: String,
    /// Its host name.
    pub name: String,
    /// Whether it answers.
    pub is_ready: bool,
    /// Whether it takes new tasks: neither paused nor drained.
    pub takes_tasks: bool,
    /// What it runs; None: it doesn't say.
    pub platform: Option<Platform>,
}

impl Docker {
    /// Asks the engine about itself.
    pub async fn look(&self) -> Result<Engine, DockerError> {
        Ok(engine(self.ask(self.client.info()).await?))
    }

    /// Starts Swarm mode; other nodes will reach this one at `advertise` (an address or an interface's name).
    pub async fn start_swarm(&self, advertise: &str) -> Result<(), DockerError> {
        let request = SwarmInitRequest {
            listen_addr: Some("0.0.0.0:2377".into()),
            advertise_addr: Some(advertise.into()),
            ..Default::default()
        };
        self.ask(self.client.init_swarm(request)).await.map(drop)
    }

    /// The node of the engine that is asked: Swarm's id and the host name. None: it isn't in a Swarm.
    pub async fn own_node(&self) -> Result<Option<(String, String)>, DockerError> {
        let info = self.ask(self.client.info()).await?;
        let id = info.swarm.and_then(|swarm| swarm.node_id).filter(|id| !id.is_empty());
        Ok(id.map(|id| (id, info.name.unwrap_or_default())))
    }

    /// The Swarm's machines.
    pub async fn nodes(&self) -> Result<Vec<Node>, DockerError> {
        let nodes = self.ask(self.client.list_nodes(None::<bollard::query_parameters::ListNodesOptions>)).await?;
        Ok(nodes.into_iter().filter_map(read).collect())
    }
}

fn engine(info: SystemInfo) -> Engine {
    let containerd_store = info.driver_status.iter().flatten().any(|pair| {
        matches!(pair.as_slice(), [key, value] if key == "driver-type" && value.starts_with("io.containerd.snapshotter"))
    });
    let platform = info.os_type.zip(info.architecture).map(|(os, machine)| format!("{os}/{}", architecture(&machine)));
    let swarm = info.swarm.unwrap_or_default();
    let mode = match swarm.local_node_state {
        Some(LocalNodeState::ACTIVE) if swarm.control_available == Some(true) => SwarmMode::Manager,
        Some(LocalNodeState::ACTIVE) => SwarmMode::Worker,
        Some(LocalNodeState::PENDING) => SwarmMode::Broken("it is still joining its Swarm".into()),
        Some(LocalNodeState::LOCKED) => {
            SwarmMode::Broken("its Swarm is locked; run docker swarm unlock on that machine".into())
        }
        Some(LocalNodeState::ERROR) => {
            let own = swarm.error.filter(|text| !text.is_empty()).unwrap_or_else(|| "without saying why".into());
            SwarmMode::Broken(format!("its Swarm failed: {own}"))
        }
        _ => SwarmMode::Off,
    };
    Engine {
        version: info.server_version.filter(|version| !version.is_empty()),
        containerd_store,
        platform,
        root: info.docker_root_dir.filter(|root| !root.is_empty()).map(PathBuf::from),
        nodes: swarm.nodes.and_then(|nodes| u64::try_from(nodes).ok()).unwrap_or(0),
        swarm: mode,
    }
}

fn read(node: bollard::models::Node) -> Option<Node> {
    let description = node.description.unwrap_or_default();
    let availability = node.spec.and_then(|spec| spec.availability);
    let platform = description.platform.and_then(|platform| {
        let (os, machine) = (platform.os?, platform.architecture?);
        // ARM's variants are in the kernel's name of the machine alone.
        let variant = machine.strip_prefix("armv").map(|rest| format!("v{}", rest.trim_end_matches('l')));
        Platform::of(&os, architecture(&machine), variant.as_deref()).ok()
    });
    Some(Node {
        id: node.id?,
        name: description.hostname.unwrap_or_default(),
        is_ready: node.status.and_then(|status| status.state) == Some(NodeState::READY),
        takes_tasks: !matches!(availability, Some(NodeSpecAvailabilityEnum::PAUSE | NodeSpecAvailabilityEnum::DRAIN)),
        platform,
    })
}

/// The kernel's name of a machine as image indexes write it.
fn architecture(machine: &str) -> &str {
    match machine {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "i386" | "i686" => "386",
        "armv7l" | "armv6l" => "arm",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: serde_json::Value) -> Engine {
        engine(serde_json::from_value(json).expect("as the engine answers"))
    }

    #[test]
    fn an_engine_is_read_from_its_own_words() {
        let found = of(serde_json::json!({
            "ServerVersion": "26.1.5", "OSType": "linux", "Architecture": "x86_64", "DockerRootDir": "/srv/docker",
            "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
            "Swarm": {"LocalNodeState": "active", "ControlAvailable": true, "Nodes": 2}
        }));
        assert_eq!(
            found,
            Engine {
                version: Some("26.1.5".into()),
                containerd_store: true,
                platform: Some("linux/amd64".into()),
                root: Some("/srv/docker".into()),
                swarm: SwarmMode::Manager,
                nodes: 2
            }
        );
    }

    #[test]
    fn a_node_says_what_it_runs_and_whether_it_takes_tasks() {
        let of = |machine: &str, availability: &str| {
            let json = serde_json::json!({
                "ID": "n1", "Spec": {"Availability": availability}, "Status": {"State": "ready"},
                "Description": {"Hostname": "one", "Platform": {"Architecture": machine, "OS": "linux"}}
            });
            read(serde_json::from_value(json).expect("as the engine answers")).expect("a node")
        };
        for (machine, platform) in [
            ("x86_64", "linux/amd64"),
            ("aarch64", "linux/arm64"),
            ("armv7l", "linux/arm/v7"),
            ("armv6l", "linux/arm/v6"),
            ("s390x", "linux/s390x"),
        ] {
            assert_eq!(of(machine, "active").platform.map(String::from).as_deref(), Some(platform), "{machine}");
        }
        assert!(of("x86_64", "active").takes_tasks && of("x86_64", "active").is_ready);
        assert!(!of("x86_64", "drain").takes_tasks && !of("x86_64", "pause").takes_tasks);
    }

    #[test]
    fn every_swarm_state_has_its_word() {
        let mode = |swarm: serde_json::Value| of(serde_json::json!({ "Swarm": swarm })).swarm;
        assert_eq!(mode(serde_json::json!({"LocalNodeState": "inactive"})), SwarmMode::Off);
        assert_eq!(mode(serde_json::json!({"LocalNodeState": "active"})), SwarmMode::Worker);
        for state in ["pending", "locked", "error"] {
            assert!(matches!(mode(serde_json::json!({"LocalNodeState": state})), SwarmMode::Broken(_)), "{state}");
        }
    }
}
