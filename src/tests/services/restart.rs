//! Slipway dies in the middle of a deployment or a removal; the next one finishes it. The one that dies is this test
//! program itself, started again for a single "test" and killed with SIGKILL.

use super::world::{Sweep, World, form, unique};
use crate::swarm::{Lab, eventually, free_port};
use app::api::services::ServicesApi as _;
use app::model::id::ServiceId;
use app::model::service::ServiceForm;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const FOLDER: &str = "SLIPWAY_TEST_LIFE";

/// A life that ends by SIGKILL: works on the folder's jobs until somebody ends it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the tests below, in a process of its own"]
async fn life() {
    let (Some(folder), Some(lab)) = (std::env::var_os(FOLDER).map(PathBuf::from), Lab::find()) else { return };
    let world = World::open(&folder, &lab.docker_host).await;
    world.start();
    std::future::pending::<()>().await;
}

pub(super) struct Life(Child);

impl Life {
    pub(super) fn begin(folder: &Path) -> Self {
        // Not by its path: the file may have been built anew meanwhile.
        let child = Command::new("/proc/self/exe")
            .args(["--exact", "services::restart::life", "--ignored", "--nocapture"])
            .env(FOLDER, folder)
            .stdout(Stdio::null())
            .spawn()
            .expect("it starts");
        Self(child)
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.kill().expect("killed");
        self.0.wait().expect("gone");
    }
}

/// Waits, with little delay, until a step of a job of this kind runs.
async fn reached(world: &World, kind: &str, step: &str) {
    let begun = std::time::Instant::now();
    loop {
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM job_steps s JOIN jobs j ON j.id = s.job_id WHERE j.kind = ? AND s.name = ?",
        )
        .bind(kind)
        .bind(step)
        .fetch_optional(world.db.read())
        .await
        .expect("asked");
        if found.is_some() {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{kind} never came to {step}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn in_swarm(lab: &Lab, service: &ServiceId) -> usize {
    lab.docker(&["service", "ls", "-q", "--filter", &format!("label=slipway.service={service}")]).lines().count()
}

/// P3: one death at each step of a deployment, and at each of the removal after it.
#[test]
fn deployments_and_removals_go_on_after_a_death_at_any_step() {
    let Some(lab) = Lab::find() else { return };
    let steps = [
        ("image", "cancel"),
        ("network", "service"),
        ("update", "network"),
        ("healthy", "secrets"),
        ("current", "network"),
    ];
    std::thread::scope(|threads| {
        for (deploy_step, removal_step) in steps {
            let lab = &lab;
            threads.spawn(move || {
                let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
                runtime.expect("a runtime").block_on(two_deaths(lab, deploy_step, removal_step));
            });
        }
    });
}

async fn two_deaths(lab: &Lab, deploy_step: &str, removal_step: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    // This one only asks and looks; whoever lives does the work.
    let world = World::open(folder.path(), &lab.docker_host).await;
    let registry = world.registry(lab).await;
    let port = free_port();
    let new = ServiceForm { ports: format!("{port}:80"), ..form(&unique("restart"), "Web") };
    let service = world.create(new).await.expect("a service");
    let _sweep = Sweep(lab.clone(), service.clone());
    let server =
        "RUN mkdir /www && echo up > /www/index.html\nCMD [\"httpd\", \"-f\", \"-p\", \"80\", \"-h\", \"/www\"]";
    let image = lab.push(&format!("swarm/{}", service.short()), "1", server);
    let deployment = world.deploy(&service, &registry, &image).await.id;

    let first = Life::begin(folder.path());
    reached(&world, "deploy", deploy_step).await;
    drop(first);
    let second = Life::begin(folder.path());
    let ended = world.succeeded(&deployment).await;
    assert!(ended.is_current, "after a death at {deploy_step}");
    world.answers(port, "up").await;
    assert_eq!(in_swarm(lab, &service), 1, "one service after a death at {deploy_step}");
    // It can be worked with as if nothing had been.
    let again = world.deploy(&service, &registry, &image).await;
    world.succeeded(&again.id).await;

    world.services.delete(&world.actor, &service).await.expect("deleted");
    reached(&world, "remove_service", removal_step).await;
    drop(second);
    let _third = Life::begin(folder.path());
    assert_eq!(world.removed().await, "succeeded", "after a death at {removal_step}");
    assert_eq!(in_swarm(lab, &service), 0);
    assert!(world.services.list(&world.actor).await.expect("listed").is_empty());
    eventually(Duration::from_secs(5), "nothing is left to do", || async {
        let left: i64 =
            sqlx::query_scalar("SELECT count(*) FROM jobs WHERE state IN ('queued', 'running', 'cancelling')")
                .fetch_one(world.db.read())
                .await
                .expect("counted");
        (left == 0).then_some(())
    })
    .await;
}
