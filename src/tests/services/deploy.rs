//! Deployments in the lab's Swarm: up, over, back, and away again.

use super::world::{Sweep, World, form, unique};
use crate::swarm::{Gate, Lab, eventually, free_port};
use app::api::services::ServicesApi as _;
use app::error::AppError;
use app::model::id::{RegistryId, ServiceId};
use app::model::image_ref::ImageRef;
use app::model::job::JobState;
use app::model::service::{Origin, ServiceForm, ServiceState};
use app::model::standing::Back;
use std::time::Duration;

/// A web server that says one line.
pub(super) fn says(text: &str) -> String {
    format!(
        "RUN mkdir /www && echo {text} > /www/index.html\nCMD [\"httpd\", \"-f\", \"-p\", \"80\", \"-h\", \"/www\"]"
    )
}

pub(super) struct Story {
    pub(super) world: World,
    pub(super) lab: Lab,
    pub(super) registry: RegistryId,
    pub(super) service: ServiceId,
    pub(super) port: u16,
    repository: String,
    _sweep: Sweep,
    _folder: tempfile::TempDir,
}

impl Story {
    pub(super) async fn begin(change: impl FnOnce(&mut ServiceForm)) -> Option<Self> {
        let lab = Lab::find()?;
        let docker_host = lab.docker_host.clone();
        Some(Self::at(lab, tempfile::tempdir().expect("a folder"), &docker_host, change).await)
    }

    async fn at(lab: Lab, folder: tempfile::TempDir, docker_host: &str, change: impl FnOnce(&mut ServiceForm)) -> Self {
        let world = World::open(folder.path(), docker_host).await;
        let registry = world.registry(&lab).await;
        let port = free_port();
        let mut new =
            ServiceForm { ports: format!("{port}:80"), env: "MODE=live".into(), ..form(&unique("swarm"), "Web") };
        change(&mut new);
        let service = world.create(new).await.expect("a service");
        let sweep = Sweep(lab.clone(), service.clone());
        let repository = format!("swarm/{}", service.short());
        Self { world, lab, registry, service, port, repository, _sweep: sweep, _folder: folder }
    }

    pub(super) fn folder(&self) -> &std::path::Path {
        self._folder.path()
    }

    pub(super) fn push(&self, tag: &str, dockerfile: &str) -> ImageRef {
        self.lab.push(&self.repository, tag, dockerfile)
    }

    pub(super) fn in_swarm(&self) -> String {
        let filter = format!("label=slipway.service={}", self.service);
        self.lab.docker(&["service", "ls", "-q", "--filter", &filter]).trim().to_owned()
    }

    pub(super) async fn up(&self, image: &ImageRef) -> app::model::service::Deployment {
        let deployment = self.world.deploy(&self.service, &self.registry, image).await;
        self.world.succeeded(&deployment.id).await
    }

