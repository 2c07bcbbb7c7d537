//! Credentials of registries that Slipway runs: their registry has them in its hand, nobody else.

use super::{CANARY, House, Told, assert_no_canary, form, honest};
use app::api::credentials::CredentialsApi as _;
use app::error::AppError;
use app::model::credential::{CredentialState, RegistryUrl};
use app::model::id::{CredentialId, RegistryId};
use app::model::secret::Secret;
use std::sync::Arc;
use std::time::Duration;

const PHASE: &str = "UPDATE managed_registries SET phase = ";

/// A managed registry's rows with its credential, as their creation writes them.
async fn owned(house: &House, url: &RegistryUrl, name: &str, password: &str) -> (RegistryId, CredentialId) {
    let owner = RegistryId::from_random(slipway::clock::random());
    let mut tx = house.db.write().await.expect("a transaction");
    let password = Secret::new(password.into());
    let id = house
        .credentials
        .create_owned(&mut tx, &owner, name, url.clone(), "deploy", &password)
        .await
        .expect("a credential");
    sqlx::query("INSERT INTO registries (id, name, credential_id, is_default, created_at) VALUES (?, ?, ?, 0, 0)")
        .bind(owner.as_str())
        .bind(name)
        .bind(id.as_str())
        .execute(&mut *tx)
        .await
        .expect("a registry");
    sqlx::query(
        "INSERT INTO managed_registries (id, phase, port, reach, wanted)
         VALUES (?, 'creating', 5999, 'host', '{\"image\":\"registry:2\",\"domain\":null,\"storage\":{\"volume\":{\"name\":\"v\"}}}')",
    )
    .bind(owner.as_str())
    .execute(&mut *tx)
    .await
    .expect("a managed registry");
    tx.commit().await.expect("a commit");
    (owner, id)
}

#[tokio::test]
async fn a_taken_name_gets_a_number_and_nothing_is_tried() {
    let house = House::open().await;
    let registry = honest().await;
    house.credentials.create(&house.actor, form("Main", &registry.host(), CANARY)).await.expect("created");
    let heard = registry.heard().len();
    let (owner, id) = owned(&house, &registry.url(), "main", CANARY).await;
    let made = house.credentials.get(&house.actor, &id).await.expect("is there");
    assert_eq!((made.name.as_str(), made.owned_by), ("main 2", Some(owner)));
    assert_eq!((made.state, made.trust.internal), (CredentialState::Works, true));
    assert_eq!(registry.heard().len(), heard, "it doesn't run yet, so it isn't asked");
    let login = house.credentials.access(&id).await.expect("opens").login.expect("a login");
    assert_eq!((login.username.as_str(), login.password.expose("the test compares it")), ("deploy", CANARY));
}

#[tokio::test]
async fn it_isnt_changed_or_deleted_by_hand() {
    let house = House::open().await;
    let registry = honest().await;
    let (owner, id) = owned(&house, &registry.url(), "Ours", CANARY).await;
    let changed = house.credentials.update(&house.actor, &id, 1, form("Mine", &registry.host(), "other")).await;
    let deleted = house.credentials.delete(&house.actor, &id).await;
    for outcome in [changed, deleted] {
        let Err(AppError::Blocked(blockers)) = outcome else { panic!("{outcome:?}") };
        assert!(blockers.len() == 1 && blockers[0].reason.contains("Ours"), "{blockers:?}");
        assert_eq!(blockers[0].link.as_ref().map(|link| link.href.clone()), Some(format!("/registries/{owner}")));
    }
    assert_eq!(house.credentials.get(&house.actor, &id).await.expect("is there").name, "Ours");

    let mut tx = house.db.write().await.expect("a transaction");
    sqlx::query("DELETE FROM registries").execute(&mut *tx).await.expect("deleted");
    house.credentials.delete_owned(&mut tx, &owner).await.expect("deleted");
    house.credentials.delete_owned(&mut tx, &owner).await.expect("twice is no mistake");
    tx.commit().await.expect("a commit");
    assert_eq!(house.credentials.list(&house.actor).await, Ok(vec![]));
    assert_eq!(house.count("SELECT count(*) FROM secrets").await, 0, "the sealed password stayed behind");
    assert_no_canary(&house.bytes_on_disk(), "the database");
}

