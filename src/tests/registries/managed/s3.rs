//! A registry that keeps its images in a bucket, on the lab's S3-compatible store (acceptance 2).

use super::house::{created, form, get, in_docker, succeeded, tasks};
use crate::s3::Store;
use crate::services::world::World;
use crate::swarm::{Lab, eventually};
use app::api::registries::RegistriesApi as _;
use app::error::AppError;
use app::model::id::RegistryId;
use app::model::registry::{ManagedForm, Storage};
use app::model::secret::Secret;
use base64::Engine as _;
use std::process::Command;
use std::time::Duration;

pub fn bucket(store: &Store, prefix: &str) -> ManagedForm {
    ManagedForm {
        storage: "s3".into(),
        s3_region: store.region.clone(),
        s3_endpoint: store.endpoint.clone(),
        s3_bucket: store.bucket.clone(),
        s3_prefix: prefix.into(),
        s3_path_style: Some("on".into()),
        s3_access_key: Secret::new(store.access_key.clone()),
        s3_secret_key: Secret::new(store.secret_key.clone()),
        s3_internal: Some("on".into()),
        ..form("Bucket")
    }
}

pub fn prefix() -> String {
    format!("registry-{}", slipway::clock::random_hex::<6>())
}

/// Docker with the registry's own login; `IMAGE` among the arguments is an image there.
async fn docker(world: &World, lab: &Lab, id: &RegistryId, args: &[&str]) {
    let target = world.registries.target(id).await.expect("asked").expect("it is there");
    let login = target.access.login.expect("a login");
    let host = target.access.url.host.to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let plain = format!("{}:{}", login.username, login.password.expose("the test signs in"));
    let auth = base64::engine::general_purpose::STANDARD.encode(plain);
    let config = serde_json::json!({"auths": {&host: {"auth": auth}}});
    std::fs::write(folder.path().join("config.json"), config.to_string()).expect("written");
    let image = format!("{host}/shop/web:kept");
    let output = Command::new("docker")
        .args(["-H", &lab.docker_host])
        .args(args.iter().map(|arg| if *arg == "IMAGE" { &image } else { *arg }))
        .env("DOCKER_CONFIG", folder.path())
        .output()
        .expect("docker runs");
    assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The fields that a form was refused for.
fn fields<T: std::fmt::Debug>(outcome: Result<T, AppError>) -> Vec<String> {
    match outcome {
        Err(AppError::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn images_outlive_the_container_and_its_data() {
    let (Some(lab), Some(store)) = (Lab::find(), Store::find()) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    world.start();
    let prefix = prefix();
    let (id, _sweep) = created(&world, &lab, bucket(&store, &prefix)).await;
    let registry = get(&world, &id).await;
    let managed = registry.managed.as_ref().expect("Slipway runs it");
    assert!(matches!(&managed.storage, Storage::S3(place) if place.prefix == prefix), "{managed:?}");
    assert_eq!(managed.node, None, "nothing ties it to a node");
    let name = format!("slipway-registry-{}", id.short());
    assert!(in_docker(&lab, &id).iter().all(|found| !found.starts_with("volume")), "{:?}", in_docker(&lab, &id));

    docker(&world, &lab, &id, &["tag", "slipway-lab/base:1", "IMAGE"]).await;
    docker(&world, &lab, &id, &["push", "-q", "IMAGE"]).await;
    docker(&world, &lab, &id, &["image", "rm", "-f", "IMAGE"]).await;
    assert!(store.list(&format!("{prefix}/docker/registry/v2/")).await.contains("<Key>"), "it is below the prefix");

    // The container goes, with the volume that its image makes.
    let before = tasks(&lab, &id);
    let label = format!("label=com.docker.swarm.service.name={name}");
    let container = lab.docker(&["ps", "-q", "--filter", &label]);
    lab.docker(&["rm", "-f", "-v", container.trim()]);
    eventually(Duration::from_secs(90), "another task runs", || async {
        let now = tasks(&lab, &id);
        (now.len() == 1 && now != before && !lab.docker(&["ps", "-q", "--filter", &label]).is_empty()).then_some(())
    })
    .await;
    let target = world.registries.target(&id).await.expect("asked").expect("it is there");
    let client = slipway::oci::Client::new().expect("a client");
    eventually(Duration::from_secs(90), "it answers", || async { client.check(&target.access).await.ok() }).await;
    docker(&world, &lab, &id, &["pull", "-q", "IMAGE"]).await;
    docker(&world, &lab, &id, &["image", "rm", "-f", "IMAGE"]).await;

    // Nobody who may look at Docker learns the keys.
    let seen =
        lab.docker(&["service", "inspect", &name]) + &lab.docker(&["secret", "inspect", &format!("{name}-config-1")]);
    assert!(!seen.contains(&store.secret_key) && !seen.contains(&store.access_key), "{seen}");

    // An edit refuses keys that don't work, and brings those that do.
    let edit = ManagedForm { port: String::new(), ..bucket(&store, &prefix) };
    let wrong = ManagedForm { s3_secret_key: Secret::new("not-the-secret".into()), ..edit.clone() };
    let refused = world.registries.update_managed(&world.actor, &id, registry.version, wrong).await;
    assert_eq!(fields(refused), ["s3_secret_key"]);
    let job = world.registries.update_managed(&world.actor, &id, registry.version, edit).await.expect("asked for");
    succeeded(&world, &job.expect("it reaches the Swarm")).await;
    docker(&world, &lab, &id, &["pull", "-q", "IMAGE"]).await;
    docker(&world, &lab, &id, &["image", "rm", "-f", "IMAGE"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_bucket_sits_on_its_field_and_makes_nothing() {
    let (Some(lab), Some(store)) = (Lab::find(), Store::find()) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    let good = bucket(&store, &prefix());
    for (field, form) in [
        ("s3_access_key", ManagedForm { s3_access_key: Secret::new("AKIAIOSFODNN7EXAMPLE".into()), ..good.clone() }),
        ("s3_secret_key", ManagedForm { s3_secret_key: Secret::new("wrong".into()), ..good.clone() }),
        ("s3_bucket", ManagedForm { s3_bucket: "nobody-made-this".into(), ..good.clone() }),
        (
            "s3_endpoint",
            ManagedForm { s3_endpoint: format!("http://127.0.0.1:{}", crate::swarm::free_port()), ..good.clone() },
        ),
        ("s3_endpoint", ManagedForm { s3_endpoint: "http://store.invalid".into(), ..good.clone() }),
        ("s3_endpoint", ManagedForm { s3_internal: None, ..good.clone() }),
        ("s3_secret_key", ManagedForm { s3_secret_key: Secret::default(), ..good }),
    ] {
        let refused = world.registries.create_managed(&world.actor, form).await;
        assert_eq!(fields(refused), [field]);
    }
    assert!(world.registries.list(&world.actor).await.expect("listed").is_empty());
}
