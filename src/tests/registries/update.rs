//! Creating and changing: names, base paths, credentials, stale forms.

use super::{house, registry};
use crate::credentials::{CANARY, field_error, form, honest};
use app::api::credentials::CredentialsApi as _;
use app::api::registries::RegistriesApi as _;
use app::error::AppError;
use app::model::id::CredentialId;
use app::model::registry::DeleteForm;

#[tokio::test]
async fn bad_fields_are_named() {
    let (house, _liar, credential) = house().await;
    house.registries.create(&house.actor, registry("Taken", &credential, false)).await.expect("created");
    let mut bad_path = registry("Main", &credential, false);
    bad_path.base_path = "Team/Images".into();
    let mut climbing = registry("Main", &credential, false);
    climbing.base_path = "a/../b".into();
    let gone = CredentialId::from_random([9; 8]);
    let mut no_credential = registry("Main", &credential, false);
    no_credential.credential = String::new();
    for (form, field) in [
        (registry("", &credential, false), "name"),
        (registry("tAKEN", &credential, false), "name"),
        (bad_path, "base_path"),
        (climbing, "base_path"),
        (no_credential, "credential"),
        (registry("Main", &gone, false), "credential"),
    ] {
        let told = format!("{form:?}");
        assert_eq!(field_error(house.registries.create(&house.actor, form).await).field, field, "{told}");
    }
    assert_eq!(house.registries.list(&house.actor).await.expect("a list").len(), 1);
}

#[tokio::test]
async fn docker_hub_needs_a_namespace() {
    let (house, _liar, credential) = house().await;
    let id = house.registries.create(&house.actor, registry("Main", &credential, false)).await.expect("created");
    let moved = house.credentials.update(&house.actor, &credential, 1, form("Main", "docker.io", CANARY)).await;
    assert_eq!(field_error(moved).field, "url", "its registry has no base path");
    house.registries.delete(&house.actor, &id, DeleteForm::default()).await.expect("deleted");
    house.run("UPDATE credentials SET url = 'https://docker.io'").await;
    let mut form = registry("Hub", &credential, false);
    assert_eq!(field_error(house.registries.create(&house.actor, form.clone()).await).field, "base_path");
    form.base_path = "acme".into();
    house.registries.create(&house.actor, form).await.expect("created");
}

#[tokio::test]
async fn a_change_keeps_the_default_and_refuses_stale_forms() {
    let (house, _liar, credential) = house().await;
    let id = house.registries.create(&house.actor, registry("Main", &credential, true)).await.expect("created");
    house.registries.create(&house.actor, registry("Other", &credential, false)).await.expect("created");
    let mut form = registry("Renamed", &credential, false);
    form.base_path = "team".into();
    house.registries.update(&house.actor, &id, 1, form.clone()).await.expect("changed");
    let changed = house.registries.get(&house.actor, &id).await.expect("is there");
    assert_eq!((changed.name.as_str(), changed.version, changed.is_default), ("Renamed", 2, true));

    let stale = house.registries.update(&house.actor, &id, 1, form).await;
    assert!(matches!(&stale, Err(AppError::Blocked(why)) if why[0].reason.contains("meanwhile")), "{stale:?}");
    let taken = house.registries.update(&house.actor, &id, 2, registry("other", &credential, false)).await;
    assert_eq!(field_error(taken).field, "name");
    let gone = app::model::id::RegistryId::from_random([9; 8]);
    let gone = house.registries.update(&house.actor, &gone, 1, registry("X", &credential, false)).await;
    assert_eq!(gone, Err(AppError::NotFound("registry".into())));
}

/// Images don't move with an address: what services may roll back to keeps its host and its password.
#[tokio::test]
async fn a_registry_with_images_stays_at_its_host() {
    let (house, liar, credential) = house().await;
    let id = house.registries.create(&house.actor, registry("Main", &credential, true)).await.expect("created");
    let elsewhere = honest().await;
    let other =
        house.credentials.create(&house.actor, form("Other", &elsewhere.host(), CANARY)).await.expect("created");
    super::delete::service_with_deployment(&house, &id).await;

    let moved = house.registries.update(&house.actor, &id, 1, registry("Main", &other, true)).await;
    assert_eq!(field_error(moved).field, "credential");
    let moved = house.credentials.update(&house.actor, &credential, 1, form("Main", &elsewhere.host(), CANARY)).await;
    assert_eq!(field_error(moved).field, "url");

    let twin = house.credentials.create(&house.actor, form("Twin", &liar.host(), CANARY)).await.expect("created");
    house.registries.update(&house.actor, &id, 1, registry("Main", &twin, true)).await.expect("same host");
}

/// A registry that Slipway runs goes with its credential, so nothing else may hang on that.
#[tokio::test]
async fn the_credential_of_a_managed_registry_is_its_own() {
    let (house, liar, _) = house().await;
    let owner = app::model::id::RegistryId::from_random([7; 8]);
    let password = app::model::secret::Secret::new(CANARY.into());
    let mut tx = house.db.write().await.expect("a transaction");
    let owned = house
        .credentials
        .create_owned(&mut tx, &owner, "Ours", liar.url(), "slipway", &password)
        .await
        .expect("a credential");
    tx.commit().await.expect("a commit");
    let made = house.registries.create(&house.actor, registry("Main", &owned, false)).await;
    assert_eq!(field_error(made).field, "credential");
}
