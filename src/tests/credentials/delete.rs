//! Deleting: not while registries sign in with it; and then without a trace of the password.

use super::{CANARY, House, assert_no_canary, form, honest};
use app::api::credentials::CredentialsApi as _;
use app::api::registries::RegistriesApi as _;
use app::error::AppError;
use app::model::registry::DeleteForm;
use app::model::registry::RegistryForm;

/// R15.
#[tokio::test]
async fn a_used_credential_stays_and_names_its_users() {
    let house = House::open().await;
    let registry = honest().await;
    let id = house.credentials.create(&house.actor, form("Main", &registry.host(), CANARY)).await.expect("created");
    let user = RegistryForm {
        name: "Images".into(),
        credential: id.to_string(),
        base_path: String::new(),
        is_default: None,
        platforms: String::new(),
    };
    let user = house.registries.create(&house.actor, user).await.expect("created");
    assert_eq!(house.credentials.get(&house.actor, &id).await.expect("is there").used_by, ["Images"]);

    let error = house.credentials.delete(&house.actor, &id).await.expect_err("blocked");
    let AppError::Blocked(blockers) = error else { panic!("{error:?}") };
    assert!(blockers[0].reason.contains("Images"), "{blockers:?}");
    assert_eq!(blockers[0].link.as_ref().map(|link| link.href.clone()), Some(format!("/registries/{user}")));
    house.credentials.access(&id).await.expect("still opens");

    house.registries.delete(&house.actor, &user, DeleteForm::default()).await.expect("deleted");
    house.credentials.delete(&house.actor, &id).await.expect("deleted");
    assert_eq!(house.credentials.list(&house.actor).await, Ok(vec![]));
    assert_eq!(house.count("SELECT count(*) FROM secrets").await, 0, "the sealed password stayed behind");
    assert_no_canary(&house.bytes_on_disk(), "the database");
}

/// Services that pull with it directly hold it too, and are named with their place.
#[tokio::test]
async fn a_credential_of_a_service_stays() {
    let house = House::open().await;
    let registry = honest().await;
    let id = house.credentials.create(&house.actor, form("Main", &registry.host(), CANARY)).await.expect("created");
    house.run("INSERT INTO projects (id, name, slug, created_at) VALUES ('prj_000000000001', 'Shop', 'shop', 1)").await;
    house
        .run(
            "INSERT INTO services (id, project_id, name, slug, source, settings, created_at, changed, credential_id) \
             SELECT 'srv_000000000001', 'prj_000000000001', 'web', 'web', '{}', '{}', 1, 1, id FROM credentials",
        )
        .await;
    let credential = house.credentials.get(&house.actor, &id).await.expect("is there");
    assert_eq!(credential.services.len(), 1, "{credential:?}");
    assert_eq!(credential.services[0].1, "web");
    let AppError::Blocked(blockers) = house.credentials.delete(&house.actor, &id).await.expect_err("blocked") else {
        panic!("not blocked")
    };
    assert!(blockers[0].reason.contains("web"), "{blockers:?}");
    assert_eq!(blockers[0].link.as_ref().map(|link| link.href.as_str()), Some("/services/srv_000000000001"));
    let moved = house.credentials.update(&house.actor, &id, 1, form("Main", "localhost:5999", CANARY)).await;
    assert!(matches!(&moved, Err(AppError::Invalid(errors)) if errors[0].field == "url"), "{moved:?}");

    house.run("UPDATE services SET credential_id = NULL, deleted_at = 2").await;
    house.credentials.delete(&house.actor, &id).await.expect("deleted");
}
