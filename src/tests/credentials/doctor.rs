//! The doctor: which light turns which colour, with whose words, and what it leaves behind.

use super::{CANARY, House, accepts_canary, assert_no_canary, form};
use crate::lab::Lab;
use crate::liar::{Heard, Liar, Reply};
use app::api::credentials::CredentialsApi as _;
use app::model::credential::{Credential, CredentialState};
use app::model::report::{Check, Lamp, Light};
use app::model::secret::Secret;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

fn lamps(credential: &Credential) -> Vec<Lamp> {
    let report = credential.report.as_ref().expect("a report");
    let checks: Vec<Check> = report.lights.iter().map(|light| light.check).collect();
    assert_eq!(checks, Check::ALL, "one light for each check, in order");
    report.lights.iter().map(|light| light.lamp).collect()
}

fn light(credential: &Credential, check: Check) -> &Light {
    let report = credential.report.as_ref().expect("a report");
    report.lights.iter().find(|light| light.check == check).expect("a light")
}

/// Signs in as [`accepts_canary`] does; then it is a small registry.
fn registry(heard: &Heard) -> Reply {
    match accepts_canary(heard) {
        Reply::Answer(200, ..) => {}
        refused => return refused,
    }
    match (heard.method.as_str(), heard.path()) {
        ("GET", "/v2/") => Reply::json(200, "{}"),
        ("GET", "/v2/_catalog") => Reply::json(200, r#"{"repositories":["empty","team/web"]}"#),
        ("GET", "/v2/empty/tags/list") => Reply::json(200, r#"{"name":"empty","tags":null}"#),
        ("GET", "/v2/team/web/tags/list") => Reply::json(200, r#"{"name":"team/web","tags":["1.0","latest"]}"#),
        ("HEAD", "/v2/team/web/manifests/1.0") => Reply::status(200)
            .with("content-type", "application/vnd.oci.image.index.v1+json")
            .with("docker-content-digest", format!("sha256:{}", "ab".repeat(32))),
        ("POST", "/v2/slipway/probe/blobs/uploads/") => {
            Reply::status(202).with("location", "/v2/slipway/probe/blobs/uploads/session-1")
        }
        ("DELETE", "/v2/slipway/probe/blobs/uploads/session-1") => Reply::status(204),
        _ => Reply::json(404, r#"{"errors":[{"code":"NAME_UNKNOWN","message":"unknown here"}]}"#),
    }
}

#[tokio::test]
async fn all_green_and_nothing_left_behind() {
    let house = House::open().await;
    let liar = Liar::start(registry).await;
    let id = house.credentials.create(&house.actor, form("Main", &liar.host(), CANARY)).await.expect("created");
    assert_eq!(
        house.credentials.get(&house.actor, &id).await.expect("is there").report,
        None,
        "saving tests the sign-in"
    );

    let checked = house.credentials.check(&house.actor, &id).await.expect("examined");
    assert_eq!(lamps(&checked), [Lamp::Green; 7], "{:?}", checked.report);
    assert_eq!(checked.state, CredentialState::Works);
    assert!(light(&checked, Check::List).found.contains("2 repositories"), "{checked:?}");
    assert!(light(&checked, Check::Pull).found.contains("team/web:1.0"), "{checked:?}");
    let heard = liar.heard();
    let is_write = |heard: &&Heard| !matches!(heard.method.as_str(), "GET" | "HEAD") && heard.authorization().is_some();
    let writes: Vec<_> = heard.iter().filter(is_write).map(|heard| heard.method.as_str()).collect();
    assert_eq!(writes, ["POST", "DELETE"], "the session is opened and cancelled");
    assert!(
        !heard.iter().any(|heard| heard.method == "GET" && heard.target.contains("/manifests/")),
        "no pull is counted"
    );
    let json = serde_json::to_string(&checked).expect("JSON");
    assert_no_canary(json.as_bytes(), "the report");

    // A new password makes the old lights worthless.
    house.credentials.update(&house.actor, &id, 1, form("Main", &liar.host(), CANARY)).await.expect("saved");
    assert_eq!(house.credentials.get(&house.actor, &id).await.expect("is there").report, None);
}

#[tokio::test]
async fn one_red_light_has_words_and_a_remedy_and_darkens_the_rest() {
    let house = House::open().await;
    let mood = Arc::new(AtomicU8::new(0));
    let seen = mood.clone();
    let liar = Liar::start(move |heard| match seen.load(Ordering::SeqCst) {
        0 => registry(heard),
        1 if heard.authorization().is_some() => {
            Reply::json(401, r#"{"errors":[{"code":"UNAUTHORIZED","message":"token was revoked \u202e on Monday"}]}"#)
                .with("www-authenticate", r#"Basic realm="x""#)
        }
        1 => registry(heard),
        2 => Reply::Answer(200, vec![("content-type", "text/html".into())], b"<html>".into()),
        _ => Reply::Hang,
    })
    .await;
    let id = house.credentials.create(&house.actor, form("Main", &liar.host(), CANARY)).await.expect("created");
    use Lamp::{Dark, Green, Red};

    mood.store(1, Ordering::SeqCst);
    let checked = house.credentials.check(&house.actor, &id).await.expect("examined");
    assert_eq!(lamps(&checked), [Green, Green, Green, Red, Dark, Dark, Dark]);
    let red = light(&checked, Check::Login);
    assert!(
        red.answer.as_ref().is_some_and(|words| words.contains("token was revoked") && !words.contains('\u{202e}')),
        "{red:?}"
    );
    assert!(red.remedy.as_ref().is_some_and(|words| !words.is_empty()), "{red:?}");
    assert!(light(&checked, Check::Push).found.contains("Sign-in"), "the dark ones say why");
    assert!(matches!(&checked.state, CredentialState::Fails(problem) if problem.code == "registry.wrong_credentials"));

    mood.store(2, Ordering::SeqCst);
    let checked = house.credentials.check(&house.actor, &id).await.expect("examined");
    assert_eq!(lamps(&checked), [Green, Green, Red, Dark, Dark, Dark, Dark]);
    assert!(matches!(&checked.state, CredentialState::Fails(problem) if problem.code == "registry.not_a_registry"));

    mood.store(3, Ordering::SeqCst);
    let checked = house.credentials.check(&house.actor, &id).await.expect("examined");
    assert_eq!(lamps(&checked)[..3], [Green, Green, Red], "{:?}", checked.report);
    assert!(matches!(&checked.state, CredentialState::Fails(problem) if problem.code == "registry.timeout"));

    let host = liar.host();
    drop(liar);
    for _ in 0..500 {
        // It ends when its task is looked at again.
        match tokio::net::TcpStream::connect(&host).await {
            Ok(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            Err(_) => break,
        }
    }
    let checked = house.credentials.check(&house.actor, &id).await.expect("examined");
    assert_eq!(lamps(&checked), [Green, Red, Dark, Dark, Dark, Dark, Dark], "{:?}", checked.report);
    assert!(matches!(&checked.state, CredentialState::Fails(problem) if problem.code == "registry.refused"));
    assert_eq!(house.credentials.get(&house.actor, &id).await, Ok(checked), "what was found is kept");
}

/// A registry that can't list and a credential that may not push are fine for pulling.
#[tokio::test]
async fn what_may_be_wanted_is_amber() {
    let house = House::open().await;
    let liar = Liar::start(|heard| match (heard.method.as_str(), heard.path()) {
        ("GET", "/v2/_catalog") if heard.authorization().is_some() => Reply::status(404),
        ("POST", _) if heard.authorization().is_some() => {
            Reply::json(403, r#"{"errors":[{"code":"DENIED","message":"pull only"}]}"#)
        }
        _ => registry(heard),
    })
    .await;
    let id = house.credentials.create(&house.actor, form("Main", &liar.host(), CANARY)).await.expect("created");
    let checked = house.credentials.check(&house.actor, &id).await.expect("examined");
    use Lamp::{Amber, Dark, Green};
    assert_eq!(lamps(&checked), [Green, Green, Green, Green, Amber, Dark, Amber], "{:?}", checked.report);
    assert_eq!(checked.state, CredentialState::Works);
    let push = light(&checked, Check::Push);
    assert!(push.found.contains("fine for pulling"), "{push:?}");
    assert!(push.answer.as_ref().is_some_and(|words| words.contains("pull only")), "{push:?}");
    assert!(light(&checked, Check::List).remedy.is_some());
}

#[tokio::test]
async fn an_unknown_name_is_red_at_once() {
    let house = House::open().await;
    let liar = Liar::start(registry).await;
    let id = house.credentials.create(&house.actor, form("Main", &liar.host(), CANARY)).await.expect("created");
    house.run("UPDATE credentials SET url = 'https://registry.invalid'").await;
    let checked = house.credentials.check(&house.actor, &id).await.expect("examined");
    assert_eq!(lamps(&checked)[0], Lamp::Red);
    assert!(lamps(&checked)[1..].iter().all(|lamp| *lamp == Lamp::Dark));
}

/// The tick for the internal network is what lets it reach this machine; without, not even the name is green.
#[tokio::test]
async fn addresses_inside_are_red_without_the_tick() {
    let house = House::open().await;
    let liar = Liar::start(registry).await;
    let id = house.credentials.create(&house.actor, form("Main", &liar.host(), CANARY)).await.expect("created");
    let asked = liar.heard().len();
    house.run("UPDATE credentials SET internal = 0").await;
    let checked = house.credentials.check(&house.actor, &id).await.expect("examined");
    assert_eq!(lamps(&checked)[0], Lamp::Red, "{:?}", checked.report);
    assert!(matches!(&checked.state, CredentialState::Fails(problem) if problem.code == "registry.forbidden_address"));
    assert_eq!(liar.heard().len(), asked, "it was connected to all the same");
}

#[tokio::test]
async fn the_real_registry_is_green_up_to_its_last_light() {
    let Some(lab) = Lab::find() else { return };
    let house = House::open().await;
    let mut wish = form("Lab", &lab.registry, "");
    (wish.username, wish.password) = (lab.username.clone(), Secret::new(lab.password.clone()));
    let id = house.credentials.create(&house.actor, wish).await.expect("created");
    let checked = house.credentials.check(&house.actor, &id).await.expect("examined");
    let lamps = lamps(&checked);
    assert_eq!(lamps[..5], [Lamp::Green; 5], "{:?}", checked.report);
    assert!(matches!(lamps[5], Lamp::Green | Lamp::Dark), "{:?}", checked.report);
    assert_eq!(lamps[6], Lamp::Green, "{:?}", checked.report);
}
