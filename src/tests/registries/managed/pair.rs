//! Two nodes without IP_VS. A registry is made while the manager is alone; the node that joins later reaches it by itself and
//! pulls a private image from it.
//!
//! Slipway runs in this process, outside of the nodes, and works with the manager's engine. What it reaches as
//! `127.0.0.1:<port>` is the manager's port: a bridge, the product's own proxy, passes on to there.

use crate::swarm::{Lab, Pair, config, eventually, free_port};
use app::model::account::{Actor, Role};
use app::model::id::{AccountId, JobId, RegistryId};
use app::model::job::JobState;
use app::model::registry::{ManagedForm, Reach};
use app::model::service::Deployment;
use app::model::service_form::ServiceForm;
use base64::Engine as _;
use slipway::clock::Clock;
use slipway::credentials::Credentials;
use slipway::oci::{self, Login};
use slipway::process::Runner;
use slipway::providers::{Endpoints, Providers};
use slipway::proxy::{self, Limits, Target};
use slipway::start::Slipway;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

struct Nodes {
    lab: Lab,
    pair: Pair,
    /// The proxy's image, by digest, so that nobody asks a registry for it.
    proxy_image: String,
    /// One at a time on a machine.
    _lock: File,
}

impl Nodes {
    /// None (with the reason on the screen) where no pair can run.
    fn start() -> Option<Self> {
        let lab = Lab::find()?;
        let Some(pair) = lab.pair.clone() else {
            eprintln!("skipped: the lab can't start a pair of engines; it needs root");
            return None;
        };
        let lock = File::create(std::env::temp_dir().join("slipway-lab-pair.lock")).expect("a file");
        lock.lock().expect("locked");
        lab.script(&["pair", "start"]);
        let mut nodes = Self { lab, pair, proxy_image: String::new(), _lock: lock };
        nodes.lab.script(&["pair", "images", env!("CARGO_BIN_EXE_slipway")]);
        let name = "slipway-lab/proxy:1";
        let digest = nodes.manager(&["image", "inspect", "-f", "{{.Id}}", name]);
        nodes.proxy_image = format!("{name}@{}", digest.trim());
        Some(nodes)
    }

    fn manager(&self, args: &[&str]) -> String {
        self.lab.at(&self.pair.manager).docker(args)
    }

    fn worker(&self, args: &[&str]) -> String {
        self.lab.at(&self.pair.worker).docker(args)
    }

    /// The address of the manager on its line to this machine, which has the one before it.
    fn manager_address(&self) -> String {
        let (net, last) = self.pair.address.rsplit_once('.').expect("an address");
        format!("{net}.{}", last.parse::<u8>().expect("a number") + 1)
    }

    /// The manager is alone from now on.
    async fn part(&self) {
        let id = self.worker(&["info", "-f", "{{.Swarm.NodeID}}"]).trim().to_owned();
        self.worker(&["swarm", "leave"]);
        self.manager(&["node", "rm", "--force", &id]);
        assert_eq!(self.manager(&["node", "ls", "-q"]).lines().count(), 1);
    }

    /// The other node joins; its id.
    fn join(&self) -> String {
        let token = self.manager(&["swarm", "join-token", "-q", "worker"]);
        let address = self.manager(&["info", "-f", "{{.Swarm.NodeAddr}}"]);
        // Its own address is found by the way to the manager.
        self.worker(&["swarm", "join", "--token", token.trim(), &format!("{}:2377", address.trim())]);
        self.worker(&["info", "-f", "{{.Swarm.NodeID}}"]).trim().to_owned()
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        self.lab.script(&["pair", "stop"]);
    }
}

/// Slipway without its web interface, all loops running.
struct World {
    slipway: Option<Slipway>,
    actor: Actor,
    _folder: tempfile::TempDir,
}

