//! A restart starts the task anew and makes what is missing; a job that is broken off goes on where it was.

use super::house::{Sweep, created, form, get, in_docker, push_and_pull, steps, succeeded, tasks};
use crate::services::world::World;
use crate::swarm::{Lab, eventually};
use app::api::registries::RegistriesApi as _;
use app::model::registry::Phase;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_starts_anew_and_makes_what_is_missing() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    world.start();
    let (id, _sweep) = created(&world, &lab, form("Main")).await;
    let name = format!("slipway-registry-{}", id.short());
    let before = (tasks(&lab, &id), in_docker(&lab, &id));
    assert_eq!(before.0.len(), 1);

    let job = world.registries.restart(&world.actor, &id).await.expect("asked for");
    succeeded(&world, &job).await;
    let after = tasks(&lab, &id);
    assert_eq!(after.len(), 1);
    assert_ne!(after, before.0, "the task is another one");
    assert_eq!(in_docker(&lab, &id), before.1);

    lab.docker(&["service", "scale", "-d", &format!("{name}=0")]);
    let job = world.registries.restart(&world.actor, &id).await.expect("asked for");
    succeeded(&world, &job).await;
    assert_eq!(tasks(&lab, &id).len(), 1, "it runs again");

    lab.docker(&["service", "rm", &name]);
    lab.docker(&["secret", "rm", &format!("{name}-config-1")]);
    let job = world.registries.restart(&world.actor, &id).await.expect("asked for");
    succeeded(&world, &job).await;
    assert_eq!(in_docker(&lab, &id), before.1);
    push_and_pull(&world, &lab, &id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_volume_is_never_replaced_in_silence() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    world.start();
    let (id, _sweep) = created(&world, &lab, form("Main")).await;
    let name = format!("slipway-registry-{}", id.short());
    lab.docker(&["service", "rm", &name]);
    eventually(Duration::from_secs(60), "the volume is free", || async {
        let left = std::process::Command::new("docker")
            .args(["-H", &lab.docker_host, "volume", "rm", &name])
            .output()
            .expect("docker runs");
        left.status.success().then_some(())
    })
    .await;
    let job = world.registries.restart(&world.actor, &id).await.expect("asked for");
    let problem = super::house::failed(&world, &job).await;
    assert_eq!(problem.code, "registry.volume_lost", "{problem:?}");
    assert!(!in_docker(&lab, &id).iter().any(|found| found.starts_with("service") || found.starts_with("volume")));
}

/// Slipway stops in the middle of every step of a creation, and goes on each time.
#[tokio::test(flavor = "multi_thread")]
async fn a_creation_goes_on_after_a_stop_at_any_step() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    let (id, job) = world.registries.create_managed(&world.actor, form("Main")).await.expect("asked for");
    let _sweep = Sweep(lab.clone(), id.clone());
    for step in ["image", "network", "secrets", "volume", "service", "healthy", "probe"] {
        let life = World::open(folder.path(), &lab.docker_host).await;
        let stop = CancellationToken::new();
        let working = life.jobs.start_with(stop.clone(), Duration::ZERO);
        eventually(Duration::from_secs(90), step, || async {
            steps(&life, &job).await.iter().any(|(name, _)| name == step).then_some(())
        })
        .await;
        stop.cancel();
        working.await.expect("it ends");
    }
    world.start();
    succeeded(&world, &job).await;
    let name = format!("slipway-registry-{}", id.short());
    let all = [
        format!("secret {name}-config-1"),
        format!("secret {name}-htpasswd-1"),
        format!("service {name}"),
        format!("volume {name}"),
    ];
    assert_eq!(in_docker(&lab, &id), all, "once each");
    assert_eq!(get(&world, &id).await.managed.map(|managed| managed.phase), Some(Phase::Running));
    push_and_pull(&world, &lab, &id).await;
}