    pub(super) async fn current(&self) -> i64 {
        let deployments = self.world.deployments(&self.service).await;
        deployments.iter().find(|deployment| deployment.is_current).map_or(0, |deployment| deployment.number)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_goes_up_over_and_back_and_away() {
    let Some(story) = Story::begin(|_| {}).await else { return };
    let world = &story.world;
    world.start();
    let (one, two) = (story.push("1", &says("version-1")), story.push("2", &says("version-2")));

    let first = story.up(&one).await;
    assert_eq!((first.number, first.is_current), (1, true));
    world.answers(story.port, "version-1").await;
    world.services.look().await.expect("looked");
    let line = world.services.list(&world.actor).await.expect("listed").remove(0);
    assert_eq!((line.state, line.deployment), (ServiceState::Running, Some(1)));
    let (tasks, age) = world.services.tasks(&world.actor, &story.service).await.expect("tasks");
    assert!(age < 5);
    assert!(matches!(tasks.as_slice(), [task, ..] if task.state == "running" && task.image.starts_with("sha256:")));

    story.up(&two).await;
    world.answers(story.port, "version-2").await;

    let back = world.services.roll_back(&world.actor, &first.id, Back::All).await.expect("asked for");
    let back = world.succeeded(&back).await;
    world.answers(story.port, "version-1").await;
    assert_eq!((back.number, &back.image.digest), (3, &first.image.digest));
    assert_eq!(back.origin, Origin::RollBack { to: first.id.clone(), number: 1, what: Back::All });
    assert_eq!(back.settings, first.settings);
    let builds: i64 =
        sqlx::query_scalar("SELECT count(*) FROM builds").fetch_one(world.db.read()).await.expect("counted");
    assert_eq!(builds, 2, "no build was made");
    // What runs is the digest of the record, and the registry has the very same.
    let running = story.lab.docker(&[
        "service",
        "inspect",
        "-f",
        "{{.Spec.TaskTemplate.ContainerSpec.Image}}",
        &story.in_swarm(),
    ]);
    assert_eq!(running.trim(), one.to_string());
    let refused = world.services.roll_back(&world.actor, &back.id, Back::All).await;
    assert!(matches!(refused, Err(AppError::Blocked(_))), "it runs already: {refused:?}");

    // K3: the registry's password is in no inspect; Z5: nor is anything that wasn't asked for.
    let service = story.in_swarm();
    let tasks = story.lab.docker(&["service", "ps", "-q", "--no-trunc", &service]);
    let containers = story.lab.docker(&[
        "ps",
        "-aq",
        "--filter",
        &format!("label=com.docker.swarm.service.id={}", full_id(&story, &service)),
    ]);
    let ids: Vec<&str> = std::iter::once(service.as_str())
        .chain(tasks.split_whitespace())
        .chain(containers.split_whitespace())
        .collect();
    assert!(ids.len() >= 3, "{ids:?}");
    let mut inspect = vec!["inspect"];
    inspect.extend(ids);
    let text = story.lab.docker(&inspect);
    assert!(!text.contains(&story.lab.password), "the password shows");
    let spec = story.lab.docker(&["service", "inspect", "-f", "{{json .Spec}}", &service]);
    for word in ["Mounts", "CapabilityAdd", "Sysctls", "Privileged", "docker.sock"] {
        assert!(!spec.contains(word), "{word} in {spec}");
    }

    let network =
        story.lab.docker(&["service", "inspect", "-f", "{{(index .Spec.TaskTemplate.Networks 0).Target}}", &service]);
    world.services.delete(&world.actor, &story.service).await.expect("deleted");
    eventually(Duration::from_secs(60), "service and network are gone", || async {
        let networks = story.lab.docker(&["network", "ls", "-q", "--no-trunc"]);
        (story.in_swarm().is_empty() && !networks.contains(network.trim())).then_some(())
    })
    .await;
    assert_eq!(world.deployments(&story.service).await.len(), 3, "history stays readable");
    let refused = world.services.roll_back(&world.actor, &first.id, Back::All).await;
    assert!(matches!(refused, Err(AppError::Blocked(_))), "{refused:?}");
    eventually(Duration::from_secs(20), "the values are forgotten", || async {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM secrets WHERE name = 'env'")
            .fetch_one(world.db.read())
            .await
            .expect("counted");
        (left == 0).then_some(())
    })
    .await;
}

fn full_id(story: &Story, service: &str) -> String {
    story.lab.docker(&["service", "inspect", "-f", "{{.ID}}", service]).trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_does_not_run_is_told_in_words_and_undone() {
    let Some(story) = Story::begin(|_| {}).await else { return };
    let world = &story.world;
    world.start();
    let broken = story.push("0", "CMD [\"sh\", \"-c\", \"echo no config found; exit 3\"]");

    // Nothing ran before: the service goes again.
    let failed = world.deploy(&story.service, &story.registry, &broken).await;
    let failed = world.ended(&failed.id).await;
    assert_eq!(failed.state, JobState::Failed);
    let problem = failed.problem.clone().expect("it says why");
    assert!(problem.cause.contains("exit code 3"), "{problem:?}");
    assert_eq!(story.in_swarm(), "");
    let refused = world.services.roll_back(&world.actor, &failed.id, Back::All).await;
    assert!(matches!(refused, Err(AppError::Blocked(_))), "it never ran: {refused:?}");
    let log = std::fs::read_dir(story._folder.path().join("logs")).expect("logs").flatten();
    let text: String = log
        .flat_map(|month| std::fs::read_dir(month.path()).expect("a folder").flatten())
        .map(|file| std::fs::read_to_string(file.path()).unwrap_or_default())
        .collect();
    assert!(text.contains("no config found"), "the program's own words are in the log: {text}");

    let good = story.up(&story.push("1", &says("version-1"))).await;
    world.answers(story.port, "version-1").await;

    // Something ran before: it comes back.
    let failed = world.deploy(&story.service, &story.registry, &broken).await;
    assert_eq!(world.ended(&failed.id).await.state, JobState::Failed);
    world.answers(story.port, "version-1").await;
    assert_eq!(story.current().await, good.number);

    // An image that the registry doesn't have: nothing is touched.
    let before = story.lab.docker(&["service", "inspect", "-f", "{{.Version.Index}}", &story.in_swarm()]);
    let mut missing = good.image.clone();
    missing.digest = Some(format!("sha256:{}", "0".repeat(64)).parse().expect("a digest"));
    let failed = world.deploy(&story.service, &story.registry, &missing).await;
    let failed = world.ended(&failed.id).await;
    assert_eq!(failed.problem.map(|problem| problem.code), Some("deploy.image_gone".into()));
    assert_eq!(story.lab.docker(&["service", "inspect", "-f", "{{.Version.Index}}", &story.in_swarm()]), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_is_cancelled_restores_what_ran() {
    let Some(story) = Story::begin(|form| form.health_command = "sh -c 'test ! -e /sick'".into()).await else { return };
    let world = &story.world;
    world.start();
    let good = story.up(&story.push("1", &says("version-1"))).await;
    let sick = story.push("2", &format!("RUN touch /sick\n{}", says("version-2")));
    let deployment = world.deploy(&story.service, &story.registry, &sick).await;
    eventually(Duration::from_secs(60), "the Swarm has the new version", || async {
        let image = story.lab.docker(&[
            "service",
            "inspect",
            "-f",
            "{{.Spec.TaskTemplate.ContainerSpec.Image}}",
            &story.in_swarm(),
        ]);
        (image.trim() == sick.to_string()).then_some(())
    })
    .await;
    world.services.cancel_deployment(&world.actor, &deployment.id).await.expect("asked for");
    let ended = eventually(Duration::from_secs(15), "it ends within 15 s", || async {
        Some(world.deployment(&deployment.id).await).filter(|deployment| deployment.state.is_final())
    })
    .await;
    assert_eq!(ended.state, JobState::Cancelled);
    world.answers(story.port, "version-1").await;
    assert_eq!(story.current().await, good.number);
}

/// X2 and X8: of several that wait the newest runs.
#[tokio::test(flavor = "multi_thread")]
async fn the_newest_of_waiting_deployments_wins() {
    let Some(story) = Story::begin(|_| {}).await else { return };
    let world = &story.world;
    let images = ["1", "2", "3"].map(|tag| story.push(tag, &says(&format!("version-{tag}"))));
    let mut made = Vec::new();
    for image in &images {
        made.push(world.deploy(&story.service, &story.registry, image).await);
    }
    world.start();
    world.succeeded(&made[2].id).await;
    for older in &made[..2] {
        assert_eq!(world.deployment(&older.id).await.state, JobState::Superseded);
    }
    world.answers(story.port, "version-3").await;
    assert_eq!(story.current().await, 3);
}

/// X3: deleting wins over a deployment that is under way.
#[tokio::test(flavor = "multi_thread")]
async fn a_delete_ends_a_deployment_and_nothing_comes_back() {
    let Some(story) = Story::begin(|_| {}).await else { return };
    let world = &story.world;
    world.start();
    let deployment = world.deploy(&story.service, &story.registry, &story.push("1", &says("version-1"))).await;
    eventually(Duration::from_secs(60), "the Swarm has it", || async { (!story.in_swarm().is_empty()).then_some(()) })
        .await;
    world.services.delete(&world.actor, &story.service).await.expect("deleted");
    assert!(world.ended(&deployment.id).await.state.is_final());
    assert_eq!(world.removed().await, "succeeded");
    assert_eq!(story.in_swarm(), "");
    assert!(world.services.list(&world.actor).await.expect("listed").is_empty());
}

/// O2: while Docker is away a deployment waits, then goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_outlasts_a_daemon_that_goes_away() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let gate = Gate::before(&lab.docker_host, folder.path());
    let story = Story::at(lab, folder, &gate.host, |_| {}).await;
    let world = &story.world;
    let image = story.push("1", &says("version-1"));
    world.start();
    gate.set(false);
    let deployment = world.deploy(&story.service, &story.registry, &image).await;
    let tries = async || -> i64 {
        let sql = "SELECT attempt FROM jobs WHERE id = ?";
        sqlx::query_scalar(sql).bind(deployment.job.as_str()).fetch_one(world.db.read()).await.expect("asked")
    };
    eventually(Duration::from_secs(30), "it is tried twice", || async { (tries().await >= 2).then_some(()) }).await;
    gate.set(true);
    world.succeeded(&deployment.id).await;
    world.answers(story.port, "version-1").await;
}

/// X4: somebody else changes the service all the time; what was asked for last is what runs.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_others_change_meanwhile_ends_as_asked() {
    let Some(story) = Story::begin(|_| {}).await else { return };
    let world = &story.world;
    world.start();
    story.up(&story.push("1", &says("version-1"))).await;
    let two = story.push("2", &says("version-2"));
    let done = std::sync::atomic::AtomicBool::new(false);
    let swarm = story.in_swarm();
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for n in 0.. {
                if done.load(std::sync::atomic::Ordering::Relaxed) {
                    break;
                }
                // Its own updates may come too late; that is what this is about.
                let label = format!("disturbance={n}");
                let arguments =
                    ["-H", &story.lab.docker_host, "service", "update", "-d", "--label-add", &label, &swarm];
                std::process::Command::new("docker").args(arguments).output().expect("docker runs");
            }
        });
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                story.up(&two).await;
                done.store(true, std::sync::atomic::Ordering::Relaxed);
            });
        });
    });
    world.answers(story.port, "version-2").await;
    let image = story.lab.docker(&["service", "inspect", "-f", "{{.Spec.TaskTemplate.ContainerSpec.Image}}", &swarm]);
    assert_eq!(image.trim(), two.to_string());
}

