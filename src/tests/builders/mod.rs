//! Builders, with the lab's real engine and buildx.

use crate::swarm::{Lab, config, eventually};
use app::api::builders::BuildersApi as _;
use app::error::AppError;
use app::model::account::{Actor, Role};
use app::model::builder::{Builder, BuilderForm, BuilderState, NodeForm, WhichBuilder};
use app::model::id::{AccountId, BuilderId};
use app::model::platform::Platform;
use app::model::secret::Secret;
use slipway::builders::{Builders, Parts, Wish};
use slipway::clock::Clock;
use slipway::docker::Docker;
use slipway::jobs::Jobs;
use slipway::process::Runner;
use slipway::storage::Db;
use slipway::vault::Vault;
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nkept-secret-key-material\n-----END PRIVATE KEY-----";

struct House {
    folder: tempfile::TempDir,
    db: Db,
    builders: Builders,
    actor: Actor,
    stop: CancellationToken,
}

impl House {
    /// None where no lab runs. `docker_host` none: the lab's engine.
    async fn open(docker_host: Option<&str>) -> Option<Self> {
        let lab = Lab::find()?;
        let docker_host = docker_host.unwrap_or(&lab.docker_host);
        let folder = tempfile::tempdir().expect("a folder");
        let config = config(folder.path(), docker_host);
        let (clock, db) = (Clock::system(), Db::open(folder.path()).await.expect("a database"));
        let vault = Vault::open(&config.master_key_file, true).expect("a vault");
        let jobs = Jobs::new(db.clone(), clock.clone(), config.logs_dir());
        let docker = Docker::connect(docker_host).expect("an address");
        let runner = Runner::new(env!("CARGO_BIN_EXE_slipway"));
        let builders = Builders::new(Parts { db: db.clone(), clock, vault, jobs, docker, runner, config });
        let actor = Actor { account: AccountId::from_random([1; 8]), username: "owner".into(), role: Role::Owner };
        let (stop, watched) = (CancellationToken::new(), builders.clone());
        let token = stop.clone();
        tokio::spawn(async move { watched.watch(token).await });
        Some(Self { folder, db, builders, actor, stop })
    }

    async fn get(&self, which: &WhichBuilder) -> Builder {
        self.builders.get(&self.actor, which).await.expect("a builder")
    }

    /// How it is when it was looked at.
    async fn looked(&self, which: &WhichBuilder) -> Builder {
        eventually(Duration::from_secs(90), "it is looked at", || async {
            let builder = self.get(which).await;
            (builder.looked_at > 0 && !builder.is_looking).then_some(builder)
        })
        .await
    }

    async fn create(&self, form: BuilderForm) -> (BuilderId, WhichBuilder) {
        let id = self.builders.create(&self.actor, form).await.expect("a builder");
        (id.clone(), WhichBuilder::Added(id))
    }

    /// Where buildx keeps what it knows of one.
    fn instance(&self, id: &BuilderId) -> PathBuf {
        self.folder.path().join("buildx/instances").join(format!("slipway-{}", id.short()))
    }

    async fn limits(&self) -> Vec<(String, i64)> {
        sqlx::query_as(
            "SELECT resource, most FROM job_limits WHERE resource <> 'builder:engine' AND resource LIKE 'builder:%'",
        )
        .fetch_all(self.db.read())
        .await
        .expect("the limits")
    }

