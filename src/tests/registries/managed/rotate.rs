//! A new password reaches the registry and everybody who uses it; whatever happens on the way, both agree.

use super::house::{Sweep as SweepRegistry, created, failed, form as registry_form, get, in_docker, succeeded};
use crate::services::world::{Sweep, World, form, unique};
use crate::swarm::{Lab, eventually};
use app::api::credentials::CredentialsApi as _;
use app::api::registries::RegistriesApi as _;
use app::api::services::ServicesApi as _;
use app::error::AppError;
use app::model::id::RegistryId;
use app::model::image_ref::ImageRef;
use app::model::secret::Secret;
use app::model::service::ServiceForm;
use slipway::oci::{self, Access, Login, OciError};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

async fn access(world: &World, id: &RegistryId) -> Access {
    world.registries.target(id).await.expect("asked").expect("it is there").access
}

fn with(access: &Access, password: &Secret) -> Access {
    let login = Login { username: "slipway".into(), password: password.clone() };
    Access { login: Some(login), ..access.clone() }
}

/// What the registry says to the password that Slipway has, and to the other.
async fn assert_takes(access: &Access, refused: Option<&Secret>) {
    let oci = oci::Client::new().expect("a client");
    oci.check(access).await.expect("the kept password is taken");
    if let Some(refused) = refused {
        let outcome = oci.check(&with(access, refused)).await;
        assert!(matches!(outcome, Err(OciError::WrongCredentials { .. } | OciError::Denied { .. })), "{outcome:?}");
    }
}

/// A service's image, in the registry alone.
fn pushed(lab: &Lab, access: &Access) -> ImageRef {
    let mut at = lab.clone();
    let login = access.login.as_ref().expect("a login");
    at.registry = access.url.host.to_string();
    at.username = login.username.clone();
    at.password = login.password.expose("the test pushes with it").to_owned();
    at.push("shop/web", "1", "CMD [\"sleep\", \"100000\"]")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_password_is_refused_and_running_services_get_the_new_one() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    world.start();
    let (id, _sweep) = created(&world, &lab, registry_form("Main")).await;
    let before = access(&world, &id).await;
    let image = pushed(&lab, &before);
    let credential = get(&world, &id).await.credential;
    let new = ServiceForm {
        kind: "image".into(),
        image: image.to_string(),
        credential: credential.to_string(),
        ..form(&unique("rotate"), "App")
    };
    let service = world.create(new).await.expect("a service");
    let _sweep_service = Sweep(lab.clone(), service.clone());
    let deployment = world.services.deploy_image(&world.actor, &service).await.expect("asked for");
    world.succeeded(&deployment).await;

    let job = world.registries.rotate(&world.actor, &id).await.expect("asked for");
    assert!(matches!(world.registries.rotate(&world.actor, &id).await, Err(AppError::Blocked(_))), "one at a time");
    succeeded(&world, &job).await;
    let old = before.login.expect("a login").password;
    let now = access(&world, &id).await;
    let password = now.login.clone().expect("a login").password;
    assert_ne!(password, old);
    assert!(password.len() >= 43);
    assert_takes(&now, Some(&old)).await;

    // Secrets of the old password are gone, and so is the copy of the new one.
    let name = format!("slipway-registry-{}", id.short());
    let secrets: Vec<_> = in_docker(&lab, &id).into_iter().filter(|line| line.starts_with("secret")).collect();
    assert_eq!(secrets, [format!("secret {name}-config-2"), format!("secret {name}-htpasswd-2")]);
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM secrets WHERE name LIKE 'password/%'")
        .fetch_one(world.db.read())
        .await
        .expect("counted");
    assert_eq!(left, 0);

    eventually(Duration::from_secs(60), "the service gets the new login", || async {
        let (all, done): (i64, i64) = sqlx::query_as(
            "SELECT count(*), count(*) FILTER (WHERE state = 'succeeded') FROM jobs WHERE kind = 'resend_login'",
        )
        .fetch_one(world.db.read())
        .await
        .expect("counted");
        (all == 1 && done == 1).then_some(())
    })
    .await;
    // It comes back on a node that has nothing: the image is pulled with the new password.
    let swarm = world.in_swarm(&lab, &service);
    let ids = lab.docker(&["ps", "-q", "--filter", &format!("label=slipway.service={service}")]);
    lab.docker(&["rm", "-f", ids.trim()]);
    for image in lab.docker(&["image", "ls", "-q", "--filter", &format!("reference={}/*/*", now.url.host)]).lines() {
        // One that the next task holds already stays.
        drop(Command::new("docker").args(["-H", &lab.docker_host, "image", "rm", "-f", image]).output());
    }
    eventually(Duration::from_secs(60), "the service comes back", || async {
        let states = lab.docker(&[
            "service",
            "ps",
            "--filter",
            "desired-state=running",
            "--format",
            "{{.CurrentState}}",
            &swarm,
        ]);
        let new = lab.docker(&["ps", "-q", "--filter", &format!("label=slipway.service={service}")]);
        (states.starts_with("Running") && !new.trim().is_empty() && new != ids).then_some(())
    })
    .await;

    // What is shown is what is taken, and it is on record.
    let (username, shown) = world.registries.reveal(&world.actor, &id).await.expect("shown");
    assert_eq!((username.as_str(), shown), ("slipway", password));
    let record: Vec<String> = sqlx::query_scalar("SELECT verb FROM activity WHERE subject = ? ORDER BY id")
        .bind(id.as_str())
        .fetch_all(world.db.read())
        .await
        .expect("the record");
    assert_eq!(record, ["registry.created", "registry.rotated", "registry.password_shown"]);
}

