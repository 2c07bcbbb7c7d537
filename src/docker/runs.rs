//! What a service may have beside image, variables and ports, and how the engine is told: programs, resources, places,
//! mounts, secrets, further networks. Mounts come from [`app::model::service_settings`], which refuses what would give a
//! container the node.

use super::GivenSecret;
use app::model::service::{Mount, Resources};
use bollard::models::{
    Limit, Mount as EngineMount, MountType, NetworkAttachmentConfig, ResourceObject, TaskSpecContainerSpecFile,
    TaskSpecContainerSpecSecrets, TaskSpecResources,
};

/// What a service may have beside image, variables and ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Runs {
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
    /// Files of secrets.
    pub secrets: Vec<GivenSecret>,
    /// Ids of networks beside the first.
    pub networks: Vec<String>,
    /// What containers carry instead of the service's labels; none: the same.
    pub task_labels: Option<Vec<(String, String)>>,
}

impl Runs {
    /// Two tasks at a time would write to the same data.
    pub(super) fn writes(&self) -> bool {
        self.mounts.iter().any(|mount| !mount.read_only)
    }

    pub(super) fn limits(&self) -> Option<TaskSpecResources> {
        let Resources { memory, millicpus, memory_reserved, millicpus_reserved } = self.resources;
        let bytes = |bytes: Option<u64>| bytes.and_then(|bytes| i64::try_from(bytes).ok());
        let nano = |millis: Option<u32>| millis.map(|millis| i64::from(millis) * 1_000_000);
        let limits = (memory.is_some() || millicpus.is_some()).then(|| Limit {
            memory_bytes: bytes(memory),
            nano_cpus: nano(millicpus),
            ..Default::default()
        });
        let reservations = (memory_reserved.is_some() || millicpus_reserved.is_some()).then(|| ResourceObject {
            memory_bytes: bytes(memory_reserved),
            nano_cpus: nano(millicpus_reserved),
            ..Default::default()
        });
        (limits.is_some() || reservations.is_some()).then_some(TaskSpecResources {
            limits,
            reservations,
            ..Default::default()
        })
    }

    pub(super) fn mounts(&self) -> Option<Vec<EngineMount>> {
        let engine = |mount: &Mount| EngineMount {
            typ: Some(if mount.is_bind() { MountType::BIND } else { MountType::VOLUME }),
            source: Some(mount.source.clone()),
            target: Some(mount.target.clone()),
            read_only: mount.read_only.then_some(true),
            ..Default::default()
        };
        (!self.mounts.is_empty()).then(|| self.mounts.iter().map(engine).collect())
    }

    /// Readable by whatever user the image runs as, as Docker's own client has it.
    pub(super) fn secrets(&self) -> Option<Vec<TaskSpecContainerSpecSecrets>> {
        (!self.secrets.is_empty()).then(|| self.secrets.iter().map(|secret| given(secret, 0o444)).collect())
    }

    /// All networks, the first one first; `alias` is what the service is called there.
    pub(super) fn networks(&self, first: &str, alias: &str) -> Vec<NetworkAttachmentConfig> {
        let attached = |id: &String| NetworkAttachmentConfig {
            target: Some(id.clone()),
            aliases: Some(vec![alias.to_owned()]),
            ..Default::default()
        };
        let others = self.networks.iter().filter(|id| *id != first);
        std::iter::once(&first.to_owned()).chain(others).map(attached).collect()
    }
}

/// A secret as a file.
pub(super) fn given(secret: &GivenSecret, mode: u32) -> TaskSpecContainerSpecSecrets {
    TaskSpecContainerSpecSecrets {
        file: Some(TaskSpecContainerSpecFile {
            name: Some(secret.file.clone()),
            uid: Some("0".into()),
            gid: Some("0".into()),
            mode: Some(mode),
        }),
        secret_id: Some(secret.id.clone()),
        secret_name: Some(secret.name.clone()),
    }
}
