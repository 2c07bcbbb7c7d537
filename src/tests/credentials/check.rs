//! Testing again: what was found is kept, with its reason.

use super::{CANARY, House, accepts_canary, form};
use crate::liar::{Liar, Reply};
use app::api::credentials::CredentialsApi as _;
use app::error::AppError;
use app::model::credential::CredentialState;
use app::model::id::CredentialId;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[tokio::test]
async fn a_revoked_password_is_noticed_and_so_is_its_return() {
    let revoked = Arc::new(AtomicBool::new(false));
    let is_revoked = revoked.clone();
    let registry = Liar::start(move |heard| {
        if is_revoked.load(Ordering::SeqCst) {
            Reply::challenge(&[r#"Basic realm="x""#])
        } else {
            accepts_canary(heard)
        }
    })
    .await;
    let house = House::open().await;
    let id = house.credentials.create(&house.actor, form("Main", &registry.host(), CANARY)).await.expect("created");

    revoked.store(true, Ordering::SeqCst);
    let checked = house.credentials.check(&house.actor, &id).await.expect("checked");
    let CredentialState::Fails(problem) = &checked.state else { panic!("{checked:?}") };
    assert_eq!(problem.code, "registry.wrong_credentials");
    assert_eq!(house.credentials.get(&house.actor, &id).await, Ok(checked.clone()), "what was found is kept");
    assert_eq!(checked.version, 1, "a test makes no open form stale");
    house.credentials.access(&id).await.expect("a failed test doesn't lock the password away");

    revoked.store(false, Ordering::SeqCst);
    let checked = house.credentials.check(&house.actor, &id).await.expect("checked");
    assert_eq!(checked.state, CredentialState::Works);
}

#[tokio::test]
async fn what_isnt_there_isnt_found() {
    let house = House::open().await;
    let id = CredentialId::from_random([9; 8]);
    let missing = AppError::NotFound("credential".into());
    assert_eq!(house.credentials.get(&house.actor, &id).await, Err(missing.clone()));
    assert_eq!(house.credentials.check(&house.actor, &id).await, Err(missing.clone()));
    assert_eq!(house.credentials.delete(&house.actor, &id).await, Err(missing.clone()));
    assert_eq!(
        house.credentials.update(&house.actor, &id, 1, form("A", "127.0.0.1:1", "x")).await,
        Err(missing.clone())
    );
    assert!(matches!(house.credentials.access(&id).await, Err(error) if error == missing));
}
