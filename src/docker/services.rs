//! Swarm services, made from a typed list of what may be set.
//!
//! [`Spec`] is the whole of it: capabilities, devices, sysctls, privileges and host name spaces have no field here, so no text
//! that anybody types can reach them. Folders of a node come as checked mounts alone, see [`Runs`]. What Slipway itself runs
//! may have more, see [`Own`]: named volumes and secrets, no folder of the host.

use super::runs::{Runs, given};
use super::{Docker, DockerError, filter};
use app::model::platform::Platform;
use app::model::secret::Secret;
use app::model::service::{HealthCheck, Port};
use bollard::auth::DockerCredentials;
use bollard::models::{
    EndpointPortConfig, EndpointPortConfigProtocolEnum, EndpointPortConfigPublishModeEnum, EndpointSpec,
    EndpointSpecModeEnum, HealthConfig, Limit, Mount, MountType, ServiceSpec, ServiceSpecMode,
    ServiceSpecModeReplicated, ServiceSpecUpdateConfig, ServiceSpecUpdateConfigFailureActionEnum,
    ServiceSpecUpdateConfigOrderEnum, ServiceUpdateStatusStateEnum, TaskSpec, TaskSpecContainerSpec, TaskSpecPlacement,
    TaskSpecResources, TaskSpecRestartPolicy, TaskSpecRestartPolicyConditionEnum,
};
use bollard::query_parameters::{InspectServiceOptions, ListServicesOptionsBuilder, UpdateServiceOptionsBuilder};
use std::collections::HashMap;

pub(super) const SECOND: i64 = 1_000_000_000;

/// How ports are published and names resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publishing {
    /// Virtual IPs and the routing mesh: a port answers on every node. Needs IP_VS.
    Mesh,
    /// DNS round robin, and ports on the nodes that run a task.
    Host,
}

/// All that a service may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Its name in the Swarm; can't change.
    pub name: String,
    /// Labels of the service; its containers carry them too.
    pub labels: Vec<(String, String)>,
    /// By digest.
    pub image: String,
    /// Environment variables.
    pub env: Vec<(String, String)>,
    /// Running copies.
    pub replicas: u32,
    /// Published ports.
    pub ports: Vec<Port>,
    /// How they are published.
    pub publishing: Publishing,
    /// The network's id.
    pub network: String,
    /// What the other services on the network call it.
    pub alias: String,
    /// How Docker finds out whether it is well. None: as the image says; for what is our [`Own`], not at all.
    pub health: Option<HealthCheck>,
    /// What its nodes have to be; empty: anything.
    pub platforms: Vec<Platform>,
    /// Programs, resources, places, mounts, secrets, further networks; nothing for what is our [`Own`].
    pub runs: Runs,
    /// What only services have that Slipway itself runs.
    pub own: Option<Own>,
}

/// More of a service that Slipway itself runs, such as a registry; never of what users deploy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// What the image's entry point is started with; empty: what the image says.
    pub args: Vec<String>,
    /// Files of secrets.
    pub secrets: Vec<GivenSecret>,
    /// A named volume and the folder where the container has it.
    pub volume: Option<(String, String)>,
    /// Where tasks may run, in Swarm's words: `node.id==…`.
    pub constraints: Vec<String>,
    /// A task on every node instead of so many copies.
    pub everywhere: bool,
    /// The most memory a task may have, in bytes.
    pub memory: Option<i64>,
    /// The most processor time a task may have, in billionths of a core.
    pub nano_cpus: Option<i64>,
    /// So long a task may take to end by itself, in seconds.
    pub stop_grace: u32,
    /// Another number than before starts all tasks anew.
    pub force: u64,
}

/// A secret as a file in the container, readable by root there alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenSecret {
    /// Swarm's id.
    pub id: String,
    /// Its name in the Swarm.
    pub name: String,
    /// The whole path in the container.
    pub file: String,
}

/// How a node signs in to pull the image.
#[derive(Clone, Debug)]
pub struct PullLogin {
    /// The registry, as Docker's own configuration calls it.
    pub server: String,
    /// The user.
    pub username: String,
    /// Password or token.
    pub password: Secret,
}

