//! Who runs with a credential is told when its login changes, in the same transaction; and when an exchanged one is renewed.

use super::{CANARY, House, Told, form, honest};
use crate::liar::{Liar, Reply};
use app::api::credentials::CredentialsApi as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use slipway::providers::Endpoints;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[tokio::test]
async fn a_new_login_is_told_and_nothing_else() {
    let house = House::open().await;
    let told = Arc::new(Told::default());
    house.credentials.set_users(told.clone());
    let home = honest().await;
    let id = house.credentials.create(&house.actor, form("Main", &home.host(), CANARY)).await.expect("created");
    house.credentials.update(&house.actor, &id, 1, form("Renamed", &home.host(), "")).await.expect("renamed");
    house.credentials.update(&house.actor, &id, 2, form("Main", &home.host(), "wrong")).await.expect_err("refused");
    assert_eq!(told.count(), 0, "nobody's login changed");

    house.credentials.update(&house.actor, &id, 2, form("Main", &home.host(), CANARY)).await.expect("rotated");
    assert_eq!(*told.log.lock().expect("a lock"), [(id.to_string(), "ada".to_owned())]);

    // Either both happen or neither.
    told.refuses.store(true, Ordering::SeqCst);
    let before = house.credentials.get(&house.actor, &id).await;
    house.credentials.update(&house.actor, &id, 3, form("Other", &home.host(), CANARY)).await.expect_err("refused");
    assert_eq!(house.credentials.get(&house.actor, &id).await, before);
}

/// AWS gives a password for twelve hours; the one that was handed on is replaced before it ends, and not more often.
#[tokio::test]
async fn an_exchanged_login_is_handed_on_when_it_was_renewed() {
    let granted = Arc::new(AtomicUsize::new(0));
    let count = granted.clone();
    let aws = Liar::start(move |_| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        let token = STANDARD.encode(format!("AWS:password-{number}"));
        Reply::json(200, &format!(r#"{{"authorizationData":[{{"authorizationToken":"{token}"}}]}}"#))
    })
    .await;
    let house = House::open_with(Endpoints { ecr: format!("http://{}", aws.host()), ..Endpoints::default() }).await;
    let told = Arc::new(Told::default());
    house.credentials.set_users(told.clone());
    let home = honest().await;
    house.credentials.create(&house.actor, form("Main", &home.host(), CANARY)).await.expect("created");
    house.credentials.look().await.expect("looked");
    assert_eq!(told.count(), 0, "a login that isn't exchanged is nobody's news");

    // Examined never again in this test: the registry itself isn't there.
    house
        .run(
            "UPDATE credentials SET provider = 'ecr', checked_at = checked_at + 1000000, \
             url = 'https://123456789012.dkr.ecr.eu-central-1.amazonaws.com'",
        )
        .await;
    let mut renewed = Vec::new();
    for quarter in 0..4 * 24 {
        house.credentials.look().await.expect("looked");
        if told.count() > renewed.len() {
            renewed.push(quarter / 4);
        }
        house.clock.advance(Duration::from_secs(900));
    }
    assert_eq!(told.count(), granted.load(Ordering::SeqCst), "each password is handed on once");
    assert!(renewed[0] == 0 && renewed.len() >= 3, "{renewed:?}");
    assert!(
        renewed.windows(2).all(|pair| (10..12).contains(&(pair[1] - pair[0]))),
        "before the twelve hours: {renewed:?}"
    );
    assert!(told.log.lock().expect("a lock").iter().all(|(_, by)| by == "slipway"));
}