/// O7, and what doesn't fit without the routing mesh: said before or instead of half a deployment.
#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_not_free_is_named() {
    let Some(story) = Story::begin(|_| {}).await else { return };
    let world = &story.world;
    world.start();
    let image = story.push("1", &says("version-1"));
    let holder = std::net::TcpListener::bind(("0.0.0.0", story.port)).expect("the port");
    let failed = world.deploy(&story.service, &story.registry, &image).await;
    let problem = world.ended(&failed.id).await.problem.expect("it says why");
    assert!(problem.cause.contains(&format!("Port {} is taken", story.port)), "{problem:?}");
    assert_eq!(story.in_swarm(), "", "nothing is left");
    drop(holder);
    story.up(&image).await;
    world.answers(story.port, "version-1").await;

    let service = world.services.get(&world.actor, &story.service).await.expect("there");
    let two = ServiceForm {
        ports: format!("{}:80", story.port),
        replicas: "2".into(),
        ..form(&service.project_name, &service.name)
    };
    world.services.update(&world.actor, &story.service, service.version, two).await.expect("changed");
    if !slipway::docker::has_ipvs(std::path::Path::new("/")) {
        let refused = world.deploy(&story.service, &story.registry, &image).await;
        let problem = world.ended(&refused.id).await.problem.expect("it says why");
        assert_eq!(problem.code, "deploy.too_many_copies");
        world.answers(story.port, "version-1").await;
        assert_eq!(story.current().await, 2);
    }
}

