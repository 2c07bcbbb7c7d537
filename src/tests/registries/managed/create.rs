//! A managed registry comes up step by step; what fails leaves nothing behind and can be tried again.

use super::house::{Sweep, created, failed, form, get, in_docker, push_and_pull, steps, succeeded};
use crate::services::world::{World, unique};
use crate::swarm::Lab;
use app::api::credentials::CredentialsApi as _;
use app::api::registries::RegistriesApi as _;
use app::error::AppError;
use app::model::registry::{ManagedForm, Phase, Reach, Storage};
use std::path::Path;

async fn world(folder: &Path, lab: &Lab) -> World {
    World::open(folder, &lab.docker_host).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_comes_up_step_by_step_and_takes_pushes() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = world(folder.path(), &lab).await;
    world.start();
    let form = form("Main");
    let (id, job) = world.registries.create_managed(&world.actor, form.clone()).await.expect("asked for");
    let _sweep = Sweep(lab.clone(), id.clone());
    let asked = get(&world, &id).await;
    assert_eq!(asked.managed.as_ref().map(|managed| managed.phase), Some(Phase::Creating));
    assert!(!asked.is_default, "it isn't the default before it runs");
    succeeded(&world, &job).await;

    let done: Vec<String> = steps(&world, &job).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(done, ["image", "network", "secrets", "volume", "service", "healthy", "probe", "settle"]);
    let registry = get(&world, &id).await;
    assert!(registry.is_default, "the only one is the default");
    let managed = registry.managed.expect("Slipway runs it");
    assert_eq!((managed.phase, managed.reach, managed.revision), (Phase::Running, Reach::Host, 1));
    let name = format!("slipway-registry-{}", id.short());
    assert_eq!(managed.storage, Storage::Volume { name: name.clone() });
    assert!(managed.node.is_some_and(|(id, name)| !id.is_empty() && !name.is_empty()));
    let credential = world.credentials.get(&world.actor, &registry.credential).await.expect("a credential");
    assert_eq!(credential.owned_by.as_ref(), Some(&id));
    assert_eq!(credential.url.to_string(), format!("http://127.0.0.1:{}", form.port));
    let all = [
        format!("secret {name}-config-1"),
        format!("secret {name}-htpasswd-1"),
        format!("service {name}"),
        format!("volume {name}"),
    ];
    assert_eq!(in_docker(&lab, &id), all);
    push_and_pull(&world, &lab, &id).await;

    // No secret is where everybody with access to Docker reads it.
    let target = world.registries.target(&id).await.expect("asked").expect("there");
    let password = target.access.login.expect("a login").password;
    assert!(password.len() >= 43);
    let seen = lab.docker(&["service", "inspect", &name]);
    assert!(!seen.contains(password.expose("the test looks for it")), "{seen}");
    assert!(seen.contains("/run/secrets/config.yml") && seen.contains(&format!("{name}-config-1")), "{seen}");
    let log = find(folder.path(), job.as_str());
    assert!(!log.contains(password.expose("the test looks for it")) && log.contains("healthy"), "{log}");
}

/// A job's log.
fn find(folder: &Path, job: &str) -> String {
    let mut folders = vec![folder.join("logs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().contains(job) {
                return std::fs::read_to_string(path).expect("a log");
            }
        }
    }
    panic!("there is no log of {job}");
}

