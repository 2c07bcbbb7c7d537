//! What is trusted on the way: approved by somebody, and never behind the back of the kept password.

use super::{CANARY, House, field_error, form, honest};
use crate::liar::{Liar, Reply};
use app::api::credentials::CredentialsApi as _;
use app::model::credential::CredentialForm;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

#[tokio::test]
async fn a_sign_in_service_elsewhere_is_asked_for_and_then_used() {
    let house = House::open().await;
    let right = format!("Basic {}", STANDARD.encode(format!("deploy:{CANARY}")));
    let service = Liar::start(move |heard| match heard.authorization() {
        Some(sent) if sent == right => Reply::json(200, r#"{"token":"t0"}"#),
        _ => Reply::status(401),
    })
    .await;
    let realm = format!("http://{}", service.host());
    let challenge = format!(r#"Bearer realm="{realm}/token""#);
    let registry = Liar::start(move |heard| match heard.authorization() {
        Some("Bearer t0") => Reply::json(200, "{}"),
        _ => Reply::challenge(&[&challenge]),
    })
    .await;
    let wish = form("Main", &registry.host(), CANARY);
    let error = field_error(house.credentials.create(&house.actor, wish.clone()).await);
    assert_eq!(error.field, "realm");
    assert!(error.message.contains(&realm) && error.message.contains("approve"), "{error:?}");
    assert!(service.heard().is_empty(), "the password went there unapproved");

    let approved = CredentialForm { realm: format!("{realm}/token"), ..wish };
    let id = house.credentials.create(&house.actor, approved).await.expect("created");
    assert!(!service.authorizations().is_empty());
    let credential = house.credentials.get(&house.actor, &id).await.expect("is there");
    assert_eq!(credential.trust.realm, Some(realm));
}

#[tokio::test]
async fn more_trust_wants_the_password_again() {
    let house = House::open().await;
    let (home, evil) = (honest().await, honest().await);
    let id = house.credentials.create(&house.actor, form("Main", &home.host(), CANARY)).await.expect("created");
    let heard = home.heard().len();
    let kept = form("Main", &home.host(), "");
    let elsewhere = CredentialForm { realm: format!("http://{}", evil.host()), ..kept.clone() };
    let provider = CredentialForm { provider: "gitlab".into(), ..kept };
    for wish in [elsewhere, provider] {
        let error = field_error(house.credentials.update(&house.actor, &id, 1, wish).await);
        assert_eq!(error.field, "password", "{error:?}");
    }
    assert_eq!(home.heard().len(), heard, "nothing was asked");
    assert!(evil.heard().is_empty());
}

#[tokio::test]
async fn a_broken_authority_is_refused_at_its_field() {
    let house = House::open().await;
    let registry = honest().await;
    for ca in [
        "hello",
        "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----",
    ] {
        let wish = CredentialForm { ca: ca.into(), ..form("Main", &registry.host(), CANARY) };
        assert_eq!(field_error(house.credentials.create(&house.actor, wish).await).field, "ca", "{ca}");
    }
    assert!(registry.heard().is_empty());
}

/// 127.0.0.1 and a name that leads inside are refused without the tick, before any password goes anywhere.
#[tokio::test]
async fn the_inside_is_reached_with_the_tick_alone() {
    let house = House::open().await;
    let registry = honest().await;
    let port = registry.host().rsplit_once(':').map(|(_, port)| port.to_owned()).expect("a port");
    for url in [registry.host(), format!("https://localhost:{port}"), format!("http://[::1]:{port}"), "10.0.0.7".into()]
    {
        let wish = CredentialForm { internal: None, ..form("Main", &url, CANARY) };
        let error = field_error(house.credentials.create(&house.actor, wish).await);
        assert_eq!(error.field, "url", "{url}: {error:?}");
        assert!(error.message.to_lowercase().contains("internal network"), "{url}: {error:?}");
    }
    assert!(registry.heard().is_empty());
    house.credentials.create(&house.actor, form("Main", &registry.host(), CANARY)).await.expect("created");
}
