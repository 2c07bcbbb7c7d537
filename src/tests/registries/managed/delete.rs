//! Deleting a registry that Slipway runs: what holds it, what goes, and what stays.

use super::house::{created, form as registry_form, get, in_docker, push_and_pull, succeeded};
use crate::credentials::field_error;
use crate::services::world::{World, form, unique};
use crate::swarm::{Gate, Lab, eventually};
use app::api::credentials::CredentialsApi as _;
use app::api::registries::RegistriesApi as _;
use app::api::services::ServicesApi as _;
use app::error::AppError;
use app::model::credential::CredentialState;
use app::model::id::RegistryId;
use app::model::job::JobState;
use app::model::registry::{DeleteForm, ManagedForm, Phase};
use app::model::service::ServiceForm;
use std::time::Duration;

fn typed(name: &str) -> DeleteForm {
    DeleteForm { name: name.into(), ..DeleteForm::default() }
}

/// How many rows of the database name the registry or its credential, but for the record of who did what.
async fn rows(world: &World, id: &RegistryId) -> i64 {
    sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM registries WHERE id = ?1) + (SELECT count(*) FROM managed_registries WHERE id = ?1)
              + (SELECT count(*) FROM credentials WHERE owned_by = ?1) + (SELECT count(*) FROM secrets)
              + (SELECT count(*) FROM registry_checks)",
    )
    .bind(id.as_str())
    .fetch_one(world.db.read())
    .await
    .expect("counted")
}

#[tokio::test(flavor = "multi_thread")]
async fn its_name_is_typed_and_all_of_it_goes() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    world.start();
    let (id, _sweep) = created(&world, &lab, registry_form("Main")).await;
    push_and_pull(&world, &lab, &id).await;
    for wrong in ["", "main", "Main 2"] {
        assert_eq!(field_error(world.registries.delete(&world.actor, &id, typed(wrong)).await).field, "name");
    }
    assert_eq!(get(&world, &id).await.managed.map(|managed| managed.phase), Some(Phase::Running));

    // The creation was the end of it: its credential was tried with what runs.
    let credential = world.credentials.list(&world.actor).await.expect("a list").remove(0);
    assert_eq!(credential.state, CredentialState::Works);
    assert!(credential.report.is_some(), "it was looked at");

    let job = world.registries.delete(&world.actor, &id, typed(" Main ")).await.expect("asked").expect("a job");
    let refused = world.registries.choose(Some(&id)).await;
    if get_maybe(&world, &id).await {
        assert!(
            matches!(&refused, Err(AppError::Problem(problem)) if problem.code == "registry.deleted"),
            "{refused:?}"
        );
    }
    succeeded(&world, &job).await;
    assert_eq!(in_docker(&lab, &id), Vec::<String>::new());
    assert_eq!(rows(&world, &id).await, 0);
    assert_eq!(world.registries.choose(None).await, Ok(None));
    assert_eq!(world.credentials.list(&world.actor).await, Ok(vec![]));
    assert_eq!(
        world.registries.delete(&world.actor, &id, typed("Main")).await,
        Err(AppError::NotFound("registry".into()))
    );
}

async fn get_maybe(world: &World, id: &RegistryId) -> bool {
    world.registries.get(&world.actor, id).await.is_ok()
}

