//! How often a registry is asked: few requests at a time, and none while it wants to be left alone.

use super::{access, client, login, repository, with};
use crate::liar::{Liar, Reply};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::get;
use slipway::oci::{Client, OciError};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Counts whom it answers at the moment. Each answer ends when the test allows one more.
struct Counter {
    now: AtomicUsize,
    most: AtomicUsize,
    ends: Semaphore,
}

async fn slow(State(counter): State<Arc<Counter>>) -> Body {
    let now = counter.now.fetch_add(1, Ordering::SeqCst) + 1;
    counter.most.fetch_max(now, Ordering::SeqCst);
    // The headers are sent at once; the body ends later.
    Body::from_stream(futures::stream::once(async move {
        counter.ends.acquire().await.expect("open").forget();
        counter.now.fetch_sub(1, Ordering::SeqCst);
        Ok::<_, std::io::Error>("{}")
    }))
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never: {what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_requests_are_under_way_at_most_and_until_their_bodies_end() {
    let counter = Arc::new(Counter { now: 0.into(), most: 0.into(), ends: Semaphore::new(0) });
    let router = Router::new().fallback(get(slow)).with_state(counter.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url: app::model::credential::RegistryUrl =
        listener.local_addr().expect("an address").to_string().parse().expect("a registry");
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    let client = Client::new().expect("a client");
    let asks: Vec<_> = (0..20)
        .map(|n| {
            let (client, access) = (client.clone(), with(url.clone(), login()));
            tokio::spawn(async move { client.get(&access, &format!("/v2/{n}"), "").await })
        })
        .collect();
    for done in 0..20 {
        let expected = (20 - done).min(4);
        until("the places are taken", || counter.now.load(Ordering::SeqCst) == expected).await;
        counter.ends.add_permits(1);
        until("one has ended", || counter.now.load(Ordering::SeqCst) < expected || done < 16).await;
    }
    for ask in asks {
        assert_eq!(ask.await.expect("no panic").expect("an answer").body, b"{}");
    }
    assert_eq!(counter.most.load(Ordering::SeqCst), 4);
    server.abort();
}

/// Sign-ins need places of their own; those who hold one must not wait for another.
#[tokio::test]
async fn many_sign_ins_at_once_dont_wait_for_each_other_for_ever() {
    let liar = Liar::start(|heard| match (heard.path(), heard.authorization()) {
        ("/token", _) => Reply::json(200, r#"{"token":"t","expires_in":300}"#),
        (_, None) => Reply::challenge(&[r#"Bearer realm="/token""#]),
        ("/v2/shop/web/blobs/uploads/", _) => Reply::status(202).with("location", "/v2/session"),
        ("/v2/session", _) => Reply::status(204),
        _ if heard.method == "HEAD" => Reply::status(200), // without digest: followed by a GET
        _ => Reply::json(200, "{}"),
    })
    .await;
    let (client, access, repository) = (client(), access(&liar), repository());
    let pushes = futures::future::join_all((0..12).map(|_| client.may_push(&access, &repository)));
    let digests = futures::future::join_all((0..12).map(|_| client.digest(&access, &repository, "1")));
    let (pushes, digests) = futures::join!(pushes, digests);
    assert!(pushes.iter().all(Result::is_ok), "{pushes:?}");
    assert!(digests.iter().all(Result::is_ok), "{digests:?}");
    assert_eq!(liar.heard().iter().filter(|heard| heard.path() == "/token").count(), 2, "one for each scope");
}

/// R2: until the time is over nobody asks, whatever it is about; other origins go on.
#[tokio::test]
async fn retry_after_is_obeyed_by_everybody() {
    let liar = Liar::start(|_| Reply::status(429).with("retry-after", "120")).await;
    let (client, access) = (client(), access(&liar));
    let seconds = |outcome: Result<(), OciError>| match outcome {
        Err(error @ OciError::RateLimited { seconds: Some(seconds), .. }) => {
            assert!(error.problem().remedy.contains(&seconds.to_string()), "{:?}", error.problem());
            seconds
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(seconds(client.check(&access).await), 120);
    let left = seconds(client.tags(&access, &repository(), None).await.map(|_| ()));
    assert!((100..=120).contains(&left), "{left}");
    assert!((100..=120).contains(&seconds(client.clone().may_push(&access, &repository()).await)));
    assert_eq!(liar.heard().len(), 1, "it was asked again too soon");
    let other = Liar::start(|_| Reply::json(200, "{}")).await;
    client.check(&super::access(&other)).await.expect("another origin goes on");

    let date = "Tue, 24 Nov 2026 10:00:00 GMT";
    for (text, reported, asked) in [
        ("999999999", Some(3_600), 1),
        ("Tue, 24 Nov 2026 10:05:00 GMT", Some(300), 1),
        ("Tue, 24 Nov 2026 09:00:00 GMT", Some(0), 2),
        ("0", Some(0), 2),
        ("-5", None, 2),
        ("soon", None, 2),
    ] {
        let reply = Reply::status(429).with("retry-after", text).with("date", date);
        let liar = Liar::start(move |_| reply.clone()).await;
        let first = client.check(&super::access(&liar)).await;
        assert!(
            matches!(&first, Err(OciError::RateLimited { seconds, .. }) if *seconds == reported),
            "{text}: {first:?}"
        );
        let second = client.check(&super::access(&liar)).await;
        assert!(matches!(second, Err(OciError::RateLimited { .. })), "{text}: {second:?}");
        assert_eq!(liar.heard().len(), asked, "{text}");
    }
}

/// S13: a 429 is never a yes.
#[tokio::test]
async fn who_is_asked_too_often_says_neither_yes_nor_no() {
    let liar = Liar::start(|heard| match heard.authorization() {
        None => Reply::challenge(&[r#"Basic realm="x""#]),
        Some(_) => Reply::status(429),
    })
    .await;
    let (client, access) = (client(), access(&liar));
    for outcome in [
        client.check(&access).await,
        client.digest(&access, &repository(), "1").await.map(|_| ()),
        client.may_push(&access, &repository()).await,
        client.repositories(&access, None).await.map(|_| ()),
        client.get(&access, "/v2/", "").await.map(|_| ()),
    ] {
        assert!(matches!(outcome, Err(OciError::RateLimited { seconds: None, .. })), "{outcome:?}");
    }
}