#[tokio::test]
async fn another_password_reaches_its_users_or_isnt_kept() {
    let house = House::open().await;
    let registry = honest().await;
    let (owner, id) = owned(&house, &registry.url(), "Ours", "before").await;
    let told = Arc::new(Told::default());
    house.credentials.set_users(told.clone());
    let new = Secret::new(CANARY.into());

    told.refuses.store(true, std::sync::atomic::Ordering::SeqCst);
    let mut tx = house.db.write().await.expect("a transaction");
    let outcome = house.credentials.set_owned_password(&mut tx, &owner, &new, "ada").await;
    assert!(matches!(outcome, Err(AppError::Internal { .. })), "{outcome:?}");
    drop(tx);
    let login = house.credentials.access(&id).await.expect("opens").login.expect("a login");
    assert_eq!(login.password.expose("the test compares it"), "before");

    told.refuses.store(false, std::sync::atomic::Ordering::SeqCst);
    for _ in 0..2 {
        let mut tx = house.db.write().await.expect("a transaction");
        house.credentials.set_owned_password(&mut tx, &owner, &new, "ada").await.expect("kept");
        tx.commit().await.expect("a commit");
    }
    let login = house.credentials.access(&id).await.expect("opens").login.expect("a login");
    assert_eq!(login.password.expose("the test compares it"), CANARY);
    assert_eq!(*told.log.lock().expect("a lock"), [(id.to_string(), "ada".to_owned())], "the same again isn't news");
    let version = house.credentials.get(&house.actor, &id).await.expect("is there").version;
    assert_eq!(version, 2, "what was read with the login of before is noticed by its version");
    assert_eq!(house.count("SELECT count(*) FROM activity WHERE verb = 'credential.changed'").await, 1);
}

/// A registry that is being made, or unmade, doesn't answer; nobody needs to hear of it.
#[tokio::test]
async fn it_isnt_looked_at_while_its_registry_doesnt_run() {
    let house = House::open().await;
    let url = format!("http://127.0.0.1:{}", crate::swarm::free_port()).parse().expect("an address");
    let (owner, id) = owned(&house, &url, "Ours", CANARY).await;
    house.clock.advance(Duration::from_secs(9 * 3_600));
    for phase in ["'creating'", "'failed'", "'deleting'"] {
        let mut tx = house.db.write().await.expect("a transaction");
        let sql = format!("{PHASE}{phase}");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *tx).await.expect("changed");
        tx.commit().await.expect("a commit");
        assert_eq!(house.credentials.look().await, Ok(0), "{phase}");
        let asked = house.credentials.check(&house.actor, &id).await;
        assert!(matches!(&asked, Err(AppError::Problem(problem)) if problem.code == "credential.resting"), "{asked:?}");
        assert_eq!(
            house.credentials.get(&house.actor, &id).await.expect("is there").state,
            CredentialState::Works,
            "{phase}"
        );
    }
    house.run("UPDATE managed_registries SET phase = 'running'").await;
    assert_eq!(house.credentials.look().await, Ok(1));
    let seen = house.credentials.get(&house.actor, &id).await.expect("is there");
    assert!(matches!(&seen.state, CredentialState::Fails(problem) if problem.code == "registry.refused"), "{seen:?}");

    let registry = honest().await;
    let url = registry.url().to_string();
    let mut tx = house.db.write().await.expect("a transaction");
    sqlx::query("UPDATE credentials SET url = ?").bind(url).execute(&mut *tx).await.expect("changed");
    tx.commit().await.expect("a commit");
    house.credentials.examine_owned(&owner).await.expect("looked at");
    let seen = house.credentials.get(&house.actor, &id).await.expect("is there");
    assert_eq!(seen.state, CredentialState::Works);
}