/// Acceptance 4.
#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_meanwhile_leaves_nothing_and_a_retry_works() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = world(folder.path(), &lab).await;
    let form = form("Main");
    let (id, job) = world.registries.create_managed(&world.actor, form.clone()).await.expect("asked for");
    let _sweep = Sweep(lab.clone(), id.clone());
    let port: u16 = form.port.parse().expect("a port");
    let listener = std::net::TcpListener::bind(("0.0.0.0", port)).expect("the port is free");
    assert!(world.registries.retry(&world.actor, &id).await.is_err(), "one thing at a time");
    world.start();
    let problem = failed(&world, &job).await;
    assert_eq!(problem.code, "registry.port_taken", "{problem:?}");
    assert!(problem.cause.contains(&port.to_string()), "{problem:?}");
    assert_eq!(in_docker(&lab, &id), Vec::<String>::new(), "nothing is left");
    let registry = get(&world, &id).await;
    assert_eq!(registry.managed.map(|managed| managed.phase), Some(Phase::Failed));
    assert!(world.registries.restart(&world.actor, &id).await.is_err(), "there is nothing to restart");

    drop(listener);
    let job = world.registries.retry(&world.actor, &id).await.expect("asked for");
    succeeded(&world, &job).await;
    let name = format!("slipway-registry-{}", id.short());
    let all = [
        format!("secret {name}-config-2"),
        format!("secret {name}-htpasswd-2"),
        format!("service {name}"),
        format!("volume {name}"),
    ];
    assert_eq!(in_docker(&lab, &id), all);
    push_and_pull(&world, &lab, &id).await;
    assert!(world.registries.retry(&world.actor, &id).await.is_err(), "it runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_nobody_has_is_named_and_leaves_nothing() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = world(folder.path(), &lab).await;
    world.start();
    let form = ManagedForm { image: "slipway-lab/nothing:1".into(), ..form("Main") };
    let (id, job) = world.registries.create_managed(&world.actor, form).await.expect("asked for");
    let _sweep = Sweep(lab.clone(), id.clone());
    let problem = failed(&world, &job).await;
    assert_eq!(problem.code, "registry.no_image", "{problem:?}");
    assert!(problem.cause.contains("slipway-lab/nothing:1"), "{problem:?}");
    assert_eq!(in_docker(&lab, &id), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_is_said_at_its_field() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = world(folder.path(), &lab).await;
    let field = |outcome: Result<_, AppError>| match outcome {
        Err(AppError::Invalid(errors)) => errors.into_iter().map(|error| (error.field, error.message)).collect(),
        Err(other) => panic!("{other:?}"),
        Ok((_, _)) => Vec::new(),
    };
    let ask = |form: ManagedForm| async { field(world.registries.create_managed(&world.actor, form).await) };
    let first = form("Main");
    assert_eq!(ask(first.clone()).await, []);

    let found = ask(form("Main")).await;
    assert_eq!(found[0].0, "name");
    let found = ask(ManagedForm { port: first.port.clone(), ..form("Other") }).await;
    assert!(found[0].0 == "port" && found[0].1.contains("Main"), "{found:?}");
    let listener = std::net::TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let found = ask(ManagedForm { port: port.to_string(), ..form("Other") }).await;
    assert!(found[0].0 == "port" && found[0].1.contains("listens"), "{found:?}");
    let found = ask(ManagedForm { volume: unique("nothing"), ..form("Other") }).await;
    assert_eq!(found[0].0, "volume");
    let free = ManagedForm { port: String::new(), ..form("Free") };
    assert_eq!(ask(free).await, []);
    let all = world.registries.list(&world.actor).await.expect("listed");
    let free = all.iter().find(|registry| registry.name == "Free").expect("it is there");
    assert!(free.managed.as_ref().is_some_and(|managed| (5000..=5999).contains(&managed.port)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_begins_with_what_was_found() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = world(folder.path(), &lab).await;
    let volume = unique("kept");
    lab.docker(&["volume", "create", "--label", "slipway.registry=reg_0000000000zz", &volume]);
    let stop = tokio_util::sync::CancellationToken::new();
    let looking = tokio::spawn({
        let (registries, stop) = (world.registries.clone(), stop.clone());
        async move { registries.watch_around(stop).await }
    });
    let found = crate::swarm::eventually(std::time::Duration::from_secs(20), "it was looked around", || async {
        let found = world.registries.suggestions(&world.actor).await.expect("suggested");
        found.volumes.contains(&volume).then_some(found)
    })
    .await;
    stop.cancel();
    looking.await.expect("it ends");
    lab.docker(&["volume", "rm", &volume]);
    assert!((5000..=5999).contains(&found.port), "{found:?}");
    assert_eq!(found.image, "docker.io/slipway-lab/registry:2");
    assert_eq!(found.platforms.len(), 1, "one node, one platform: {found:?}");
    assert!(found.reach.contains("this node"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_was_there_stays_after_a_failure() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = world(folder.path(), &lab).await;
    world.start();
    let volume = unique("kept");
    lab.docker(&["volume", "create", &volume]);
    let bad = ManagedForm { volume: volume.clone(), image: "slipway-lab/nothing:1".into(), ..form("Bad") };
    let (id, job) = world.registries.create_managed(&world.actor, bad).await.expect("asked for");
    let _sweep = Sweep(lab.clone(), id.clone());
    let twice =
        world.registries.create_managed(&world.actor, ManagedForm { volume: volume.clone(), ..form("Two") }).await;
    assert!(matches!(twice, Err(AppError::Invalid(errors)) if errors[0].field == "volume"));
    failed(&world, &job).await;
    assert_eq!(in_docker(&lab, &id), Vec::<String>::new());
    assert!(lab.docker(&["volume", "ls", "-q"]).lines().any(|name| name == volume), "it isn't ours to remove");
    lab.docker(&["volume", "rm", &volume]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_takes_away_what_was_made() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = world(folder.path(), &lab).await;
    world.start();
    let (id, job) = world.registries.create_managed(&world.actor, form("Main")).await.expect("asked for");
    let _sweep = Sweep(lab.clone(), id.clone());
    crate::swarm::eventually(std::time::Duration::from_secs(60), "it waits for its task", || async {
        steps(&world, &job).await.iter().any(|(name, _)| name == "healthy").then_some(())
    })
    .await;
    world.jobs.cancel(&job).await.expect("cancelled");
    let (state, _) = super::house::ended(&world, &job).await;
    assert_eq!(state, app::model::job::JobState::Cancelled);
    assert_eq!(in_docker(&lab, &id), Vec::<String>::new());
    assert_eq!(get(&world, &id).await.managed.map(|managed| managed.phase), Some(Phase::Failed));
    let (second, _sweep) = created(&world, &lab, form("Second")).await;
    assert!(get(&world, &second).await.is_default);
}
