//! Tokens: identity tokens, scopes that aren't enough, sign-in services elsewhere, and those who sign in as nobody.

use super::{PASSWORD, access, basic, client, repository};
use crate::lab::internal;
use crate::liar::{Heard, Liar, Reply};
use app::model::credential::Trust;
use app::model::secret::Secret;
use slipway::oci::{Access, Login, OciError};
use std::sync::{Arc, Mutex};

fn identity(liar: &Liar) -> Access {
    let login = Login { username: Login::TOKEN.into(), password: Secret::new(PASSWORD.into()) };
    Access { login: Some(login), ..access(liar) }
}

fn with_token(heard: &Heard, reply: Reply) -> Reply {
    match heard.authorization() {
        Some("Bearer t") => reply,
        _ => Reply::challenge(&[r#"Bearer realm="/token",service="s",scope="repository:shop/web:pull x:y:z""#]),
    }
}

/// REGISTRIES §1.3 and §9.2: exchanged by POST where there is such an endpoint, else by GET.
#[tokio::test]
async fn an_identity_token_is_exchanged() {
    for refusal in [None, Some(404), Some(405)] {
        let liar = Liar::start(move |heard| match (heard.path(), heard.method.as_str(), refusal) {
            ("/token", "POST", Some(status)) => Reply::status(status),
            ("/token", ..) => Reply::json(200, r#"{"access_token":"t","refresh_token":"r"}"#),
            _ => with_token(heard, Reply::json(200, r#"{"tags":["1"]}"#)),
        })
        .await;
        let page = client().tags(&identity(&liar), &repository(), None).await.expect("a page");
        assert_eq!(page.names, ["1"]);
        let heard = liar.heard();
        let post = heard.iter().find(|heard| heard.method == "POST").expect("an exchange");
        assert_eq!(post.header("content-type"), Some("application/x-www-form-urlencoded"));
        assert_eq!(post.authorization(), None);
        assert_eq!(post.target, "/token", "no secret stands in an address");
        let form: Vec<(String, String)> = url::form_urlencoded::parse(&post.body).into_owned().collect();
        let expected = [
            ("grant_type", "refresh_token"),
            ("client_id", "slipway"),
            ("service", "s"),
            ("scope", "repository:shop/web:pull x:y:z"),
            ("refresh_token", PASSWORD),
        ];
        assert_eq!(form, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let gets: Vec<_> = heard.iter().filter(|heard| heard.path() == "/token" && heard.method == "GET").collect();
        assert_eq!(gets.len(), usize::from(refusal.is_some()));
        assert!(gets.iter().all(|get| get.authorization().is_some() && !get.target.contains("account")), "{gets:?}");
    }
}

/// S1: neither passwords nor identity tokens go to a sign-in service that nobody vouched for.
#[tokio::test]
async fn a_sign_in_service_elsewhere_needs_an_approval() {
    let realm = Liar::start(|_| Reply::json(200, r#"{"token":"t"}"#)).await;
    let challenge = format!(r#"Bearer realm="{}/token""#, realm.url());
    let liar = Liar::start(move |heard| match heard.authorization() {
        Some("Bearer t") => Reply::json(200, "{}"),
        _ => Reply::challenge(&[&challenge]),
    })
    .await;
    let port = realm.host().rsplit(':').next().unwrap_or_default().to_owned();
    for approved in [
        None,
        Some(format!("http://localhost:{port}")),
        Some("http://127.0.0.1:1".into()),
        Some("https://auth.example".into()),
        Some("nonsense".into()),
    ] {
        for access in [access(&liar), identity(&liar)] {
            let access = Access { trust: Trust { realm: approved.clone(), ..internal() }, ..access };
            let error = client().check(&access).await.expect_err("not approved");
            let OciError::ForeignRealm { realm: named, .. } = &error else { panic!("{error:?}") };
            assert_eq!(*named, realm.url().to_string(), "the user sees who asked");
            assert!(error.problem().remedy.contains("approve"), "{:?}", error.problem());
        }
    }
    assert!(realm.heard().is_empty(), "{:?}", realm.heard());

    let trust = Trust { realm: Some(realm.url().to_string()), ..internal() };
    client().check(&Access { trust, ..access(&liar) }).await.expect("approved");
    assert_eq!(realm.authorizations(), [basic()]);
    assert!(!liar.authorizations().contains(&basic()), "the registry itself gets the token alone");
}

/// REGISTRIES §9.3: a token that isn't enough is replaced once.
#[tokio::test]
async fn insufficient_scope_is_answered_once() {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    for (granted, is_enough) in [("wide", true), ("never", false)] {
        asked.lock().expect("a lock").clear();
        let scopes = asked.clone();
        let liar = Liar::start(move |heard| match (heard.path(), heard.authorization()) {
            ("/token", _) => {
                scopes.lock().expect("a lock").push(heard.target.clone());
                let name = if heard.target.contains("metadata_read") { "wide" } else { "narrow" };
                Reply::json(200, &format!(r#"{{"token":"{name}"}}"#))
            }
            (_, Some(value)) if value == format!("Bearer {granted}") => Reply::json(200, r#"{"tags":["1"]}"#),
            (_, Some(_)) => Reply::challenge(&[
                r#"Bearer realm="/token",scope="repository:shop/web:metadata_read",error="insufficient_scope""#,
            ]),
            _ => Reply::challenge(&[r#"Bearer realm="/token""#]),
        })
        .await;
        let outcome = client().tags(&access(&liar), &repository(), None).await;
        if is_enough {
            assert_eq!(outcome.expect("a page").names, ["1"]);
        } else {
            assert!(matches!(outcome, Err(OciError::Denied { .. })), "{outcome:?}");
        }
        let asked = asked.lock().expect("a lock").clone();
        assert_eq!(asked.len(), 2, "{asked:?}");
        assert!(asked[0].contains("scope=repository%3Ashop%2Fweb%3Apull"), "{asked:?}");
    }
}

/// REGISTRIES §9.4: Quay's sign-in service refuses `registry:` scopes; its catalog wants none.
#[tokio::test]
async fn the_catalog_is_read_without_scope_where_the_scope_is_refused() {
    let liar = Liar::start(|heard| match (heard.path(), heard.authorization()) {
        ("/token", _) if heard.target.contains("registry%3A") => Reply::json(400, r#"{"error":"Unable to decode"}"#),
        ("/token", Some(value)) if value == basic() => Reply::json(200, r#"{"token":"t"}"#),
        (_, Some("Bearer t")) => Reply::json(200, r#"{"repositories":["a/b"]}"#),
        _ => Reply::challenge(&[r#"Bearer realm="/token",service="quay""#]),
    })
    .await;
    let page = client().repositories(&access(&liar), None).await.expect("a page");
    assert_eq!(page.names, ["a/b"]);
    assert_eq!(liar.heard().iter().filter(|heard| heard.path() == "/token").count(), 2);
}

/// Anybody may pull what is public: the same dance without a login.
#[tokio::test]
async fn nobody_signs_in_without_a_login() {
    let liar = Liar::start(|heard| match (heard.path(), heard.method.as_str()) {
        ("/token", _) => Reply::json(200, r#"{"token":"t"}"#),
        ("/v2/shop/web/blobs/uploads/", _) => Reply::challenge(&[r#"Bearer realm="/token""#]),
        ("/v2/shop/web/manifests/1", "HEAD") => with_token(heard, Reply::status(404)),
        _ => with_token(heard, Reply::json(200, r#"{"tags":["1"]}"#)),
    })
    .await;
    let anybody = Access { login: None, ..access(&liar) };
    let client = client();
    client.check(&anybody).await.expect("accepted");
    assert_eq!(client.tags(&anybody, &repository(), None).await.expect("a page").names, ["1"]);
    assert_eq!(client.digest(&anybody, &repository(), "1").await.expect("an answer"), None);
    assert!(client.manifest(&anybody, &repository(), "2").await.expect("an answer").is_some());
    let push = client.may_push(&anybody, &repository()).await;
    assert!(matches!(push, Err(OciError::SignIn { .. })), "{push:?}");
    assert!(liar.authorizations().iter().all(|value| value == "Bearer t"), "{:?}", liar.authorizations());
    let tokens: Vec<_> = liar.heard().into_iter().filter(|heard| heard.path() == "/token").collect();
    assert!(tokens.iter().all(|heard| !heard.target.contains("account")), "{tokens:?}");

    for challenge in [r#"Basic realm="x""#, r#"Bearer realm="/token""#] {
        let liar = Liar::start(move |_| Reply::challenge(&[challenge])).await;
        let outcome = client.check(&Access { login: None, ..access(&liar) }).await;
        assert!(matches!(outcome, Err(OciError::SignIn { .. })), "{challenge}: {outcome:?}");
    }
}

/// A token is as old as its service says.
#[tokio::test]
async fn a_token_that_expired_is_asked_for_again() {
    let liar = Liar::start(|heard| match heard.path() {
        // Expired on arrival: good for this request, and for no other.
        "/token" => Reply::json(200, r#"{"token":"t","expires_in":60,"issued_at":"2020-01-01T00:00:00Z"}"#)
            .with("date", "Tue, 24 Nov 2026 10:00:00 GMT"),
        _ => with_token(heard, Reply::json(200, r#"{"tags":["1"]}"#)),
    })
    .await;
    let (client, access) = (client(), access(&liar));
    for _ in 0..2 {
        client.tags(&access, &repository(), None).await.expect("a page");
    }
    assert_eq!(liar.heard().iter().filter(|heard| heard.path() == "/token").count(), 2);
}
