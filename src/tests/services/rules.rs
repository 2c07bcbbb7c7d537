//! What creating and changing a service checks; no Docker needed.

use super::world::{World, form};
use app::api::services::ServicesApi as _;
use app::error::AppError;
use app::model::id::RegistryId;
use app::model::service::{ServiceForm, ServiceState};
use slipway::builds::Services as _;

async fn world() -> (tempfile::TempDir, World) {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), "unix:///nowhere/docker.sock").await;
    (folder, world)
}

fn field<T: std::fmt::Debug>(result: Result<T, AppError>) -> String {
    match result {
        Err(AppError::Invalid(errors)) => {
            errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect::<Vec<_>>().join("\n")
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn projects_are_made_when_new_and_slugs_stay_unique() {
    let (_folder, world) = world().await;
    let first = world.create(form("My shop", "Web")).await.expect("created");
    let second = world.create(form("my shop", "Worker")).await.expect("the same project");
    let third = world.create(form("My  shop!", "Web")).await.expect("another project with the same slug");
    let get = async |id| world.services.get(&world.actor, id).await.expect("there");
    assert_eq!(get(&first).await.project, get(&second).await.project);
    assert_eq!(get(&first).await.project_slug, "my-shop");
    assert_eq!(get(&third).await.project_slug, "my-shop-2");
    assert_eq!(world.services.projects(&world.actor).await.expect("listed").len(), 2);
    // Same slug, other name.
    let fourth = world.create(form("My shop", "web!")).await.expect("created");
    assert_eq!(get(&fourth).await.slug, "web-2");
    let list = world.services.list(&world.actor).await.expect("listed");
    assert_eq!(list.len(), 4);
    assert!(list.iter().all(|line| line.state == ServiceState::New && line.deployment.is_none()));
    let facts = world.services.facts(&first).await.expect("facts");
    assert_eq!((facts.slug.as_str(), facts.project_slug.as_str()), ("web", "my-shop"));
}

#[tokio::test]
async fn names_registries_and_ports_are_checked_at_their_fields() {
    let (_folder, world) = world().await;
    let web = ServiceForm { ports: "8080:80".into(), ..form("Shop", "Web") };
    world.create(web.clone()).await.expect("created");
    let said = field(world.create(web).await);
    assert!(said.contains("name: A service of this project"), "{said}");
    assert!(said.contains("ports: Port 8080 is published by Web in Shop already."), "{said}");
    // UDP and TCP don't disturb each other.
    world.create(ServiceForm { ports: "8080:80/udp".into(), ..form("Shop", "Dns") }).await.expect("created");
    let registry = RegistryId::from_random([3; 8]).to_string();
    let said = field(world.create(ServiceForm { registry, ..form("Shop", "Other") }).await);
    assert!(said.contains("registry: "), "{said}");
    assert_eq!(world.services.list(&world.actor).await.expect("listed").len(), 2, "nothing was half done");
}

#[tokio::test]
async fn local_repositories_stay_below_the_allowed_folders() {
    let (folder, world) = world().await;
    let allowed = folder.path().join("repositories");
    std::fs::create_dir_all(allowed.join("good")).expect("a folder");
    std::fs::create_dir_all(folder.path().join("outside")).expect("a folder");
    std::os::unix::fs::symlink(folder.path().join("outside"), allowed.join("link")).expect("a link");
    let with = |path: std::path::PathBuf| {
        let repository = path.display().to_string();
        ServiceForm { repository, ..form("Shop", "Web") }
    };
    for bad in ["outside", "repositories/link", "repositories/missing"] {
        let said = field(world.create(with(folder.path().join(bad))).await);
        assert!(said.starts_with("repository: "), "{said}");
    }
    world.create(with(allowed.join("good"))).await.expect("created");
}

#[tokio::test]
async fn an_edit_from_an_old_page_is_refused_and_environment_values_are_sealed() {
    let (folder, world) = world().await;
    let canary = "canary-5f0c1e";
    let with_env = ServiceForm { env: format!("API_TOKEN={canary}\nMODE=live"), ..form("Shop", "Web") };
    let id = world.create(with_env.clone()).await.expect("created");
    let service = world.services.get(&world.actor, &id).await.expect("there");
    assert_eq!(service.settings.env[0], ("API_TOKEN".into(), canary.into()));
    let renamed = ServiceForm { name: "Front".into(), ..with_env.clone() };
    world.services.update(&world.actor, &id, service.version, renamed).await.expect("changed");
    let late = world.services.update(&world.actor, &id, service.version, with_env.clone()).await;
    assert!(matches!(late, Err(AppError::Blocked(_))), "{late:?}");
    let changed = world.services.get(&world.actor, &id).await.expect("there");
    assert_eq!(
        (changed.name.as_str(), changed.slug.as_str(), changed.version),
        ("Front", "front", service.version + 1)
    );
    let moved = ServiceForm { project: "Elsewhere".into(), ..with_env };
    let said = field(world.services.update(&world.actor, &id, changed.version, moved).await);
    assert!(said.contains("project: "), "{said}");
    world.db.close().await;
    for file in ["state.db", "state.db-wal"] {
        let bytes = std::fs::read(folder.path().join(file)).unwrap_or_default();
        assert!(!bytes.windows(canary.len()).any(|window| window == canary.as_bytes()), "{file} has the value");
    }
}

#[tokio::test]
async fn a_deleted_service_is_out_of_lists_at_once() {
    let (_folder, world) = world().await;
    let id = world.create(form("Shop", "Web")).await.expect("created");
    world.services.delete(&world.actor, &id).await.expect("deleted");
    assert!(world.services.list(&world.actor).await.expect("listed").is_empty());
    assert!(matches!(world.services.get(&world.actor, &id).await, Err(AppError::NotFound(_))));
    assert!(matches!(world.services.facts(&id).await, Err(AppError::NotFound(_))));
    assert!(matches!(world.services.delete(&world.actor, &id).await, Err(AppError::NotFound(_))));
    world.create(form("Shop", "Web")).await.expect("the name is free again");
}
