//! Changing: the kept password goes nowhere new, and nobody's change is lost.

use super::{CANARY, House, actor, assert_no_canary, field_error, form, honest};
use app::api::credentials::CredentialsApi as _;
use app::error::AppError;

#[tokio::test]
async fn an_empty_password_keeps_the_old_one_at_its_address_alone() {
    let house = House::open().await;
    let (home, other) = (honest().await, honest().await);
    let id = house.credentials.create(&house.actor, form("Main", &home.host(), CANARY)).await.expect("created");

    house.credentials.update(&house.actor, &id, 1, form("Renamed", &home.host(), "")).await.expect("renamed");
    let access = house.credentials.access(&id).await.expect("opens");
    let login = access.login.expect("a login");
    assert_eq!(login.password.expose("the test compares it"), CANARY);

    for url in [other.host(), format!("https://{}", home.host()), home.host().replace("127.0.0.1", "localhost")] {
        let error = field_error(house.credentials.update(&house.actor, &id, 2, form("Renamed", &url, "")).await);
        assert_eq!(error.field, "password", "{url}: {error:?}");
    }
    assert!(other.heard().is_empty(), "the kept password may have gone elsewhere: {:?}", other.heard());

    house.credentials.update(&house.actor, &id, 2, form("Renamed", &other.host(), CANARY)).await.expect("moved");
    let credential = house.credentials.get(&house.actor, &id).await.expect("is there");
    assert_eq!((credential.url, credential.version), (other.url(), 3));

    let details: Vec<String> =
        sqlx::query_scalar("SELECT detail FROM activity WHERE verb = 'credential.changed' ORDER BY id")
            .fetch_all(house.db.read())
            .await
            .expect("the record");
    assert_eq!(details, ["name", "url, password"], "the record names fields, never values");
    assert_no_canary(&house.bytes_on_disk(), "the database");
}

#[tokio::test]
async fn a_change_that_the_registry_refuses_changes_nothing() {
    let house = House::open().await;
    let home = honest().await;
    let id = house.credentials.create(&house.actor, form("Main", &home.host(), CANARY)).await.expect("created");
    let before = house.credentials.get(&house.actor, &id).await;
    let outcome = house.credentials.update(&house.actor, &id, 1, form("New", &home.host(), "wrong")).await;
    assert_eq!(field_error(outcome).field, "password");
    assert_eq!(house.credentials.get(&house.actor, &id).await, before);
    let access = house.credentials.access(&id).await.expect("opens");
    let login = access.login.expect("a login");
    assert_eq!(login.password.expose("the test compares it"), CANARY);
}

/// X6: of two people who saw the same version one wins, and the other is told.
#[tokio::test]
async fn a_stale_form_overwrites_nothing() {
    let house = House::open().await;
    let home = honest().await;
    let id = house.credentials.create(&house.actor, form("Main", &home.host(), CANARY)).await.expect("created");
    let (ada, bob) = (actor(), actor());
    let outcomes = tokio::join!(
        house.credentials.update(&ada, &id, 1, form("Ada's", &home.host(), "")),
        house.credentials.update(&bob, &id, 1, form("Bob's", &home.host(), "")),
    );
    let (winner, loser) = match outcomes {
        (Ok(()), Err(error)) => ("Ada's", error),
        (Err(error), Ok(())) => ("Bob's", error),
        both => panic!("{both:?}"),
    };
    assert!(matches!(&loser, AppError::Blocked(why) if why[0].reason.contains("meanwhile")), "{loser:?}");
    let credential = house.credentials.get(&house.actor, &id).await.expect("is there");
    assert_eq!((credential.name.as_str(), credential.version), (winner, 2));
}
