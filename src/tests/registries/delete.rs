//! Deleting: not while services push there or run from it, and the default only when another takes over.

use super::{house, registry};
use crate::credentials::{House, field_error};
use app::api::registries::RegistriesApi as _;
use app::error::AppError;
use app::model::id::{JobId, RegistryId};
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

/// Deletes the default with a successor's id typed.
async fn delete_with(house: &House, id: &RegistryId, successor: &str) -> Result<Option<JobId>, AppError> {
    let form = DeleteForm { successor: successor.to_owned(), ..DeleteForm::default() };
    house.registries.delete(&house.actor, id, form).await
}

#[tokio::test]
async fn the_default_goes_when_another_takes_over() {
    let (house, _liar, credential) = house().await;
    let first = house.registries.create(&house.actor, registry("First", &credential, false)).await.expect("created");
    let second = house.registries.create(&house.actor, registry("Second", &credential, false)).await.expect("created");
    let third = house.registries.create(&house.actor, registry("Third", &credential, false)).await.expect("created");
    for wrong in ["", first.as_str(), "reg_000000000009", "\u{1}"] {
        let error = field_error(delete_with(&house, &first, wrong).await);
        assert_eq!(error.field, "successor");
        assert!(error.message.contains("Second") && error.message.contains("Third"), "{error:?}");
        assert_eq!(house.registries.choose(None).await, Ok(Some(first.clone())), "nothing has changed");
    }
    assert_eq!(delete_with(&house, &first, third.as_str()).await, Ok(None));
    assert_eq!(house.registries.choose(None).await, Ok(Some(third.clone())));
    assert_eq!(
        house.count("SELECT count(*) FROM activity WHERE verb = 'registry.made_default' AND detail = 'Third'").await,
        1
    );

    // What isn't the default needs none, and the last one has none.
    assert_eq!(delete_with(&house, &second, "").await, Ok(None));
    assert_eq!(delete_with(&house, &third, "").await, Ok(None));
    assert_eq!(house.registries.list(&house.actor).await, Ok(vec![]));
    assert_eq!(house.registries.choose(None).await, Ok(None));
    assert_eq!(delete_with(&house, &third, "").await, Err(AppError::NotFound("registry".into())));
}

#[tokio::test]
async fn two_who_delete_at_once_leave_one_default() {
    let (house, _liar, credential) = house().await;
    let first = house.registries.create(&house.actor, registry("First", &credential, false)).await.expect("created");
    let second = house.registries.create(&house.actor, registry("Second", &credential, false)).await.expect("created");
    house.registries.create(&house.actor, registry("Third", &credential, false)).await.expect("created");
    let (one, other) = tokio::join!(delete_with(&house, &first, second.as_str()), delete_with(&house, &second, ""));
    assert!(one.is_ok(), "{one:?}");
    let left = house.registries.list(&house.actor).await.expect("a list");
    assert_eq!(left.iter().filter(|registry| registry.is_default).count(), 1, "{left:?}");
    assert_eq!(left.len(), if other.is_ok() { 1 } else { 2 });
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
    house.run("UPDATE jobs SET state = 'running'").await;
    house.registries.delete(&house.actor, &id, DeleteForm::default()).await.expect("a build is no obstacle");
    assert_eq!(house.count("SELECT count(*) FROM deployments").await, 1, "history stays");
    assert_eq!(house.registries.is_deleted(&id).await, Ok(true), "the build sees it");
}

#[tokio::test]
async fn a_deleted_service_holds_nothing() {
    let (house, _liar, credential) = house().await;
    let id = house.registries.create(&house.actor, registry("Main", &credential, false)).await.expect("created");
    service_with_deployment(&house, &id).await;
    house.run("UPDATE services SET registry_id = (SELECT id FROM registries), deleted_at = 1").await;
    assert_eq!(house.registries.is_deleted(&id).await, Ok(false));
    house.registries.delete(&house.actor, &id, DeleteForm::default()).await.expect("deleted");
    assert_eq!(house.count("SELECT count(*) FROM deployments").await, 1, "history stays");
}

/// Who builds there, by choice or because it is the default, and who runs from there.
#[tokio::test]
async fn users_are_named_with_what_they_use() {
    let (house, _liar, credential) = house().await;
    let id = house.registries.create(&house.actor, registry("Main", &credential, false)).await.expect("created");
    let other = house.registries.create(&house.actor, registry("Other", &credential, false)).await.expect("created");
    service_with_deployment(&house, &id).await;
    let users = async |id: &RegistryId| -> Vec<(String, bool, bool)> {
        let users = house.registries.users(&house.actor, id).await.expect("a list");
        users.into_iter().map(|user| (user.name, user.builds, user.runs)).collect()
    };
    let web = |builds, runs| vec![("web".to_owned(), builds, runs)];
    assert_eq!((users(&id).await, users(&other).await), (web(false, true), vec![]), "it isn't built at all");
    house.run("UPDATE services SET source = '{\"kind\":\"git\"}'").await;
    assert_eq!((users(&id).await, users(&other).await), (web(true, true), vec![]), "to the default");
    house.registries.make_default(&house.actor, &other).await.expect("moved");
    assert_eq!((users(&id).await, users(&other).await), (web(false, true), web(true, false)));
    house.run("UPDATE services SET registry_id = (SELECT id FROM registries WHERE name = 'Main')").await;
    assert_eq!((users(&id).await, users(&other).await), (web(true, true), vec![]), "by its own choice");
    house.run("UPDATE services SET deleted_at = 1").await;
    assert_eq!((users(&id).await, users(&other).await), (vec![], vec![]));
    let gone = RegistryId::from_random([9; 8]);
    assert_eq!(house.registries.users(&house.actor, &gone).await, Err(AppError::NotFound("registry".into())));
}