    async fn delete(&self, id: &BuilderId) {
        self.builders.delete(&self.actor, id).await.expect("deleted");
        let gone = self.instance(id);
        eventually(Duration::from_secs(60), "it is gone from buildx", || async { (!gone.exists()).then_some(()) })
            .await;
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn problem(builder: &Builder) -> &app::error::Problem {
    match &builder.state {
        BuilderState::Fails(problem) => problem,
        other => panic!("it is {other:?}"),
    }
}

fn platforms(text: &str) -> Vec<Platform> {
    text.split_whitespace().map(|text| text.parse().expect("a platform")).collect()
}

fn container(name: &str) -> BuilderForm {
    BuilderForm { kind: "container".into(), name: name.into(), limit: "2".into(), ..BuilderForm::default() }
}

fn machine(platform: &str, endpoint: &str) -> NodeForm {
    NodeForm {
        platform: platform.into(),
        endpoint: endpoint.into(),
        ca: CERTIFICATE.into(),
        certificate: CERTIFICATE.into(),
        secret_key: Secret::new(KEY.into()),
    }
}

fn remote(name: &str, of: NodeForm) -> BuilderForm {
    BuilderForm {
        kind: "remote".into(),
        name: name.into(),
        platform: of.platform,
        endpoint: of.endpoint,
        ca: of.ca,
        certificate: of.certificate,
        secret_key: of.secret_key,
        ..BuilderForm::default()
    }
}

/// A port at which nobody answers.
fn closed() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port()
}

#[tokio::test]
async fn the_engine_is_found_with_its_platforms_and_store() {
    let Some(house) = House::open(None).await else { return };
    let engine = house.looked(&WhichBuilder::Engine).await;
    assert_eq!(engine.state, BuilderState::Works);
    assert!(engine.makes_several, "the lab's engine has containerd's store");
    let of = |native: bool| {
        let those = engine.platforms.iter().filter(move |builds| builds.is_native == native);
        those.map(|builds| builds.platform.clone()).collect::<Vec<_>>()
    };
    let own = format!("linux/{}", if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" });
    assert!(of(true).contains(&platforms(&own)[0]), "{:?}", engine.platforms);
    assert!(engine.disk.is_some());
    let wish = Wish { platforms: &platforms("linux/amd64 linux/arm64"), ..Wish::default() };
    let chosen = house.builders.choose(&wish).await;
    if of(false).is_empty() {
        let why = chosen.expect_err("nobody builds for both").to_string();
        assert!(why.contains("linux/arm64"), "{why}");
    } else {
        let chosen = chosen.expect("the engine");
        assert_eq!((chosen.id.as_ref(), chosen.resource.as_str()), (None, "builder:engine"));
        assert!(!chosen.emulated.is_empty() && chosen.warning().is_some_and(|warning| warning.contains("emulated")));
    }
}

#[tokio::test]
async fn an_engine_that_does_not_answer_is_a_problem_and_no_wait() {
    let Some(house) = House::open(Some("unix:///nowhere/docker.sock")).await else { return };
    let engine = house.looked(&WhichBuilder::Engine).await;
    assert!(!problem(&engine).remedy.is_empty());
    let wish = Wish { platforms: &platforms("linux/amd64"), ..Wish::default() };
    let Err(AppError::Problem(problem)) = house.builders.choose(&wish).await else { panic!("it was chosen") };
    assert_eq!(problem.code, slipway::builders::AWAY);
}

/// No image of BuildKit can be had here: that is what people see then.
#[tokio::test]
async fn a_container_that_cannot_start_says_why_and_goes_whole() {
    let Some(house) = House::open(None).await else { return };
    let image = format!("127.0.0.1:{}/moby/buildkit:none", closed());
    let (id, which) = house.create(BuilderForm { image: image.clone(), ..container("Beside") }).await;
    let builder = house.looked(&which).await;
    let why = problem(&builder);
    assert_eq!(why.code, "builder.image", "{why:?}");
    assert!(why.cause.contains(&image), "{why}");
    let instance: serde_json::Value =
        serde_json::from_slice(&std::fs::read(house.instance(&id)).expect("buildx knows it")).expect("JSON");
    assert_eq!(instance["Driver"], "docker-container");
    assert_eq!(instance["Nodes"][0]["DriverOpts"]["image"], image);
    // Wanted or not, it isn't chosen.
    let wish = Wish { wanted: Some(&id), ..Wish::default() };
    let chosen = house.builders.choose(&wish).await.expect("the engine");
    assert!(chosen.id.is_none() && chosen.note.is_some_and(|note| note.contains("Beside")));

    let again = house.builders.create(&house.actor, container("beside")).await.expect_err("the name is taken");
    assert!(matches!(again, AppError::Invalid(_)), "{again}");
    assert_eq!(house.limits().await, [(which.resource(), 2)]);
    house.delete(&id).await;
    assert!(house.limits().await.is_empty());
    assert!(house.builders.get(&house.actor, &which).await.is_err());
}

/// Without starting anything: buildx is told of two machines, and told again when its folder is gone.
#[tokio::test]
async fn machines_elsewhere_are_appended_and_what_buildx_forgot_is_healed() {
    let Some(house) = House::open(None).await else { return };
    let endpoint = format!("tcp://127.0.0.1:{}", closed());
    let (id, which) = house.create(remote("Elsewhere", machine("linux/arm64", &endpoint))).await;
    let builder = house.looked(&which).await;
    let why = problem(&builder);
    assert_eq!(why.code, "builder.refused", "{why:?}");
    assert!(why.cause.contains(&endpoint), "{why}");

    let mainframe = machine("linux/s390x", "tcp://mainframe.invalid:1234");
    house.builders.add_node(&house.actor, &id, mainframe).await.expect("added");
    let read = || {
        let text = std::fs::read(house.instance(&id)).ok()?;
        let instance: serde_json::Value = serde_json::from_slice(&text).ok()?;
        (instance["Nodes"].as_array()?.len() == 2).then_some(instance)
    };
    let instance = eventually(Duration::from_secs(60), "both machines are there", || async { read() }).await;
    let root = house.folder.path().join("buildx");
    for (node, architecture) in instance["Nodes"].as_array().expect("nodes").iter().zip(["arm64", "s390x"]) {
        assert_eq!(node["Platforms"][0]["architecture"], architecture);
        for option in ["cacert", "cert", "key"] {
            let file = PathBuf::from(node["DriverOpts"][option].as_str().expect("a file"));
            assert!(file.starts_with(root.join("keys")), "{}", file.display());
        }
    }
    house.looked(&which).await;
    eventually(Duration::from_secs(30), "the keys are gone", || async {
        (!root.join("keys").join(id.short()).exists()).then_some(())
    })
    .await;
    let sealed: Vec<Vec<u8>> = sqlx::query_scalar("SELECT sealed FROM secrets WHERE owner = ?")
        .bind(id.as_str())
        .fetch_all(house.db.read())
        .await
        .expect("secrets");
    assert_eq!(sealed.len(), 6);
    assert!(sealed.iter().all(|bytes| !String::from_utf8_lossy(bytes).contains("kept-secret")));

    std::fs::remove_dir_all(&root).expect("somebody cleans up");
    house.builders.check(&house.actor, &which).await.expect("asked");
    eventually(Duration::from_secs(60), "it is healed", || async { read() }).await;
    house.looked(&which).await;

    house.builders.remove_node(&house.actor, &id, 0).await.expect("removed");
    let last = house.builders.remove_node(&house.actor, &id, 1).await.expect_err("the last one stays");
    assert!(matches!(last, AppError::Blocked(_)), "{last}");
    house.delete(&id).await;
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM secrets WHERE owner = ?")
        .bind(id.as_str())
        .fetch_one(house.db.read())
        .await
        .expect("a number");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn what_is_typed_is_judged_before_anything_happens() {
    let Some(house) = House::open(None).await else { return };
    let fields = |error: AppError| match error {
        AppError::Invalid(errors) => errors.into_iter().map(|error| error.field).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let refused =
        house.builders.create(&house.actor, remote("", NodeForm::default())).await.expect_err("nothing typed");
    assert_eq!(fields(refused), ["name", "platform", "endpoint"]);
    let refused = house.builders.create(&house.actor, BuilderForm::default()).await.expect_err("no kind");
    assert_eq!(fields(refused), ["kind"]);
    let endpoint = format!("ssh://nobody@127.0.0.1:{}", closed());
    let (id, which) = house.create(remote("By SSH", machine("linux/arm64", &endpoint))).await;
    let add = async |of: NodeForm| house.builders.add_node(&house.actor, &id, of).await.expect_err("refused");
    assert_eq!(fields(add(machine("linux/amd64", "tcp://amd:1234")).await), ["endpoint"]);
    assert_eq!(fields(add(machine("linux/arm64", "ssh://ada@other")).await), ["platform"]);
    let reader = Actor { role: Role::Reader, ..house.actor.clone() };
    assert!(house.builders.check(&reader, &which).await.is_err());
    assert!(house.builders.delete(&reader, &id).await.is_err());
    let builder = house.looked(&which).await;
    assert_eq!(problem(&builder).code, "builder.refused", "{:?}", builder.state);
    house.builders.delete(&house.actor, &id).await.expect("deleted");
}
