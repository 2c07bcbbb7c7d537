//! Other settings: those that reach the Swarm become a revision, and one that doesn't work returns to the one before.

use super::house::{created, ended, failed, form, get, in_docker, push_and_pull, steps, succeeded};
use crate::services::world::World;
use crate::swarm::{Lab, eventually};
use app::api::registries::RegistriesApi as _;
use app::error::AppError;
use app::model::job::JobState;
use app::model::registry::{ManagedForm, Phase};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_works_or_returns_to_the_version_of_before() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    world.start();
    let (id, _sweep) = created(&world, &lab, form("Main")).await;
    let before = get(&world, &id).await;
    let image = before.managed.as_ref().expect("managed").image.clone();

    let upgrade = |image: &str| ManagedForm { name: "Main".into(), image: image.into(), ..ManagedForm::default() };
    let job = world
        .registries
        .update_managed(&world.actor, &id, before.version, upgrade("slipway-lab/registry:latest"))
        .await
        .expect("asked for")
        .expect("it reaches the Swarm");
    let again = world.registries.update_managed(&world.actor, &id, before.version, upgrade("slipway-lab/base:1")).await;
    assert!(matches!(again, Err(AppError::Blocked(_))), "{again:?}");
    succeeded(&world, &job).await;
    let upgraded = get(&world, &id).await;
    let managed = upgraded.managed.as_ref().expect("managed");
    assert_eq!((managed.revision, managed.image.as_str()), (2, "docker.io/slipway-lab/registry:latest"));
    let name = format!("slipway-registry-{}", id.short());
    let all = |revision: i64| {
        [
            format!("secret {name}-config-{revision}"),
            format!("secret {name}-htpasswd-{revision}"),
            format!("service {name}"),
            format!("volume {name}"),
        ]
    };
    assert_eq!(in_docker(&lab, &id), all(2), "old secrets are gone");

    // An image without a registry in it.
    let job = world
        .registries
        .update_managed(&world.actor, &id, upgraded.version, upgrade("slipway-lab/base:1"))
        .await
        .expect("asked for")
        .expect("it reaches the Swarm");
    let problem = failed(&world, &job).await;
    assert!(problem.cause.contains("runs with the settings of before again"), "{problem:?}");
    assert!(steps(&world, &job).await.contains(&("return".into(), "done".into())));
    let returned = get(&world, &id).await;
    let managed = returned.managed.as_ref().expect("managed");
    assert_eq!((managed.phase, managed.revision), (Phase::Running, 4));
    assert_eq!(managed.image, "docker.io/slipway-lab/registry:latest");
    assert_ne!(managed.image, image);
    assert_eq!(in_docker(&lab, &id), all(4));
    push_and_pull(&world, &lab, &id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_change_returns_to_the_settings_of_before() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    world.start();
    let (id, _sweep) = created(&world, &lab, form("Main")).await;
    let before = get(&world, &id).await;
    let image = before.managed.as_ref().expect("managed").image.clone();
    let edit = ManagedForm { name: "Main".into(), image: "slipway-lab/base:1".into(), ..ManagedForm::default() };
    let job = world.registries.update_managed(&world.actor, &id, before.version, edit).await.expect("asked for");
    let job = job.expect("it reaches the Swarm");
    eventually(Duration::from_secs(60), "it waits for its task", || async {
        steps(&world, &job).await.iter().any(|(name, _)| name == "healthy").then_some(())
    })
    .await;
    world.jobs.cancel(&job).await.expect("cancelled");
    assert_eq!(ended(&world, &job).await.0, JobState::Cancelled);
    let managed = get(&world, &id).await.managed.expect("managed");
    assert_eq!((managed.image, managed.revision), (image, 3));
    let job = world.registries.restart(&world.actor, &id).await.expect("asked for");
    succeeded(&world, &job).await;
    assert_eq!(in_docker(&lab, &id).iter().filter(|found| found.starts_with("secret")).count(), 2);
    push_and_pull(&world, &lab, &id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_reach_the_swarm_needs_no_job_and_images_do_not_move() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    world.start();
    let (id, _sweep) = created(&world, &lab, form("Main")).await;
    let before = get(&world, &id).await;
    let edit = ManagedForm {
        name: "Renamed".into(),
        multi_arch: Some("on".into()),
        platforms: "linux/amd64, linux/arm64".into(),
        domain: "registry.example.com".into(),
        image: "slipway-lab/registry:2".into(),
        ..ManagedForm::default()
    };
    let job = world.registries.update_managed(&world.actor, &id, before.version, edit.clone()).await.expect("saved");
    assert_eq!(job, None);
    let after = get(&world, &id).await;
    let managed = after.managed.expect("managed");
    assert_eq!((after.name.as_str(), after.platforms.len(), managed.revision), ("Renamed", 2, 1));
    assert_eq!(managed.domain.map(String::from).as_deref(), Some("registry.example.com"));
    assert!(after.is_default, "unticking the default changes nothing");
    let stale = world.registries.update_managed(&world.actor, &id, before.version, edit.clone()).await;
    assert!(matches!(stale, Err(AppError::Blocked(_))), "{stale:?}");
    for (field, edit) in [
        ("port", ManagedForm { port: "5999".into(), ..edit.clone() }),
        ("volume", ManagedForm { volume: "another".into(), ..edit.clone() }),
    ] {
        match world.registries.update_managed(&world.actor, &id, after.version, edit).await {
            Err(AppError::Invalid(errors)) => assert_eq!(errors[0].field, field),
            other => panic!("{field}: {other:?}"),
        }
    }
}