/// Where a rolling update is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// None, or done.
    Settled,
    /// Under way.
    Updating,
    /// Stopped because a task failed.
    Paused,
}

/// A service as the Swarm has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Swarm's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Counts its changes; an update must name the one it saw.
    pub version: u64,
    /// Its labels.
    pub labels: HashMap<String, String>,
    /// Running copies wanted.
    pub replicas: u64,
    /// Where its rolling update is.
    pub update: Update,
    /// The image as its specification names it.
    pub image: String,
    /// Names of its secrets.
    pub secrets: Vec<String>,
    /// Its networks, by the ids that the specification names.
    pub networks: Vec<String>,
    /// Grows when tasks are to be started anew.
    pub force: u64,
    /// What its nodes have to be; empty: anything, or an architecture isn't named.
    pub platforms: Vec<Platform>,
}

impl Docker {
    /// Creates the service; its id.
    pub async fn create_service(&self, spec: &Spec, login: Option<&PullLogin>) -> Result<String, DockerError> {
        let created = self.ask(self.client.create_service(spec.to_engine(), login.map(credentials))).await?;
        Ok(created.id.unwrap_or_default())
    }

    /// Gives the service this specification; refused as out of sequence when it changed since it was `found`.
    pub async fn update_service(
        &self,
        found: &Found,
        spec: &Spec,
        login: Option<&PullLogin>,
    ) -> Result<(), DockerError> {
        let version = i32::try_from(found.version).unwrap_or(i32::MAX);
        let options = UpdateServiceOptionsBuilder::default().version(version).registry_auth_from("spec").build();
        // Swarm can't rename a service.
        let engine = ServiceSpec { name: Some(found.name.clone()), ..spec.to_engine() };
        self.ask(self.client.update_service(&found.id, engine, options, login.map(credentials))).await.map(drop)
    }

    /// Gives the service a new login for pulls, and nothing else: the specification stays as the Swarm has it, so tasks that
    /// have their image go on. Refused as out of sequence when it changes at the same time.
    pub async fn renew_login(&self, id: &str, login: &PullLogin) -> Result<(), DockerError> {
        let found = self.ask(self.client.inspect_service(id, None::<InspectServiceOptions>)).await?;
        let index = found.version.and_then(|version| version.index).unwrap_or_default();
        let version = i32::try_from(index).unwrap_or(i32::MAX);
        let options = UpdateServiceOptionsBuilder::default().version(version).registry_auth_from("spec").build();
        let spec = found.spec.unwrap_or_default();
        self.ask(self.client.update_service(id, spec, options, Some(credentials(login)))).await.map(drop)
    }

