//! Services that do one piece of work and end: one task, which isn't started again.
//!
//! Like what [`super::Own`] allows: named volumes and secrets, no folder of the host.

use super::runs::given;
use super::services::{SECOND, mount};
use super::{Docker, DockerError, GivenSecret, filter};
use bollard::models::{
    Limit, NetworkAttachmentConfig, ServiceSpec, ServiceSpecMode, ServiceSpecModeReplicatedJob, TaskSpec,
    TaskSpecContainerSpec, TaskSpecPlacement, TaskSpecResources, TaskSpecRestartPolicy,
    TaskSpecRestartPolicyConditionEnum,
};
use bollard::query_parameters::{ListContainersOptionsBuilder, ListServicesOptionsBuilder};
use std::collections::HashMap;

/// A piece of work of Slipway's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneShot {
    /// Its name in the Swarm.
    pub name: String,
    /// Labels of the service and of its container.
    pub labels: Vec<(String, String)>,
    /// By digest.
    pub image: String,
    /// What the image's entry point is started with.
    pub args: Vec<String>,
    /// Environment variables.
    pub env: Vec<(String, String)>,
    /// Files of secrets.
    pub secrets: Vec<GivenSecret>,
    /// A named volume and the folder where the container has it.
    pub volume: Option<(String, String)>,
    /// Where it may run, in Swarm's words: `node.id==…`.
    pub constraints: Vec<String>,
    /// The network's id.
    pub network: String,
    /// The most memory it may have, in bytes.
    pub memory: i64,
}

impl Docker {
    /// Starts it; the service's id. Its one task is among [`Docker::tasks`].
    pub async fn create_one_shot(&self, one_shot: &OneShot) -> Result<String, DockerError> {
        let created = self.ask(self.client.create_service(one_shot.to_engine(), None)).await?;
        Ok(created.id.unwrap_or_default())
    }

    /// Ids of services with all of these labels (`key=value`), of any kind.
    pub async fn services_with(&self, labels: &[String]) -> Result<Vec<String>, DockerError> {
        let options = ListServicesOptionsBuilder::default().filters(&filter("label", labels)).build();
        let found = self.ask(self.client.list_services(Some(options))).await?;
        Ok(found.into_iter().filter_map(|service| service.id).collect())
    }

    /// Whether a container with all of these labels runs on this engine; others can't be looked at.
    pub async fn runs_here(&self, labels: &[String]) -> Result<bool, DockerError> {
        let options = ListContainersOptionsBuilder::default().filters(&filter("label", labels)).build();
        Ok(!self.ask(self.client.list_containers(Some(options))).await?.is_empty())
    }
}

impl OneShot {
    fn to_engine(&self) -> ServiceSpec {
        let labels: HashMap<String, String> = self.labels.iter().cloned().collect();
        ServiceSpec {
            name: Some(self.name.clone()),
            labels: Some(labels.clone()),
            task_template: Some(TaskSpec {
                container_spec: Some(TaskSpecContainerSpec {
                    image: Some(self.image.clone()),
                    labels: Some(labels),
                    args: Some(self.args.clone()),
                    env: Some(self.env.iter().map(|(name, value)| format!("{name}={value}")).collect()),
                    secrets: Some(self.secrets.iter().map(|secret| given(secret, 0o400)).collect()),
                    mounts: self.volume.as_ref().map(|volume| vec![mount(volume)]),
                    // Nothing in it has to come to an end by itself.
                    stop_grace_period: Some(SECOND),
                    ..Default::default()
                }),
                placement: Some(TaskSpecPlacement {
                    constraints: Some(self.constraints.clone()),
                    ..Default::default()
                }),
                resources: Some(TaskSpecResources {
                    limits: Some(Limit { memory_bytes: Some(self.memory), ..Default::default() }),
                    ..Default::default()
                }),
                restart_policy: Some(TaskSpecRestartPolicy {
                    condition: Some(TaskSpecRestartPolicyConditionEnum::NONE),
                    ..Default::default()
                }),
                networks: Some(vec![NetworkAttachmentConfig {
                    target: Some(self.network.clone()),
                    ..Default::default()
                }]),
                ..Default::default()
            }),
            mode: Some(ServiceSpecMode {
                replicated_job: Some(ServiceSpecModeReplicatedJob {
                    max_concurrent: Some(1),
                    total_completions: Some(1),
                }),
                ..Default::default()
            }),
            ..Default::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_once_and_has_no_folder_of_the_host() {
        let one_shot = OneShot {
            name: "once".into(),
            labels: vec![("slipway.managed".into(), "true".into())],
            image: "registry:2".into(),
            args: vec!["garbage-collect".into(), "/run/secrets/config.yml".into()],
            env: Vec::new(),
            secrets: vec![GivenSecret { id: "s".into(), name: "n".into(), file: "/run/secrets/config.yml".into() }],
            volume: Some(("data".into(), "/var/lib/registry".into())),
            constraints: vec!["node.id==n1".into()],
            network: "net".into(),
            memory: 1,
        };
        let spec = serde_json::to_value(one_shot.to_engine()).expect("JSON");
        let task = &spec["TaskTemplate"];
        assert_eq!(task["RestartPolicy"], serde_json::json!({ "Condition": "none" }));
        assert_eq!(spec["Mode"], serde_json::json!({ "ReplicatedJob": { "MaxConcurrent": 1, "TotalCompletions": 1 } }));
        assert_eq!(task["ContainerSpec"]["Mounts"][0]["Type"], "volume");
        assert_eq!(task["ContainerSpec"]["Args"][0], "garbage-collect");
        assert_eq!(task["Placement"]["Constraints"][0], "node.id==n1");
        // Jobs are refused with these.
        assert!(spec.get("UpdateConfig").is_none());
        assert_eq!(spec["Labels"], task["ContainerSpec"]["Labels"]);
    }
}
