//! The look in the background: by the clock, one credential at a time, and no more often.

use super::{CANARY, House, accepts_canary, form};
use crate::liar::{Liar, Reply};
use app::api::credentials::CredentialsApi as _;
use app::model::credential::CredentialState;
use app::model::report::{Check, Lamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn every_six_hours_and_not_before() {
    let mood = Arc::new(AtomicU8::new(0));
    let seen = mood.clone();
    let liar = Liar::start(move |heard| match seen.load(Ordering::SeqCst) {
        0 => accepts_canary(heard),
        1 => Reply::challenge(&[r#"Basic realm="x""#]),
        _ => Reply::Hang,
    })
    .await;
    let house = House::open().await;
    let id = house.credentials.create(&house.actor, form("Main", &liar.host(), CANARY)).await.expect("created");
    let asked = liar.heard().len();
    assert_eq!(house.credentials.look().await, Ok(0), "it was tested as it was saved");
    house.clock.advance(HOUR * 5);
    assert_eq!(house.credentials.look().await, Ok(0));
    assert_eq!(liar.heard().len(), asked, "the registry was asked before its time");

    // Revoked meanwhile: the next look notices it, and doesn't try the wrong password again and again.
    mood.store(1, Ordering::SeqCst);
    house.clock.advance(HOUR * 2);
    assert_eq!(house.credentials.look().await, Ok(1));
    let credential = house.credentials.get(&house.actor, &id).await.expect("is there");
    assert!(
        matches!(&credential.state, CredentialState::Fails(problem) if problem.code == "registry.wrong_credentials")
    );
    assert_eq!(credential.version, 1, "a look makes no open form stale");
    house.clock.advance(HOUR * 5);
    assert_eq!(house.credentials.look().await, Ok(0));

    // A registry that is away is looked at again soon.
    mood.store(2, Ordering::SeqCst);
    house.clock.advance(HOUR * 2);
    assert_eq!(house.credentials.look().await, Ok(1));
    mood.store(0, Ordering::SeqCst);
    assert_eq!(house.credentials.look().await, Ok(0));
    house.clock.advance(HOUR);
    assert_eq!(house.credentials.look().await, Ok(1));
    let credential = house.credentials.get(&house.actor, &id).await.expect("is there");
    assert_eq!(credential.state, CredentialState::Works);
}

#[tokio::test]
async fn many_are_spread_and_all_get_their_turn() {
    let liar = Liar::start(accepts_canary).await;
    let house = House::open().await;
    for n in 0..8 {
        house.credentials.create(&house.actor, form(&format!("C{n}"), &liar.host(), CANARY)).await.expect("created");
    }
    house.clock.advance(HOUR * 6 + Duration::from_secs(600));
    let first = house.credentials.look().await.expect("looked");
    assert!(first < 8, "all at once");
    house.clock.advance(HOUR / 2);
    assert_eq!(house.credentials.look().await, Ok(8 - first));
}

#[tokio::test]
async fn the_loop_looks_and_ends_when_told() {
    let liar = Liar::start(accepts_canary).await;
    let house = House::open().await;
    let id = house.credentials.create(&house.actor, form("Main", &liar.host(), CANARY)).await.expect("created");
    house.clock.advance(HOUR * 7);
    let stop = CancellationToken::new();
    let (credentials, told) = (house.credentials.clone(), stop.clone());
    let watch = tokio::spawn(async move { credentials.watch(told).await });
    let looked = async {
        while house.credentials.get(&house.actor, &id).await.expect("is there").report.is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), looked).await.expect("it looked");
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), watch).await.expect("it ended").expect("without a panic");
}

/// Some registries keep a trace of an upload session, so the background opens none; the last answer stays.
#[tokio::test]
async fn the_right_to_push_is_tried_when_asked_alone() {
    let liar = Liar::start(|heard| match (accepts_canary(heard), heard.method.as_str()) {
        (Reply::Answer(200, ..), "POST") => Reply::status(202).with("location", "/v2/slipway/probe/blobs/uploads/1"),
        (reply, _) => reply,
    })
    .await;
    let posts = |liar: &Liar| liar.heard().iter().filter(|heard| heard.method == "POST").count();
    let house = House::open().await;
    let id = house.credentials.create(&house.actor, form("Main", &liar.host(), CANARY)).await.expect("created");
    let push = async || {
        let credential = house.credentials.get(&house.actor, &id).await.expect("is there");
        let light = credential.report.expect("a report").lights.pop().expect("a light");
        assert_eq!(light.check, Check::Push);
        light
    };
    house.clock.advance(HOUR * 7);
    assert_eq!(house.credentials.look().await, Ok(1));
    assert_eq!((push().await.lamp, posts(&liar)), (Lamp::Dark, 0));

    house.credentials.check(&house.actor, &id).await.expect("examined");
    let asked = posts(&liar);
    assert!(push().await.lamp == Lamp::Green && asked > 0);
    for _ in 0..2 {
        house.clock.advance(HOUR * 7);
        assert_eq!(house.credentials.look().await, Ok(1));
        let light = push().await;
        assert_eq!((light.lamp, posts(&liar)), (Lamp::Green, asked));
        assert_eq!(light.found.matches("At the last").count(), 1, "{light:?}");
    }
}
