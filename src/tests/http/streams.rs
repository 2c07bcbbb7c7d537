//! Live logs through the router: events with offsets, resuming, and their end with the session (A7) and the server.

use crate::app::{Browser, TestApp};
use ::http::{Request, StatusCode};
use async_trait::async_trait;
use axum::body::Body;
use http_body_util::BodyExt as _;
use slipway::jobs::{Handler, JobContext, JobError, Lane, NewJob};
use std::sync::Arc;
use std::time::{Duration, Instant};

const KIND: &str = "talk";

/// Says two lines and waits to be stopped.
struct Talk;

#[async_trait]
impl Handler for Talk {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, _: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        cx.step("talk", "Talk", async {
            cx.log("first line");
            cx.log("second line");
            cx.cancel.cancelled().await;
            Err::<(), _>(JobError::Cancelled)
        })
        .await
    }
}

async fn talking(app: &TestApp) -> String {
    app.slipway.jobs.register(Arc::new(Talk));
    app.slipway.start_loops();
    let job = NewJob {
        kind: KIND,
        payload: serde_json::json!({}),
        subject: "service:srv_0123456789ab".into(),
        key: None,
        lane: Lane::Swarm,
        resource: None,
        asked_by: "owner".into(),
        max_attempts: 1,
    };
    let mut tx = app.slipway.db.write().await.expect("a transaction");
    let id = app.slipway.jobs.enqueue(&mut tx, job).await.expect("queued");
    tx.commit().await.expect("written");
    app.slipway.jobs.wake();
    id.to_string()
}

async fn follow(browser: &Browser, id: &str, last: Option<&str>) -> Body {
    let mut request = Request::get(format!("/jobs/{id}/log")).header("sec-fetch-site", "same-origin");
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let response = browser.open(request.body(Body::empty()).expect("a request")).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    response.into_body()
}

/// Reads until the text has come, or the stream has ended.
pub async fn read_until(body: &mut Body, wanted: &str) -> String {
    let mut text = String::new();
    while !text.contains(wanted) {
        let frame = tokio::time::timeout(Duration::from_secs(10), body.frame()).await.expect("something comes");
        let Some(frame) = frame else { break };
        let bytes = frame.expect("no error").into_data().expect("data");
        text.push_str(&String::from_utf8_lossy(&bytes));
    }
    text
}

pub async fn ends_within(body: &mut Body, limit: Duration) {
    let began = Instant::now();
    while let Some(frame) = tokio::time::timeout(limit, body.frame()).await.expect("it ends in time") {
        frame.expect("no error");
        assert!(began.elapsed() < limit, "it goes on");
    }
}

#[tokio::test]
async fn a_log_is_followed_resumed_and_downloaded() {
    let app = TestApp::new().await;
    let mut owner = app.owner().await;
    let id = talking(&app).await;
    let text = read_until(&mut follow(&owner, &id, None).await, "second line").await;
    assert!(text.contains("event: job\n") && text.contains("event: log\n") && text.contains("first line"), "{text}");
    let offset = text.lines().rev().find_map(|line| line.strip_prefix("id: ")).expect("an id").to_owned();
    assert_ne!(offset, "0");

    let mut again = follow(&owner, &id, Some(&offset)).await;
    app.slipway.jobs.cancel(&id.parse().expect("an id")).await.expect("asked to stop");
    let text = read_until(&mut again, "event: end").await;
    assert!(text.contains("event: end") && !text.contains("second line"), "{text}");

    let whole = owner.get(&format!("/jobs/{id}/log.txt")).await;
    assert_eq!(whole.header("content-type"), Some("text/plain; charset=utf-8"));
    assert!(whole.header("content-disposition").is_some_and(|value| value.starts_with("attachment")));
    assert!(whole.text.contains("first line") && whole.text.contains("second line"), "{}", whole.text);
    assert_eq!(owner.get("/jobs/job_0123456789ab/log.txt").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a7_streams_end_with_the_session_and_with_the_server() {
    let app = TestApp::new().await;
    let owner = app.owner().await;
    let id = talking(&app).await;
    let mut other = app.browser();
    other.sign_in(crate::app::PASSWORD).await;
    let (mut one, mut two) = (follow(&owner, &id, None).await, follow(&other, &id, None).await);
    read_until(&mut one, "second line").await;
    read_until(&mut two, "second line").await;
    other.post("/api/accounts/sign-out", &[]).await;
    ends_within(&mut two, Duration::from_secs(5)).await;
    app.slipway.shutdown.cancel();
    ends_within(&mut one, Duration::from_secs(2)).await;
}
