//! The signed deploy hook: a commit for services from git, a tag or digest for those of an image.

use super::house::{House, is, tells_nothing};
use crate::lab::Lab;
use crate::liar::{Heard, Liar, Reply};
use ::http::StatusCode;
use app::model::build_record;
use app::model::credential::CredentialForm;
use app::model::secret::Secret;
use app::model::service::{Origin, ServiceForm};
use app::model::trigger::Outcome;

fn commit(n: u8) -> String {
    format!("{n:x}").repeat(40)
}

#[tokio::test]
async fn a_commit_is_built_once_and_only_while_its_signature_is_fresh() {
    let Some(house) = House::ready().await else { return };
    let body = format!("{{\"commit\":\"{}\"}}", commit(10));
    let now = house.app.clock.seconds();
    is(&house.deploy_at(now, &body).await, StatusCode::ACCEPTED, "started");
    let builds = house.builds().await;
    assert_eq!((builds.len(), &builds[0].trigger), (1, &build_record::Trigger::Hook));
    assert_eq!(house.wanted().await, (commit(10), "main".to_owned()));
    is(&house.deploy_at(now, &body).await, StatusCode::OK, "repeated");
    assert_eq!(house.builds().await.len(), 1, "a signature is good for one use");

    let stale = house.deploy_at(now - 301, &body).await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", stale.text);
    assert!(stale.text.contains("more than five minutes"), "{}", stale.text);
    assert_eq!(house.deploy_at(now + 400, &body).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    is(&house.deploy_at(now - 200, &body).await, StatusCode::ACCEPTED, "started");

    let path = app::paths::deploy_hook(&house.trigger.id);
    let mac = house.mac(&format!("{now}.{body}"));
    for header in [
        format!("t={now},v1={}", "0".repeat(64)),
        format!("t={},v1={mac}", now + 1),
        format!("v1={mac}"),
        mac.clone(),
        String::new(),
    ] {
        let answer = house.post(&path, &[("x-slipway-signature", header.as_str())], body.clone()).await;
        tells_nothing(&answer, StatusCode::UNAUTHORIZED);
    }
    // The signature of a webhook opens the webhook alone.
    let github = format!("sha256={}", house.mac(&body));
    let answer = house.post(&path, &[("x-github-event", "push"), ("x-hub-signature-256", &github)], body.clone()).await;
    tells_nothing(&answer, StatusCode::UNAUTHORIZED);
    assert_eq!(house.builds().await.len(), 2);
}

#[tokio::test]
async fn what_does_not_fit_the_service_is_told_in_words() {
    let Some(house) = House::ready().await else { return };
    for (body, words) in [
        ("{}".to_owned(), "has to be {\\\"commit\\\""),
        ("{\"tag\":\"1\"}".into(), "has to be {\\\"commit\\\""),
        (format!("{{\"commit\":\"{}\",\"tag\":\"1\"}}", commit(1)), "has to be {\\\"commit\\\""),
        ("{\"commit\":\"main\"}".into(), "full id"),
        ("{\"commit\":\"abc123\"}".into(), "full id"),
        ("{\"comit\":\"x\"}".into(), "unknown field"),
        ("nonsense".into(), "isn't a JSON object"),
        (String::new(), "isn't a JSON object"),
    ] {
        let answer = house.deploy(&body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", answer.text);
        assert!(answer.text.contains(words), "{body}: {}", answer.text);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
    assert!(house.builds().await.is_empty());
    assert!(house.deliveries().await.iter().all(|delivery| delivery.outcome == Outcome::Failed));
}

/// A registry that has the tag 2, and nothing else.
async fn registry() -> Liar {
    Liar::start(|heard: &Heard| {
        if heard.authorization().is_none() {
            return Reply::challenge(&["Basic realm=\"x\""]);
        }
        match heard.path() {
            "/v2/" => Reply::status(200),
            "/v2/team/app/manifests/2" => {
                Reply::status(200).with("docker-content-digest", format!("sha256:{}", "2".repeat(64)))
            }
            _ => Reply::json(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"not there"}]}"#),
        }
    })
    .await
}

#[tokio::test]
async fn a_tag_or_digest_of_the_image_is_deployed() {
    if Lab::find().is_none() {
        return;
    }
    let liar = registry().await;
    let form = ServiceForm {
        kind: "image".into(),
        image: format!("{}/team/app:1", liar.host()),
        credential: "none".into(),
        ..ServiceForm::default()
    };
    let house = House::of(form.clone()).await;
    let backend = &house.app.slipway.backend;
    let login = CredentialForm {
        name: "Liar".into(),
        url: liar.url().to_string(),
        username: "ada".into(),
        password: Secret::new("secret".into()),
        internal: Some("on".into()),
        ..CredentialForm::default()
    };
    let credential = backend.credentials.create(&house.actor, login).await.expect("a credential");
    let form = ServiceForm { project: "Shop".into(), name: "Web".into(), credential: credential.to_string(), ..form };
    let version = backend.services.get(&house.actor, &house.service).await.expect("it is there").version;
    backend.services.update(&house.actor, &house.service, version, form).await.expect("changed");

    let now = house.app.clock.seconds();
    is(&house.deploy_at(now, "{\"tag\":\"2\"}").await, StatusCode::ACCEPTED, "started");
    is(&house.deploy_at(now, "{\"tag\":\"2\"}").await, StatusCode::OK, "repeated");
    let digest = format!("sha256:{}", "d".repeat(64));
    is(&house.deploy_at(now, &format!("{{\"digest\":\"{digest}\"}}")).await, StatusCode::ACCEPTED, "started");
    let deployments = backend.services.deployments(&house.actor, &house.service).await.expect("deployments");
    let images: Vec<_> = deployments.iter().map(|deployment| deployment.image.to_string()).collect();
    let repository = format!("{}/team/app", liar.host());
    assert_eq!(images, [format!("{repository}@{digest}"), format!("{repository}:2@sha256:{}", "2".repeat(64))]);
    assert!(deployments.iter().all(|deployment| deployment.origin == Origin::Hook));
    let delivery = house.deliveries().await.into_iter().find(|delivery| delivery.reason == "Tag 2.").expect("it came");
    assert_eq!(delivery.deployment.map(|(id, _)| id), Some(deployments[1].id.clone()));

    let missing = house.deploy_at(now, "{\"tag\":\"3\"}").await;
    assert!(missing.status.is_client_error() || missing.status.is_server_error(), "{}", missing.text);
    for body in [
        format!("{{\"commit\":\"{}\"}}", commit(1)),
        format!("{{\"tag\":\"2\",\"digest\":\"{digest}\"}}"),
        "{\"digest\":\"sha256:x\"}".into(),
        "{\"tag\":\"../x\"}".into(),
        "{}".into(),
    ] {
        assert_eq!(house.deploy_at(now, &body).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
    assert_eq!(backend.services.deployments(&house.actor, &house.service).await.expect("deployments").len(), 2);
}