/// The services of a project reach each other by name; nobody else is on their network.
#[tokio::test(flavor = "multi_thread")]
async fn services_of_a_project_reach_each_other_by_name() {
    let Some(story) = Story::begin(|_| {}).await else { return };
    let world = &story.world;
    world.start();
    let image = story.push("1", &says("version-1"));
    story.up(&image).await;
    let project = world.services.get(&world.actor, &story.service).await.expect("there").project_name;
    let other = world.create(form(&project, "Worker")).await.expect("created");
    let _sweep = Sweep(story.lab.clone(), other.clone());
    let deployment = world.deploy(&other, &story.registry, &image).await;
    world.succeeded(&deployment.id).await;
    let container = eventually(Duration::from_secs(20), "the container is there", || async {
        let filter = format!("label=slipway.service={other}");
        let id = story.lab.docker(&["ps", "-q", "--filter", &filter]).trim().to_owned();
        (!id.is_empty()).then_some(id)
    })
    .await;
    eventually(Duration::from_secs(20), "the other service answers", || async {
        // Not wget: Debian's static busybox crashes in it.
        let ask = "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 web 80";
        let ask = ["-H", &story.lab.docker_host, "exec", &container, "sh", "-c", ask];
        let answer = std::process::Command::new("docker").args(ask).output().expect("docker runs");
        String::from_utf8_lossy(&answer.stdout).contains("version-1").then_some(())
    })
    .await;
}