/// A rotation that can't be finished leaves the old password in force, in the registry and in Slipway.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_returns_to_the_old_password() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    world.start();
    let (id, _sweep) = created(&world, &lab, registry_form("Main")).await;
    let before = access(&world, &id).await;
    // Another sign-in file of the coming revision is there already: what is in it isn't the coming password.
    let name = format!("slipway-registry-{}-htpasswd-2", id.short());
    let label = format!("slipway.registry={id}");
    let file = folder.path().join("htpasswd");
    std::fs::write(&file, "somebody:$2y$05$invalid\n").expect("written");
    lab.docker(&["secret", "create", "--label", &label, &name, &file.to_string_lossy()]);

    let job = world.registries.rotate(&world.actor, &id).await.expect("asked for");
    let problem = failed(&world, &job).await;
    assert!(problem.cause.contains("before again"), "{problem:?}");
    let now = access(&world, &id).await;
    let password = |access: &Access| access.login.as_ref().map(|login| login.password.clone());
    assert_eq!(password(&now), password(&before));
    assert_takes(&now, None).await;
    assert_eq!(get(&world, &id).await.managed.map(|managed| managed.revision), Some(3));

    let job = world.registries.rotate(&world.actor, &id).await.expect("asked for");
    succeeded(&world, &job).await;
    let old = before.login.expect("a login").password;
    assert_takes(&access(&world, &id).await, Some(&old)).await;
}

/// The next life goes on where this one was broken off; at every step registry and credential end up with one password.
#[tokio::test(flavor = "multi_thread")]
async fn a_death_between_any_two_steps_leaves_both_agreeing() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    world.start();
    let (id, _sweep): (RegistryId, SweepRegistry) = created(&world, &lab, registry_form("Main")).await;
    let mut password = access(&world, &id).await.login.expect("a login").password;
    drop(world);
    for point in ["secrets.after", "service.done", "sign_in.after", "hand_over.done", "settle.before"] {
        let world = World::open(folder.path(), &lab.docker_host).await;
        let job = world.registries.rotate(&world.actor, &id).await.expect("asked for");
        dies_at(folder.path(), &format!("rotate_registry.{point}"));
        world.start();
        succeeded(&world, &job).await;
        let now = access(&world, &id).await;
        assert_takes(&now, Some(&password)).await;
        password = now.login.expect("a login").password;
        let state = world.credentials.get(&world.actor, &get(&world, &id).await.credential).await.expect("there").state;
        assert_eq!(state, app::model::credential::CredentialState::Works, "{point}");
    }
}

/// Another life works on the folder's jobs until it breaks off at this point.
fn dies_at(folder: &Path, point: &str) {
    let mut life = Command::new("/proc/self/exe")
        .args(["--exact", "services::restart::life", "--ignored", "--nocapture"])
        .env("SLIPWAY_TEST_LIFE", folder)
        .env("SLIPWAY_ABORT_AT", point)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let begun = std::time::Instant::now();
    loop {
        if let Some(status) = life.try_wait().expect("asked") {
            assert!(!status.success(), "{point}: it ended by itself");
            return;
        }
        if begun.elapsed() > Duration::from_secs(90) {
            life.kill().expect("killed");
            life.wait().expect("gone");
            panic!("{point} was never reached");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