impl World {
    async fn open(nodes: &Nodes) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = config(folder.path(), &nodes.pair.manager);
        config.proxy_image = Some(nodes.proxy_image.parse().expect("a reference"));
        let runner = Runner::new(env!("CARGO_BIN_EXE_slipway"));
        let slipway = Slipway::open(config, Clock::system(), runner).await.expect("it opens");
        slipway.start_loops();
        let actor = Actor { account: AccountId::from_random([1; 8]), username: "owner".into(), role: Role::Owner };
        Self { slipway: Some(slipway), actor, _folder: folder }
    }

    fn parts(&self) -> &Slipway {
        self.slipway.as_ref().expect("it runs")
    }

    async fn succeeded(&self, job: &JobId) {
        let (job, steps) = eventually(Duration::from_secs(240), "the job ends", || async {
            let (job, steps) = self.parts().backend.jobs.get(&self.actor, job).await.expect("a job");
            job.state.is_final().then_some((job, steps))
        })
        .await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}\n{steps:#?}", job.problem);
    }

    async fn reach(&self, id: &RegistryId) -> Reach {
        let registry = self.parts().backend.registries.get(&self.actor, id).await.expect("a registry");
        registry.managed.expect("it is managed").reach
    }

    /// The one that was made with the registry.
    async fn login(&self, id: &RegistryId) -> Login {
        let slipway = self.parts();
        let oci = oci::Client::new().expect("a client");
        let providers = Providers::new(oci.clone(), Endpoints::default());
        let credentials = Credentials::new(slipway.db.clone(), slipway.vault.clone(), Clock::system(), oci, providers);
        let registry = slipway.backend.registries.get(&self.actor, id).await.expect("a registry");
        let access = credentials.access(&registry.credential).await.expect("its credential");
        access.login.expect("a login")
    }

    /// Waits for the repair that was asked for without anybody's doing.
    async fn repaired(&self, id: &RegistryId) {
        let job = eventually(Duration::from_secs(60), "a repair is asked for", || async {
            let registry = self.parts().backend.registries.get(&self.actor, id).await.expect("a registry");
            let job = registry.managed.expect("it is managed").job?;
            let (found, _) = self.parts().backend.jobs.get(&self.actor, &job).await.expect("a job");
            (found.kind == "repair_registry").then_some(job)
        })
        .await;
        self.succeeded(&job).await;
    }

    /// Runs an image on both nodes.
    async fn run(&self, image: &str) -> Deployment {
        let services = &self.parts().backend.services;
        let form = ServiceForm {
            kind: "image".into(),
            project: "pair".into(),
            name: "private".into(),
            image: image.into(),
            replicas: "2".into(),
            ..ServiceForm::default()
        };
        let id = services.create(&self.actor, form).await.expect("a service");
        let deployment = services.deploy_image(&self.actor, &id).await.expect("asked for");
        eventually(Duration::from_secs(180), "the deployment ends", || async {
            let deployment = services.deployment(&self.actor, &deployment).await.expect("a deployment");
            deployment.state.is_final().then_some(deployment)
        })
        .await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(slipway) = &self.slipway {
            slipway.shutdown.cancel();
        }
    }
}

/// This machine's loopback port is the manager's.
async fn bridge(nodes: &Nodes, port: u16) -> JoinHandle<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free here");
    let to: Target = format!("{}:{port}", nodes.manager_address()).parse().expect("a target");
    let limits = Limits { connect: Duration::from_secs(1), ..Limits::default() };
    tokio::spawn(proxy::serve(listener, to, limits, CancellationToken::new()))
}

/// Docker's client with a login, at a node's engine.
struct Client<'n> {
    nodes: &'n Nodes,
    folder: tempfile::TempDir,
}

impl<'n> Client<'n> {
    fn signed_in(nodes: &'n Nodes, host: &str, login: &Login) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let plain = format!("{}:{}", login.username, login.password.expose("the test pushes"));
        let auth = base64::engine::general_purpose::STANDARD.encode(plain);
        let config = serde_json::json!({ "auths": { host: { "auth": auth } } });
        std::fs::write(folder.path().join("config.json"), config.to_string()).expect("written");
        Self { nodes, folder }
    }