    /// Removes the service; one that isn't there is fine.
    pub async fn remove_service(&self, id: &str) -> Result<(), DockerError> {
        match self.ask(self.client.delete_service(id)).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// The TCP ports that services of the Swarm publish, whoever made them.
    pub async fn published_ports(&self) -> Result<Vec<u16>, DockerError> {
        let options = None::<bollard::query_parameters::ListServicesOptions>;
        let services = self.ask(self.client.list_services(options)).await?;
        let ports = services.into_iter().flat_map(|service| {
            let wanted = service.spec.and_then(|spec| spec.endpoint_spec).and_then(|endpoint| endpoint.ports);
            // Those that the Swarm chose by itself are in its answer alone.
            let given = service.endpoint.and_then(|endpoint| endpoint.ports);
            wanted.into_iter().chain(given).flatten()
        });
        let is_tcp = |port: &EndpointPortConfig| {
            matches!(
                port.protocol,
                None | Some(EndpointPortConfigProtocolEnum::TCP | EndpointPortConfigProtocolEnum::EMPTY)
            )
        };
        let ports = ports.filter(is_tcp).filter_map(|port| port.published_port);
        Ok(ports.filter_map(|port| u16::try_from(port).ok()).filter(|port| *port > 0).collect())
    }

    /// The services with this label (`key` or `key=value`).
    pub async fn services(&self, label: &str) -> Result<Vec<Found>, DockerError> {
        let options = ListServicesOptionsBuilder::default().filters(&filter("label", &[label.to_owned()])).build();
        Ok(self.ask(self.client.list_services(Some(options))).await?.into_iter().filter_map(found).collect())
    }
}

fn credentials(login: &PullLogin) -> DockerCredentials {
    DockerCredentials {
        username: Some(login.username.clone()),
        password: Some(login.password.expose("the engine hands it to the nodes that pull").to_owned()),
        serveraddress: Some(login.server.clone()),
        ..Default::default()
    }
}

fn found(service: bollard::models::Service) -> Option<Found> {
    let spec = service.spec?;
    let state = service.update_status.and_then(|status| status.state);
    let task = spec.task_template.unwrap_or_default();
    let container = task.container_spec.unwrap_or_default();
    let platforms = task.placement.and_then(|placement| placement.platforms);
    let platforms: Option<Vec<Platform>> =
        platforms.map(|all| all.iter().map(of_placement).collect()).unwrap_or_default();
    Some(Found {
        image: container.image.unwrap_or_default(),
        secrets: container.secrets.into_iter().flatten().filter_map(|secret| secret.secret_name).collect(),
        networks: task.networks.into_iter().flatten().filter_map(|network| network.target).collect(),
        force: task.force_update.unwrap_or(0),
        platforms: platforms.unwrap_or_default(),
        id: service.id?,
        name: spec.name?,
        version: service.version?.index?,
        labels: spec.labels.unwrap_or_default(),
        replicas: spec
            .mode
            .and_then(|mode| mode.replicated)
            .and_then(|replicated| replicated.replicas)
            .and_then(|replicas| u64::try_from(replicas).ok())
            .unwrap_or(0),
        update: match state {
            Some(ServiceUpdateStatusStateEnum::UPDATING) => Update::Updating,
            Some(ServiceUpdateStatusStateEnum::PAUSED) => Update::Paused,
            _ => Update::Settled,
        },
    })
}

impl Spec {
    /// A port on a node can be held by one task only, so the old one has to go first.
    /// Neither can two tasks work on one volume.
    fn stops_first(&self) -> bool {
        self.own.is_some() || self.runs.writes() || self.publishing == Publishing::Host && !self.ports.is_empty()
    }

    /// Where its tasks may run.
    fn placement(&self) -> Option<TaskSpecPlacement> {
        let own = self.own.as_ref().map(|own| own.constraints.clone());
        let constraints = own.or_else(|| (!self.runs.constraints.is_empty()).then(|| self.runs.constraints.clone()));
        if constraints.is_none() && self.platforms.is_empty() {
            return None;
        }
        Some(TaskSpecPlacement {
            constraints,
            platforms: (!self.platforms.is_empty()).then(|| self.platforms.iter().map(of_nodes).collect()),
            ..Default::default()
        })
    }

