//! D2 and X1 through the router: what bodies are taken, and forms that come twice.

use crate::app::{Browser, OWNER, PASSWORD, TestApp, encode, form, sign_in_form};
use ::http::{Request, StatusCode};
use axum::body::{Body, Bytes};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

async fn send(browser: &mut Browser, headers: &[(&str, &str)], body: Body) -> StatusCode {
    let mut request = Request::post("/api/accounts/sign-in").header("sec-fetch-site", "same-origin");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    browser.send(request.body(body).expect("a request")).await.status
}

#[tokio::test]
async fn d2_an_endless_body_is_refused_before_two_mebibytes_are_read() {
    let app = TestApp::new().await;
    app.owner().await;
    let read = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&read);
    let endless = futures::stream::repeat_with(move || {
        counted.fetch_add(16_384, Ordering::SeqCst);
        Ok::<_, std::io::Error>(Bytes::from_static(&[b'a'; 16_384]))
    });
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let status = send(&mut app.browser(), &kind, Body::from_stream(endless)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(read.load(Ordering::SeqCst) < 2 << 20);
}

#[tokio::test]
async fn d2_only_small_plain_forms_are_taken() {
    let app = TestApp::new().await;
    app.owner().await;
    let mut browser = app.browser();
    let kind = ("content-type", "application/x-www-form-urlencoded");
    for (headers, body, status) in [
        (&[kind, ("content-length", "10737418240")][..], "a=b".to_owned(), StatusCode::PAYLOAD_TOO_LARGE),
        (&[kind], "a=b&".repeat(5_000), StatusCode::PAYLOAD_TOO_LARGE),
        (&[kind, ("content-encoding", "gzip")], "a=b".into(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (&[("content-type", "multipart/form-data; boundary=x")], "--x--".into(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (&[("content-type", "text/plain")], "a=b".into(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (&[("content-type", "application/json")], "{}".into(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (&[], "a=b".into(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (&[kind], format!("form{}=1", "[a]".repeat(5_000)), StatusCode::UNPROCESSABLE_ENTITY),
        (&[kind], "%00%ff=%zz&form[username]=%00".into(), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        assert_eq!(send(&mut browser, headers, Body::from(body)).await, status, "{headers:?}");
    }
}

#[tokio::test]
async fn x1_a_form_sent_twice_gets_one_answer_and_does_its_work_once() {
    let app = TestApp::new().await;
    app.owner().await;
    let mut fields = sign_in_form(OWNER, PASSWORD).to_vec();
    fields.push(("request_id", "0123456789abcdef"));
    let send = |mut browser: Browser| {
        let request = form("/api/accounts/sign-in", &fields)
            .header("sec-fetch-site", "same-origin")
            .header("accept", "text/html")
            .body(Body::from(encode(&fields)))
            .expect("a request");
        async move { browser.send(request).await }
    };
    let (first, second) = tokio::join!(send(app.browser()), send(app.browser()));
    assert_eq!(first.location(), Some("/"));
    assert_eq!((first.status, first.set_cookies()), (second.status, second.set_cookies()));
    let entries: i64 = sqlx::query_scalar("SELECT count(*) FROM activity WHERE verb = 'signed in'")
        .fetch_one(app.slipway.db.read())
        .await
        .expect("counted");
    assert_eq!(entries, 1);
}

#[tokio::test]
async fn x1_a_refused_form_sent_again_is_tried_again() {
    let app = TestApp::new().await;
    app.owner().await;
    let mut browser = app.browser();
    for tries in 1..=3_i64 {
        let mut fields = sign_in_form(OWNER, "wrong").to_vec();
        fields.push(("request_id", "0123456789abcdef"));
        fields.push(("page", "/sign-in"));
        let answer = browser.post("/api/accounts/sign-in", &fields).await;
        assert_eq!(answer.location(), Some("/sign-in"));
        app.clock.advance(std::time::Duration::from_secs(61));
        let entries: i64 = sqlx::query_scalar("SELECT count(*) FROM activity WHERE verb = 'refused sign-in'")
            .fetch_one(app.slipway.db.read())
            .await
            .expect("counted");
        assert_eq!(entries, tries);
    }
}
