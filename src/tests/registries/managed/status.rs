//! What the page shows, from memory and the database alone.

use super::probe::adopt;
use crate::credentials::{CANARY, House, accepts_canary, form};
use crate::liar::Liar;
use app::api::registries::RegistriesApi as _;
use app::error::AppError;
use app::model::id::RegistryId;
use app::model::registry::ManagedState;
use std::time::{Duration, Instant};

async fn house() -> (House, Liar, RegistryId) {
    let house = House::open().await;
    let liar = Liar::start(accepts_canary).await;
    let id = adopt(&house, &liar.host(), form("Ours", &liar.host(), CANARY), None).await;
    (house, liar, id)
}

async fn insert(house: &House, sql: &'static str, id: &RegistryId, at: i64, number: i64) {
    let mut tx = house.db.write().await.expect("a transaction");
    sqlx::query(sql).bind(id.as_str()).bind(at).bind(number).execute(&mut *tx).await.expect("a row");
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn a_status_asks_nobody() {
    let (house, liar, id) = house().await;
    let heard = liar.heard().len();
    let begun = Instant::now();
    let status = house.registries.status(&house.actor, &id).await.expect("a status");
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
    assert_eq!(liar.heard().len(), heard, "the registry wasn't asked");
    assert_eq!((status.state, status.looked_at), (ManagedState::Unknown, 0));
    assert!(status.tasks.is_empty() && status.probe.is_none() && status.usage.is_none());
    let external = RegistryId::from_random([9; 8]);
    let missing = house.registries.status(&house.actor, &external).await;
    assert!(matches!(missing, Err(AppError::NotFound(_))), "{missing:?}");
}

#[tokio::test]
async fn the_strip_is_a_day_of_probes_and_old_ones_go() {
    let (house, _liar, id) = house().await;
    let now = house.clock.seconds();
    let check = "INSERT INTO registry_checks (registry_id, at, ok, millis, problem)
                 VALUES (?1, ?2, ?3, 20, CASE ?3 WHEN 0 THEN 'It was down at ' || ?2 ELSE NULL END)";
    let slot = now / 1_800 * 1_800;
    for (at, ok) in [
        (slot - 2 * 1_800, 1),
        (slot - 2 * 1_800 + 60, 0),
        (slot - 2 * 1_800 + 120, 0),
        (slot - 1, 1),
        (slot - 2, 1),
        // Too old for the strip.
        (slot - 48 * 1_800, 0),
        // Too old to be kept.
        (now - 8 * 86_400, 0),
        // A clock that was set back.
        (now + 100_000, 0),
    ] {
        insert(&house, check, &id, at, ok).await;
    }
    let strip = house.registries.status(&house.actor, &id).await.expect("a status").uptime;
    assert_eq!(strip.len(), 48);
    assert!(strip.windows(2).all(|pair| pair[1].from - pair[0].from == 1_800), "all the same length");
    assert_eq!(strip[47].from, slot);
    assert_eq!((strip[46].good, strip[46].bad, strip[46].problem.as_deref()), (2, 0, None));
    let bad = &strip[45];
    assert_eq!((bad.good, bad.bad), (1, 2));
    assert_eq!(bad.problem, Some(format!("It was down at {}", slot - 2 * 1_800 + 60)), "what went wrong first");
    assert!(strip[..45].iter().all(|slot| slot.good + slot.bad == 0));

    house.registries.check(&house.actor, &id).await.expect("a status");
    let old = house.count("SELECT count(*) FROM registry_checks WHERE at < unixepoch() - 7 * 86400").await;
    assert_eq!(old, 0, "a week is kept");
}

#[tokio::test]
async fn growth_is_what_was_counted_oldest_first() {
    let (house, _liar, id) = house().await;
    let usage = "INSERT INTO registry_usage (registry_id, at, repositories, tags, bytes, shared)
                 VALUES (?1, ?2, 1, 2, ?3, 4)";
    for (at, bytes) in [(3_600, 10), (10_800, 30), (7_200, 20)] {
        insert(&house, usage, &id, at, bytes).await;
    }
    let status = house.registries.status(&house.actor, &id).await.expect("a status");
    assert_eq!(status.growth, [(3_600, 10), (7_200, 20), (10_800, 30)]);
    let newest = status.usage.expect("counted");
    assert_eq!((newest.at, newest.bytes, newest.tags, newest.shared), (10_800, 30, 2, 4));
}
