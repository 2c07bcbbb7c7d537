//! A registry that is deleted while a build runs ends that build at once, and says so.

use super::house::{House, processes, until_gone};
use app::api::builds::BuildsApi as _;
use app::api::registries::RegistriesApi as _;
use app::error::AppError;
use app::model::registry::DeleteForm;
use slipway::clock::random;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_build_ends_at_once_when_its_registry_is_deleted() {
    let Some(house) = House::ready().await else { return };
    let seconds = format!("{}.5", 1_000 + u32::from(u16::from_le_bytes(random())));
    let text = house.dockerfile(&format!("RUN echo sleeping; sleep {seconds}"));
    let commit = house.commit("One", &[("Dockerfile", &text)]);
    let id = house.start().await;
    house.says(&id, "sleeping").await;
    let registry = house.get(&id).await.registry;
    let folder = house.builds_dir().to_string_lossy().into_owned();
    assert!(processes(&folder).iter().any(|line| line.contains("buildx")), "buildx runs");

    let asked = Instant::now();
    house.registries.delete(&house.actor, &registry, DeleteForm::default()).await.expect("a build is no obstacle");
    let problem = house.fails(&id).await;
    assert!(asked.elapsed() < Duration::from_secs(15), "{:?}", asked.elapsed());
    assert_eq!(problem.code, "registry.deleted");
    assert!(problem.cause.contains("Lab was deleted"), "{}", problem.cause);
    assert_eq!(problem.link.map(|link| link.href).as_deref(), Some("/registries"));
    assert!(processes(&folder).is_empty());
    until_gone(&format!("sleep {seconds}"), Duration::from_secs(5)).await;
    assert_eq!(house.in_registry(&commit).await, None);
    assert!(house.kept.deployed.lock().expect("a lock").is_empty());
}

/// The same while a managed registry is being taken out of the Swarm: its row is still there.
#[tokio::test]
async fn a_build_ends_when_its_registry_is_being_deleted() {
    let Some(house) = House::ready().await else { return };
    let text = house.dockerfile("RUN echo sleeping; sleep 1003.25");
    house.commit("One", &[("Dockerfile", &text)]);
    let id = house.start().await;
    house.says(&id, "sleeping").await;
    let registry = house.get(&id).await.registry;
    let mut tx = house.db.write().await.expect("a transaction");
    sqlx::query(
        "INSERT INTO managed_registries (id, phase, port, reach, wanted)
         VALUES (?, 'deleting', 5999, 'host', '{\"image\":\"x\",\"domain\":null,\"storage\":{\"volume\":{\"name\":\"v\"}}}')",
    )
    .bind(registry.as_str())
    .execute(&mut *tx)
    .await
    .expect("a managed registry");
    tx.commit().await.expect("a commit");
    assert_eq!(house.fails(&id).await.code, "registry.deleted");

    // And the next one doesn't even begin.
    let Err(AppError::Problem(problem)) = house.builds.start(&house.actor, &house.service, false, false).await else {
        panic!("it was accepted")
    };
    assert_eq!(problem.code, "registry.deleted");
    assert!(problem.cause.contains("Lab is being deleted"), "{}", problem.cause);
}