    fn at(&self, engine: &str, args: &[&str]) -> String {
        let output = Command::new("docker")
            .args(args)
            .env("DOCKER_HOST", engine)
            .env("DOCKER_CONFIG", self.folder.path())
            .output()
            .expect("docker runs");
        assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Builds an image that nobody has and pushes it, all on the manager; its digest.
    fn push(&self, host: &str, name: &str) -> String {
        let manager = &self.nodes.pair.manager;
        // From the registry itself: for any other name the builder would ask somebody far away first.
        let base = format!("{host}/base:1");
        self.at(manager, &["tag", "slipway-lab/base:1", &base]);
        self.at(manager, &["push", "-q", &base]);
        let folder = tempfile::tempdir().expect("a folder");
        let unique = slipway::clock::random_token();
        let dockerfile = format!("FROM {base}\nRUN echo {unique} > /content\nCMD [\"sleep\", \"100000\"]\n");
        std::fs::write(folder.path().join("Dockerfile"), dockerfile).expect("written");
        let path = |path: &Path| path.display().to_string();
        let metadata = path(&folder.path().join("metadata.json"));
        let context = path(folder.path());
        self.at(
            manager,
            &[
                "buildx",
                "build",
                "--push",
                "--provenance=false",
                "-q",
                "-t",
                name,
                "--metadata-file",
                &metadata,
                &context,
            ],
        );
        let metadata: serde_json::Value =
            serde_json::from_slice(&std::fs::read(metadata).expect("metadata")).expect("JSON");
        metadata["containerimage.digest"].as_str().expect("a digest").to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_joins_later_pulls_a_private_image() {
    let Some(nodes) = Nodes::start() else { return };
    nodes.part().await;
    let world = World::open(&nodes).await;
    let registries = &world.parts().backend.registries;

    // One node: published there.
    let port = free_port();
    let form = ManagedForm { name: "Pair".into(), port: port.to_string(), ..ManagedForm::default() };
    let (id, job) = registries.create_managed(&world.actor, form).await.expect("asked for");
    let bridge = bridge(&nodes, port).await;
    world.succeeded(&job).await;
    assert_eq!(world.reach(&id).await, Reach::Host);

    let login = world.login(&id).await;
    let host = format!("127.0.0.1:{port}");
    let client = Client::signed_in(&nodes, &host, &login);
    let name = format!("{host}/private/app:1");
    let digest = client.push(&host, &name);

    // A second one joins; nobody tells Slipway.
    let joined = nodes.join();
    eventually(Duration::from_secs(120), "Slipway notices the new node", || async {
        (world.reach(&id).await == Reach::Proxy).then_some(())
    })
    .await;
    world.repaired(&id).await;
    let proxy = format!("slipway-registry-{}-proxy", id.short());
    eventually(Duration::from_secs(120), "a proxy runs on both nodes", || async {
        let found =
            nodes.manager(&["service", "ls", "--filter", &format!("name={proxy}"), "--format", "{{.Replicas}}"]);
        (found.trim() == "2/2").then_some(())
    })
    .await;

    // The new node has seen nothing of it, and pulls with what Slipway gives the Swarm.
    let of_app = || nodes.worker(&["image", "ls", "-q", "--filter", "reference=*/private/app"]);
    assert_eq!(of_app(), "");
    let deployment = world.run(&name).await;
    assert_eq!(deployment.state, JobState::Succeeded, "{:?}", deployment.problem);
    assert_eq!(deployment.image.digest.as_ref().map(ToString::to_string), Some(digest.clone()));
    let containers =
        || nodes.worker(&["ps", "-q", "--filter", &format!("label=slipway.service={}", deployment.service)]);
    eventually(Duration::from_secs(60), "a task runs on the new node", || async {
        (!containers().trim().is_empty()).then_some(())
    })
    .await;
    assert_ne!(of_app(), "", "the node {joined} has pulled it");

    // Started anew the registry has another address; every node still finds it.
    let job = registries.restart(&world.actor, &id).await.expect("asked for");
    world.succeeded(&job).await;
    for (engine, tag) in [(&nodes.pair.worker, "worker"), (&nodes.pair.manager, "manager")] {
        client.at(engine, &["pull", "-q", &name]);
        let other = format!("{host}/private/app:{tag}");
        client.at(engine, &["tag", &name, &other]);
        client.at(engine, &["push", "-q", &other]);
    }
    bridge.abort();
}
