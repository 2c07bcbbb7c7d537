//! Deleting: not while services push there or run from it, and not the default while others exist.

use super::{house, registry};
use crate::credentials::House;
use app::api::registries::RegistriesApi as _;
use app::error::AppError;
use app::model::id::RegistryId;
use app::model::registry::DeleteForm;

const SERVICE: &str = "srv_000000000001";

/// A service with a build and a deployment from the registry; their jobs are done.
pub async fn service_with_deployment(house: &House, registry: &RegistryId) {
    let mut tx = house.db.write().await.expect("a transaction");
    for sql in [
        "INSERT INTO projects (id, name, slug, created_at) VALUES ('prj_000000000001', 'Shop', 'shop', 0)",
        "INSERT INTO services (id, project_id, name, slug, source, settings, current_deployment, created_at, changed)
         VALUES ('srv_000000000001', 'prj_000000000001', 'web', 'web', '{}', '{}', 'dep_000000000001', 0, 0)",
        "INSERT INTO jobs (id, kind, payload, subject, lane, run_after, state, asked_by, created)
         VALUES ('job_000000000001', 'build', '{}', 'service:srv_000000000001', 'build', 0, 'succeeded', 'ada', 0)",
    ] {
        sqlx::query(sql).execute(&mut *tx).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    for sql in [
        "INSERT INTO builds (id, service_id, number, job_id, registry_id, deploys, created)
         VALUES ('bld_000000000001', 'srv_000000000001', 1, 'job_000000000001', ?, 0, 0)",
        "INSERT INTO deployments (id, service_id, number, job_id, image, registry_id, commit_sha, settings, origin, asked_by, created)
         VALUES ('dep_000000000001', 'srv_000000000001', 1, 'job_000000000001', 'x', ?, 'c0ffee', '{}', '{}', 'ada', 0)",
    ] {
        sqlx::query(sql).bind(registry.as_str()).execute(&mut *tx).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    tx.commit().await.expect("a commit");
}

/// Reasons and links of a refusal.
async fn blockers(house: &House, id: &RegistryId) -> Vec<(String, String)> {
    match house.registries.delete(&house.actor, id, DeleteForm::default()).await {
        Err(AppError::Blocked(blockers)) => {
            blockers.into_iter().map(|blocker| (blocker.reason, blocker.link.expect("a link").href)).collect()
        }
        other => panic!("not blocked: {other:?}"),
    }
}

#[tokio::test]
async fn the_default_goes_last() {
    let (house, _liar, credential) = house().await;
    let first = house.registries.create(&house.actor, registry("First", &credential, false)).await.expect("created");
    let second = house.registries.create(&house.actor, registry("Second", &credential, false)).await.expect("created");
    let why = blockers(&house, &first).await;
    assert!(why.len() == 1 && why[0].0.contains("default"), "{why:?}");
    house.registries.delete(&house.actor, &second, DeleteForm::default()).await.expect("deleted");
    house.registries.delete(&house.actor, &first, DeleteForm::default()).await.expect("the last one may go");
    assert_eq!(house.registries.list(&house.actor).await, Ok(vec![]));
    assert_eq!(house.registries.choose(None).await, Ok(None));
    assert_eq!(
        house.registries.delete(&house.actor, &first, DeleteForm::default()).await,
        Err(AppError::NotFound("registry".into()))
    );
}

#[tokio::test]
async fn what_is_in_use_stays_and_says_where() {
    let (house, _liar, credential) = house().await;
    let id = house.registries.create(&house.actor, registry("Main", &credential, false)).await.expect("created");
    service_with_deployment(&house, &id).await;

    let why = blockers(&house, &id).await;
    assert!(why.len() == 1 && why[0].0.contains("runs an image"), "{why:?}");
    assert_eq!(why[0].1, format!("/services/{SERVICE}"));

    house.run("UPDATE services SET current_deployment = NULL, registry_id = (SELECT id FROM registries)").await;
    let why = blockers(&house, &id).await;
    assert!(why.len() == 1 && why[0].0.contains("builds to it"), "{why:?}");
    assert_eq!(why[0].1, format!("/services/{SERVICE}/edit"));

    house.run("UPDATE services SET registry_id = NULL").await;
    for state in ["queued", "running", "cancelling"] {
        let mut tx = house.db.write().await.expect("a transaction");
        sqlx::query("UPDATE jobs SET state = ?").bind(state).execute(&mut *tx).await.expect("changed");
        tx.commit().await.expect("a commit");
        let why = blockers(&house, &id).await;
        assert!(why.len() == 1 && why[0].0.contains("web #1"), "{why:?}");
        assert_eq!(why[0].1, "/builds/bld_000000000001");
    }

    house.run("UPDATE jobs SET state = 'succeeded'").await;
    house.run("UPDATE services SET registry_id = (SELECT id FROM registries), deleted_at = 1").await;
    house.registries.delete(&house.actor, &id, DeleteForm::default()).await.expect("a deleted service holds nothing");
    assert_eq!(house.count("SELECT count(*) FROM deployments").await, 1, "history stays");
}