/// What was kept, a new registry goes on with.
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_volume_is_adopted() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    world.start();
    let (id, _sweep) = created(&world, &lab, registry_form("Main")).await;
    push_and_pull(&world, &lab, &id).await;
    let keep = DeleteForm { keep_data: Some("on".into()), ..typed("Main") };
    let job = world.registries.delete(&world.actor, &id, keep).await.expect("asked").expect("a job");
    succeeded(&world, &job).await;
    let volume = format!("slipway-registry-{}", id.short());
    assert_eq!(in_docker(&lab, &id), [format!("volume {volume}")]);

    let form = ManagedForm { volume: volume.clone(), ..registry_form("Again") };
    let (next, _sweep_next) = created(&world, &lab, form).await;
    let target = world.registries.target(&next).await.expect("asked").expect("it is there");
    let oci = slipway::oci::Client::new().expect("a client");
    let repository = "shop/web".parse().expect("a repository");
    assert!(oci.digest(&target.access, &repository, "1").await.expect("asked").is_some(), "the image is still there");

    // The volume has the label of the one before; with its user's word it goes all the same.
    let job = world.registries.delete(&world.actor, &next, typed("Again")).await.expect("asked").expect("a job");
    succeeded(&world, &job).await;
    assert_eq!(lab.docker(&["volume", "ls", "-q", "--filter", &format!("name={volume}")]).trim(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn services_hold_it_and_the_default_is_handed_on() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    world.start();
    let (id, _sweep) = created(&world, &lab, registry_form("Main")).await;
    let other = world.registry(&lab).await;
    world.registries.make_default(&world.actor, &id).await.expect("moved");

    // One that pulls with its credential, and one that builds to it.
    let registry = get(&world, &id).await;
    let puller = ServiceForm {
        kind: "image".into(),
        image: format!("{}/shop/web:1", registry.host),
        credential: registry.credential.to_string(),
        ..form(&unique("hold"), "Puller")
    };
    let puller = world.create(puller).await.expect("a service");
    let builder = ServiceForm { registry: id.to_string(), ..form(&unique("hold"), "Builder") };
    let builder = world.create(builder).await.expect("a service");
    let users = world.registries.users(&world.actor, &id).await.expect("a list");
    let users: Vec<_> = users.iter().map(|user| (user.name.as_str(), user.builds, user.runs)).collect();
    assert_eq!(users, [("Builder", true, false), ("Puller", false, true)]);
    let Err(AppError::Blocked(blockers)) = world.registries.delete(&world.actor, &id, typed("Main")).await else {
        panic!("not blocked")
    };
    assert_eq!(blockers.len(), 2, "{blockers:?}");
    for service in [&puller, &builder] {
        world.services.delete(&world.actor, service).await.expect("deleted");
    }

    assert_eq!(field_error(world.registries.delete(&world.actor, &id, typed("Main")).await).field, "successor");
    let form = DeleteForm { successor: other.to_string(), ..typed("Main") };
    let job = world.registries.delete(&world.actor, &id, form).await.expect("asked").expect("a job");
    assert_eq!(world.registries.choose(None).await, Ok(Some(other)), "at once, not when all is gone");
    succeeded(&world, &job).await;
    assert_eq!(in_docker(&lab, &id), Vec::<String>::new());
}

/// Docker away: it goes on when Docker is back. Asked for twice, it is one job. Nothing new comes to it meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn it_goes_on_until_it_is_done() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let gate = Gate::before(&lab.docker_host, folder.path());
    let world = World::open(folder.path(), &gate.host).await;
    world.start();
    let (id, _sweep) = created(&world, &lab, registry_form("Main")).await;
    gate.set(false);
    let job = world.registries.delete(&world.actor, &id, typed("Main")).await.expect("asked").expect("a job");
    assert_eq!(world.registries.delete(&world.actor, &id, typed("Main")).await, Ok(Some(job.clone())));
    eventually(Duration::from_secs(60), "it waits for Docker", || async {
        let (state, attempt): (String, i64) = sqlx::query_as("SELECT state, attempt FROM jobs WHERE id = ?")
            .bind(job.as_str())
            .fetch_one(world.db.read())
            .await
            .expect("asked");
        (state == JobState::Queued.as_str() && attempt > 0).then_some(())
    })
    .await;
    let new = ServiceForm { registry: id.to_string(), ..form(&unique("late"), "Late") };
    assert_eq!(field_error(world.create(new).await).field, "registry", "nothing new comes to it");
    assert!(matches!(world.registries.rotate(&world.actor, &id).await, Err(AppError::Blocked(_))));
    gate.set(true);
    succeeded(&world, &job).await;
    assert_eq!(in_docker(&lab, &id), Vec::<String>::new());
    assert_eq!(rows(&world, &id).await, 0);
}

/// A creation under way is ended, and nothing of it stays.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_being_created_can_be_deleted() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    world.start();
    let form = registry_form("Main");
    let (id, _) = world.registries.create_managed(&world.actor, form).await.expect("asked for");
    let _sweep = super::house::Sweep(lab.clone(), id.clone());
    eventually(Duration::from_secs(60), "its service is made", || async {
        in_docker(&lab, &id).iter().any(|line| line.starts_with("service")).then_some(())
    })
    .await;
    let job = world.registries.delete(&world.actor, &id, typed("Main")).await.expect("asked").expect("a job");
    succeeded(&world, &job).await;
    assert_eq!(in_docker(&lab, &id), Vec::<String>::new());
    assert_eq!(rows(&world, &id).await, 0);
}