    fn to_engine(&self) -> ServiceSpec {
        let labels: HashMap<String, String> = self.labels.iter().cloned().collect();
        let own = self.own.as_ref();
        let runs = &self.runs;
        let task_labels = runs.task_labels.as_ref().map(|labels| labels.iter().cloned().collect());
        let args = own.map_or(&runs.args, |own| &own.args);
        ServiceSpec {
            name: Some(self.name.clone()),
            labels: Some(labels.clone()),
            task_template: Some(TaskSpec {
                container_spec: Some(TaskSpecContainerSpec {
                    image: Some(self.image.clone()),
                    labels: Some(task_labels.unwrap_or(labels)),
                    env: Some(self.env.iter().map(|(name, value)| format!("{name}={value}")).collect()),
                    health_check: self.health.as_ref().map(health).or_else(|| own.map(|_| no_health())),
                    command: (!runs.command.is_empty()).then(|| runs.command.clone()),
                    args: (!args.is_empty()).then(|| args.clone()),
                    secrets: own
                        .map(|own| own.secrets.iter().map(|secret| given(secret, 0o400)).collect())
                        .or_else(|| runs.secrets()),
                    mounts: own
                        .and_then(|own| own.volume.as_ref())
                        .map(|volume| vec![mount(volume)])
                        .or_else(|| runs.mounts()),
                    stop_grace_period: own.map(|own| i64::from(own.stop_grace) * SECOND),
                    ..Default::default()
                }),
                placement: self.placement(),
                resources: own
                    .map(|own| TaskSpecResources {
                        limits: Some(Limit {
                            memory_bytes: own.memory,
                            nano_cpus: own.nano_cpus,
                            ..Default::default()
                        }),
                        ..Default::default()
                    })
                    .or_else(|| runs.limits()),
                force_update: own.map(|own| own.force),
                restart_policy: Some(TaskSpecRestartPolicy {
                    condition: Some(TaskSpecRestartPolicyConditionEnum::ANY),
                    delay: Some(2 * SECOND),
                    ..Default::default()
                }),
                networks: Some(runs.networks(&self.network, &self.alias)),
                // No log driver: the administrator chose one for the engine.
                ..Default::default()
            }),
            mode: Some(if own.is_some_and(|own| own.everywhere) {
                ServiceSpecMode { global: Some(HashMap::new()), ..Default::default() }
            } else {
                ServiceSpecMode {
                    replicated: Some(ServiceSpecModeReplicated { replicas: Some(i64::from(self.replicas)) }),
                    ..Default::default()
                }
            }),
            update_config: Some(ServiceSpecUpdateConfig {
                parallelism: Some(1),
                // Going back is ours: it needs the whole record, not only Swarm's previous specification.
                failure_action: Some(ServiceSpecUpdateConfigFailureActionEnum::PAUSE),
                monitor: Some(5 * SECOND),
                order: Some(if self.stops_first() {
                    ServiceSpecUpdateConfigOrderEnum::STOP_FIRST
                } else {
                    ServiceSpecUpdateConfigOrderEnum::START_FIRST
                }),
                ..Default::default()
            }),
            endpoint_spec: Some(EndpointSpec {
                mode: Some(match self.publishing {
                    Publishing::Mesh => EndpointSpecModeEnum::VIP,
                    Publishing::Host => EndpointSpecModeEnum::DNSRR,
                }),
                ports: Some(self.ports.iter().map(|port| published(*port, self.publishing)).collect()),
            }),
            ..Default::default()
        }
    }

