//! Challenges, tokens, and where a password may go.

use super::{access, basic, client, login, with};
use crate::liar::{Heard, Liar, Reply};
use slipway::oci::OciError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A registry with a token service of its own that accepts the login; `challenge` is what it asks for.
fn token_registry(heard: &Heard, challenge: &[&str]) -> Reply {
    match (heard.path(), heard.authorization()) {
        ("/token", Some(value)) if value == basic() => {
            Reply::json(200, r#"{"access_token":"opaque","expires_in":300}"#)
        }
        ("/token", _) => Reply::json(401, r#"{"details":"incorrect username or password"}"#),
        (_, Some("Bearer opaque")) => Reply::json(200, "{}"),
        _ => Reply::challenge(challenge),
    }
}

#[tokio::test]
async fn bearer_is_preferred_and_a_relative_realm_is_found() {
    let challenge = [r#"Negotiate, Basic realm="a, b""#, r#"Bearer realm="/token?x=1""#];
    let liar = Liar::start(move |heard| token_registry(heard, &challenge)).await;
    client().check(&access(&liar)).await.expect("accepted");
    let heard = liar.heard();
    let targets: Vec<_> = heard.iter().map(|heard| heard.target.as_str()).collect();
    assert_eq!(targets, ["/v2/", "/token?x=1&client_id=slipway&account=deploy", "/v2/"]);
    let sent: Vec<_> = heard.iter().map(Heard::authorization).collect();
    assert_eq!(sent, [None, Some(basic().as_str()), Some("Bearer opaque")], "the password went to the realm alone");
    assert_eq!(heard[0].header("user-agent"), Some(concat!("slipway/", env!("CARGO_PKG_VERSION"))));
}

#[tokio::test]
async fn a_token_service_that_rejects_the_password_says_so() {
    let liar = Liar::start(|heard| match heard.path() {
        "/token" => Reply::json(401, r#"{"details":"incorrect username or password"}"#),
        _ => Reply::challenge(&[r#"Bearer realm="/token",service="s""#]),
    })
    .await;
    let error = client().check(&access(&liar)).await.expect_err("refused");
    let OciError::WrongCredentials { answer, .. } = error else { panic!("{error:?}") };
    assert!(answer.contains("incorrect username or password"), "{answer}");
}

#[tokio::test]
async fn a_second_401_is_final() {
    for (challenge, requests) in [(r#"Basic realm="x""#, 2), (r#"Bearer realm="/token""#, 3)] {
        let liar = Liar::start(move |heard| match heard.path() {
            "/token" => Reply::json(200, r#"{"token":"useless"}"#),
            _ => Reply::challenge(&[challenge]),
        })
        .await;
        let error = client().check(&access(&liar)).await.expect_err("refused");
        assert!(matches!(error, OciError::WrongCredentials { .. } | OciError::Denied { .. }), "{error:?}");
        assert_eq!(liar.heard().len(), requests, "{challenge}");
    }
}

#[tokio::test]
async fn the_scope_that_the_registry_names_wins() {
    let liar = Liar::start(|heard| {
        token_registry(heard, &[r#"Bearer realm="/token",service="s",scope="repository:a/b:metadata_read x:y:z""#])
    })
    .await;
    let repository = "a/b".parse().expect("a repository");
    let _ = client().digest(&access(&liar), &repository, "1").await;
    let heard = liar.heard();
    let token = heard.iter().find(|heard| heard.path() == "/token").expect("a token was asked for");
    assert!(token.target.contains("scope=repository%3Aa%2Fb%3Ametadata_read&scope=x%3Ay%3Az"), "{}", token.target);
}

#[tokio::test]
async fn a_token_is_asked_for_once_by_many_and_once_more_when_revoked() {
    let (issued, revoked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (count, gone) = (issued.clone(), revoked.clone());
    let liar = Liar::start(move |heard| match (heard.path(), heard.authorization()) {
        ("/token", _) => {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            Reply::json(200, &format!(r#"{{"token":"t{number}","expires_in":300}}"#))
        }
        (_, Some(value))
            if value.strip_prefix("Bearer t").and_then(|n| n.parse().ok()) > Some(gone.load(Ordering::SeqCst)) =>
        {
            Reply::status(404)
        }
        _ => Reply::challenge(&[r#"Bearer realm="/token""#]),
    })
    .await;
    let (client, url, repository) = (client(), liar.url(), "a/b".parse().expect("a repository"));
    let login = login();
    let asked = with(url.clone(), login.clone());
    let asks = (0..20).map(|_| client.digest(&asked, &repository, "1"));
    for answer in futures::future::join_all(asks).await {
        assert_eq!(answer.expect("an answer"), None);
    }
    assert_eq!(issued.load(Ordering::SeqCst), 1, "tokens for 20 questions at once");

    revoked.store(1, Ordering::SeqCst);
    assert_eq!(client.digest(&with(url.clone(), login.clone()), &repository, "1").await.expect("an answer"), None);
    assert_eq!(issued.load(Ordering::SeqCst), 2, "one new token for a revoked one");

    let other = slipway::oci::Login { username: "other".into(), password: login.password.clone() };
    assert_eq!(client.digest(&with(url.clone(), other), &repository, "1").await.expect("an answer"), None);
    assert_eq!(issued.load(Ordering::SeqCst), 3, "tokens are never shared between logins");
}

/// S1: whatever the realm looks like, nothing secret arrives at another origin, and the user learns who asked.
#[tokio::test]
async fn a_foreign_realm_gets_nothing() {
    let sink = Liar::start(|_| Reply::json(200, r#"{"token":"stolen"}"#)).await;
    let port = sink.host();
    let realms = [
        format!("http://{port}/token"),
        format!("https://{port}/token"),
        format!("http://localhost:{}/token", port.rsplit(':').next().unwrap_or_default()),
        format!("http://127.0.0.1@{port}/"),
        format!("//{port}/token"),
    ];
    for realm in realms {
        let asked = realm.clone();
        let liar = Liar::start(move |_| Reply::challenge(&[&format!(r#"Bearer realm="{asked}""#)])).await;
        let error = client().check(&access(&liar)).await.expect_err("refused");
        let OciError::ForeignRealm { realm: named, .. } = &error else { panic!("{realm}: {error:?}") };
        assert!(realm.contains(named.split("//").last().unwrap_or_default()), "{named} was asked by {realm}");
        assert_eq!(liar.authorizations(), Vec::<String>::new());
    }
    assert!(sink.heard().is_empty(), "the sink was asked: {:?}", sink.heard());
}

/// S2: no redirect is followed, with or without credentials.
#[tokio::test]
async fn redirects_are_not_followed() {
    let sink = Liar::start(|_| Reply::json(200, r#"{"token":"t"}"#)).await;
    for status in [301, 302, 303, 307, 308] {
        for place in ["/v2/", "/token", "/v2/a/b/manifests/1", "/v2/a/b/blobs/uploads/"] {
            let to = format!("http://{}/elsewhere", sink.host());
            let liar = Liar::start(move |heard| match (heard.path(), heard.authorization()) {
                (path, _) if path == place => Reply::status(status).with("location", to.clone()),
                ("/token", _) => Reply::json(200, r#"{"token":"t"}"#),
                (_, Some("Bearer t")) => Reply::json(200, "{}"),
                _ => Reply::challenge(&[r#"Bearer realm="/token""#]),
            })
            .await;
            let (url, repository) = (liar.url(), "a/b".parse().expect("a repository"));
            let error = match place {
                "/v2/a/b/manifests/1" => client().digest(&with(url, login()), &repository, "1").await.map(drop),
                "/v2/a/b/blobs/uploads/" => client().may_push(&with(url, login()), &repository).await,
                _ => client().check(&with(url, login())).await,
            };
            assert!(error.is_err(), "{status} at {place} counted as success");
        }
    }
    assert!(sink.heard().is_empty(), "a redirect was followed: {:?}", sink.heard());
}

/// S3: the session's address on another origin is left alone.
#[tokio::test]
async fn an_upload_is_cancelled_at_home_only() {
    let sink = Liar::start(|_| Reply::status(204)).await;
    let repository = "a/b".parse().expect("a repository");
    let locations = [
        (format!("http://{}/v2/a/b/blobs/uploads/1", sink.host()), false),
        (format!("//{}/v2/a/b/blobs/uploads/1", sink.host()), false),
        ("/v2/a/b/blobs/uploads/1?_state=x".to_owned(), true),
        ("1?_state=x".to_owned(), true),
    ];
    for (location, cancelled) in locations {
        let sent = location.clone();
        let liar = Liar::start(move |heard| match (heard.authorization(), heard.method.as_str()) {
            (None, _) => Reply::challenge(&[r#"Basic realm="x""#]),
            (_, "POST") => Reply::status(202).with("location", sent.clone()),
            _ => Reply::status(204),
        })
        .await;
        client().may_push(&access(&liar), &repository).await.expect("may push");
        let deletes: Vec<_> = liar.heard().into_iter().filter(|heard| heard.method == "DELETE").collect();
        assert_eq!(!deletes.is_empty(), cancelled, "{location}");
        assert!(deletes.iter().all(|heard| heard.target == "/v2/a/b/blobs/uploads/1?_state=x"), "{deletes:?}");
    }
    assert!(sink.heard().is_empty(), "the sink was asked: {:?}", sink.heard());
}

/// A registry that lets everybody pull still checks a password that it is shown.
#[tokio::test]
async fn an_open_door_is_no_proof_of_a_password() {
    let is_right = Arc::new(Mutex::new(false));
    let right = is_right.clone();
    let liar = Liar::start(move |heard| match heard.authorization() {
        Some(_) if !*right.lock().expect("a lock") => Reply::challenge(&[r#"Basic realm="x""#]),
        _ => Reply::json(200, "{}"),
    })
    .await;
    let error = client().check(&access(&liar)).await.expect_err("refused");
    assert!(matches!(error, OciError::WrongCredentials { .. }), "{error:?}");
    *is_right.lock().expect("a lock") = true;
    client().check(&access(&liar)).await.expect("accepted");
}