    /// A small one for tests.
    #[cfg(test)]
    pub(super) fn sample() -> Self {
        Self {
            name: "slipway-shop-web-0123456789ab".into(),
            labels: vec![("slipway.managed".into(), "true".into())],
            image: format!("127.0.0.1:5000/shop/web:1@sha256:{}", "a".repeat(64)),
            env: vec![("A".into(), "1".into())],
            replicas: 2,
            ports: vec![Port { published: 8080, target: 80, udp: false }],
            publishing: Publishing::Host,
            network: "net".into(),
            alias: "web".into(),
            health: None,
            platforms: Vec::new(),
            runs: Runs::default(),
            own: None,
        }
    }
}

/// As the Swarm compares it with its nodes. Those of ARM say which variant they are where an index says `arm`, so that the
/// Swarm finds no node for that (swarmkit's issue 2294): then any architecture will do, as with Docker's own client.
fn of_nodes(platform: &Platform) -> bollard::models::Platform {
    let mut parts = platform.as_str().split('/');
    let (os, architecture) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let architecture = if architecture == "arm" { "" } else { architecture };
    bollard::models::Platform { architecture: Some(architecture.to_owned()), os: Some(os.to_owned()) }
}

/// The way back; None: it names no architecture.
fn of_placement(platform: &bollard::models::Platform) -> Option<Platform> {
    Platform::of(platform.os.as_deref()?, platform.architecture.as_deref()?, None).ok()
}

pub(super) fn mount((volume, folder): &(String, String)) -> Mount {
    Mount {
        typ: Some(MountType::VOLUME),
        source: Some(volume.clone()),
        target: Some(folder.clone()),
        ..Default::default()
    }
}

fn published(port: Port, publishing: Publishing) -> EndpointPortConfig {
    EndpointPortConfig {
        protocol: Some(if port.udp {
            EndpointPortConfigProtocolEnum::UDP
        } else {
            EndpointPortConfigProtocolEnum::TCP
        }),
        target_port: Some(i64::from(port.target)),
        published_port: Some(i64::from(port.published)),
        publish_mode: Some(match publishing {
            Publishing::Mesh => EndpointPortConfigPublishModeEnum::INGRESS,
            Publishing::Host => EndpointPortConfigPublishModeEnum::HOST,
        }),
        ..Default::default()
    }
}

fn health(check: &HealthCheck) -> HealthConfig {
    let interval = i64::from(check.interval);
    HealthConfig {
        // CMD runs a program; CMD-SHELL would run a shell.
        test: Some(std::iter::once("CMD".to_owned()).chain(check.command.iter().cloned()).collect()),
        interval: Some(interval * SECOND),
        timeout: Some(i64::from(check.timeout.max(1)) * SECOND),
        retries: Some(i64::from(check.retries)),
        start_period: Some(i64::from(check.start_period) * SECOND),
        ..Default::default()
    }
}

/// Also where the image has a check: that is about what it usually runs, not about what we start it as.
fn no_health() -> HealthConfig {
    HealthConfig { test: Some(vec!["NONE".to_owned()]), ..Default::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::service::{Mount, Resources};

    fn json(spec: &Spec) -> serde_json::Value {
        serde_json::to_value(spec.to_engine()).expect("serialises")
    }

    #[test]
    fn without_the_mesh_ports_are_the_hosts_and_the_old_task_goes_first() {
        let spec = json(&Spec::sample());
        assert_eq!(spec["EndpointSpec"]["Mode"], "dnsrr");
        assert_eq!(spec["EndpointSpec"]["Ports"][0]["PublishMode"], "host");
        assert_eq!(spec["UpdateConfig"]["Order"], "stop-first");
        let spec = json(&Spec { ports: Vec::new(), ..Spec::sample() });
        assert_eq!(spec["UpdateConfig"]["Order"], "start-first");
    }

    #[test]
    fn with_the_mesh_the_new_task_comes_first() {
        let spec = json(&Spec { publishing: Publishing::Mesh, ..Spec::sample() });
        assert_eq!(spec["EndpointSpec"]["Mode"], "vip");
        assert_eq!(spec["EndpointSpec"]["Ports"][0]["PublishMode"], "ingress");
        assert_eq!(spec["UpdateConfig"]["Order"], "start-first");
    }

    #[test]
    fn a_health_check_runs_a_program_and_no_shell() {
        let check = HealthCheck {
            command: vec!["wget".into(), "-q".into(), "http://127.0.0.1/; reboot".into()],
            interval: 5,
            retries: 3,
            start_period: 10,
            timeout: 4,
        };
        let spec = json(&Spec { health: Some(check), ..Spec::sample() });
        let found = &spec["TaskTemplate"]["ContainerSpec"]["HealthCheck"];
        assert_eq!(found["Test"], serde_json::json!(["CMD", "wget", "-q", "http://127.0.0.1/; reboot"]));
        assert_eq!(found["StartPeriod"], 10_000_000_000_i64);
        assert_eq!(found["Timeout"], 4_000_000_000_i64);
    }

    #[test]
    fn nodes_have_to_be_what_the_image_is_for() {
        let platforms = ["linux/amd64", "linux/arm/v7"].map(|text| text.parse().expect("a platform")).to_vec();
        let spec = json(&Spec { platforms, ..Spec::sample() });
        let placement = &spec["TaskTemplate"]["Placement"];
        assert_eq!(
            placement["Platforms"],
            serde_json::json!([{ "Architecture": "amd64", "OS": "linux" }, { "Architecture": "", "OS": "linux" }])
        );
        assert!(placement.get("Constraints").is_none());
    }

    /// Z5: whatever is typed, the specification has these keys and no others.
    #[test]
    fn nothing_but_the_listed_fields_is_ever_set() {
        let hostile = "x\",\"Mounts\":[{\"Source\":\"/var/run/docker.sock\"}],\"Privileged\":true,\"y\":\"";
        let spec = Spec {
            labels: vec![(hostile.into(), hostile.into())],
            env: vec![(hostile.into(), hostile.into())],
            alias: hostile.into(),
            network: hostile.into(),
            image: hostile.into(),
            health: Some(HealthCheck {
                command: vec![hostile.into()],
                interval: 1,
                retries: 1,
                start_period: 0,
                timeout: 1,
            }),
            ..Spec::sample()
        };
        let spec = json(&spec);
        let keys = |value: &serde_json::Value| {
            let mut keys: Vec<String> = value.as_object().expect("an object").keys().cloned().collect();
            keys.sort();
            keys.join(" ")
        };
        assert_eq!(keys(&spec), "EndpointSpec Labels Mode Name TaskTemplate UpdateConfig");
        assert_eq!(keys(&spec["TaskTemplate"]), "ContainerSpec Networks RestartPolicy");
        assert_eq!(keys(&spec["TaskTemplate"]["ContainerSpec"]), "Env HealthCheck Image Labels");
    }

    #[test]
    fn what_is_set_is_what_the_engine_is_told() {
        let runs = Runs {
            command: vec!["/app".into()],
            args: vec!["-v".into()],
            resources: Resources { memory: Some(64 << 20), millicpus_reserved: Some(250), ..Resources::default() },
            constraints: vec!["node.role==manager".into()],
            mounts: vec![
                Mount { source: "data".into(), target: "/data".into(), read_only: false },
                Mount { source: "/srv".into(), target: "/srv".into(), read_only: true },
            ],
            secrets: vec![GivenSecret { id: "s".into(), name: "n".into(), file: "key".into() }],
            networks: vec!["net".into(), "other".into()],
            task_labels: Some(vec![("a".into(), "b".into())]),
        };
        let spec = json(&Spec { runs, ports: Vec::new(), ..Spec::sample() });
        assert_eq!(spec["UpdateConfig"]["Order"], "stop-first", "two tasks would write to one volume");
        assert_eq!(spec["Labels"]["slipway.managed"], "true");
        let task = &spec["TaskTemplate"];
        let container = &task["ContainerSpec"];
        assert_eq!(container["Labels"], serde_json::json!({ "a": "b" }));
        assert_eq!((&container["Command"][0], &container["Args"][0]), (&"/app".into(), &"-v".into()));
        assert_eq!(
            container["Mounts"],
            serde_json::json!([
                { "Type": "volume", "Source": "data", "Target": "/data" },
                { "Type": "bind", "Source": "/srv", "Target": "/srv", "ReadOnly": true }
            ])
        );
        assert_eq!(container["Secrets"][0]["File"]["Mode"], 0o444);
        assert_eq!(task["Resources"]["Limits"], serde_json::json!({ "MemoryBytes": 67_108_864 }));
        assert_eq!(task["Resources"]["Reservations"], serde_json::json!({ "NanoCPUs": 250_000_000 }));
        assert_eq!(task["Placement"]["Constraints"][0], "node.role==manager");
        let networks: Vec<_> = task["Networks"].as_array().expect("a list").iter().map(|net| &net["Target"]).collect();
        assert_eq!(networks, ["net", "other"]);
    }

    #[test]
    fn what_slipway_runs_itself_has_named_volumes_and_secrets_and_no_folder_of_the_host() {
        let own = Own {
            secrets: vec![GivenSecret { id: "s".into(), name: "n".into(), file: "/run/secrets/config.yml".into() }],
            volume: Some(("/etc".into(), "/var/lib/registry".into())),
            stop_grace: 60,
            ..Own::default()
        };
        let spec = json(&Spec { own: Some(own), publishing: Publishing::Mesh, ..Spec::sample() });
        assert_eq!(spec["UpdateConfig"]["Order"], "stop-first");
        let container = &spec["TaskTemplate"]["ContainerSpec"];
        // A path as a volume's name is refused by the engine; it never becomes a bind.
        assert_eq!(container["Mounts"][0]["Type"], "volume");
        assert_eq!(container["Secrets"][0]["File"]["Mode"], 0o400);
        assert_eq!(container["StopGracePeriod"], 60_000_000_000_i64);
        assert_eq!(container["HealthCheck"]["Test"], serde_json::json!(["NONE"]));
        let everywhere = Own { everywhere: true, ..Own::default() };
        let spec = json(&Spec { own: Some(everywhere), ..Spec::sample() });
        assert_eq!(spec["Mode"], serde_json::json!({ "Global": {} }));
    }
}
