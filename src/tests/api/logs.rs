//! Logs of registries over the API: lines, streams, and the end of streams.

use super::engine::{self, line};
use super::{House, Program};
use crate::http::streams::{ends_within, read_until};
use ::http::{Request, StatusCode};
use app::error::AppError;
use app::model::registry::{LogEntry, Severity};
use axum::body::Body;
use serde_json::json;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

fn path(query: &str) -> String {
    format!("/api/v1/registries/{}/logs{query}", engine::id())
}

/// What the next stream gets is sent here.
fn lines(house: &House) -> UnboundedSender<Result<LogEntry, AppError>> {
    let (sender, receiver) = unbounded_channel();
    *house.engine.lines.lock().expect("a lock") = Some(receiver);
    sender
}

async fn follow(program: &Program, query: &str, last: Option<&str>) -> Body {
    let mut request = Request::get(path(query)).header("accept", "text/event-stream");
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let response = program.open(request.body(Body::empty()).expect("a request")).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    response.into_body()
}

#[tokio::test]
async fn lines_are_asked_for_by_what_they_are() {
    let house = House::scripted().await;
    let query = "?tail=10&since=2023-11-14T22:13:20Z&severity=warning&filter=push%20it&own=true";
    let got = house.reader.get(&path(query)).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.text);
    let first = json!({ "at": "2023-11-14T22:13:20.001Z", "cursor": "2023-11-14T22:13:20.000000001Z",
                        "severity": "info", "text": "first", "own": false });
    assert_eq!(got.json["lines"][0], first);
    let view = house.engine.heard.lock().expect("a lock").views[0].0.clone();
    assert_eq!((view.tail, view.since, view.severity), (10, Some(1_700_000_000), Severity::Warning));
    assert_eq!((view.filter.as_str(), view.own), ("push it", true));
    house.reader.get(&path("")).await;
    assert_eq!(house.engine.heard.lock().expect("a lock").views[1].0, app::model::registry::LogView::default());
    for (query, field) in [
        ("?tail=5001", "tail"),
        ("?tail=-1", "tail"),
        ("?since=yesterday", "since"),
        ("?severity=fatal", "severity"),
        ("?level=info", "level"),
    ] {
        let got = house.reader.get(&path(query)).await;
        assert_eq!(got.problem(422)["errors"][0]["field"], field, "{query}: {}", got.text);
    }
    house.reader.get("/api/v1/registries/reg_0123456789ab/logs?follow=true").await.problem(404);
}

#[tokio::test]
async fn a_stream_goes_on_where_the_lines_end_and_where_it_was_cut_off() {
    let house = House::scripted().await;
    let sender = lines(&house);
    let mut body = follow(&house.reader, "", None).await;
    sender.send(Ok(line(3, Severity::Info, "third"))).expect("sent");
    let text = read_until(&mut body, "third").await;
    let ids: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
    let expected = [1, 2, 3].map(|n| line(n, Severity::Info, "").cursor);
    assert_eq!(ids, expected, "each once, in order: {text}");
    assert_eq!(text.matches("event: line\n").count(), 3, "{text}");
    let cursor = house.engine.heard.lock().expect("a lock").views.last().and_then(|(_, cursor)| cursor.clone());
    assert_eq!(cursor.as_deref(), Some(expected[1].as_str()), "it goes on behind what was sent");
    sender.send(Err(AppError::NotFound("task any more".into()))).expect("sent");
    drop(sender);
    let text = read_until(&mut body, "event: end").await;
    assert!(text.contains("event: error\n") && text.contains("\"status\":404"), "{text}");
    assert!(text.contains("event: end\n"), "{text}");

    let sender = lines(&house);
    let mut again = follow(&house.reader, "?follow=true", Some(&expected[2])).await;
    sender.send(Ok(line(4, Severity::Info, "fourth"))).expect("sent");
    let text = read_until(&mut again, "fourth").await;
    assert_eq!(text.matches("event: line\n").count(), 1, "{text}");
    let heard = house.engine.heard.lock().expect("a lock");
    assert_eq!(heard.views.last().expect("a view").1.as_deref(), Some(expected[2].as_str()));
}

#[tokio::test]
async fn streams_end_with_the_token_and_with_the_server() {
    let house = House::scripted().await;
    let mut one = follow(&house.program, "", None).await;
    let mut two = follow(&house.reader, "", None).await;
    read_until(&mut one, "second").await;
    read_until(&mut two, "second").await;
    house.revoke("monitoring").await;
    ends_within(&mut two, Duration::from_secs(6)).await;
    house.app.slipway.shutdown.cancel();
    ends_within(&mut one, Duration::from_secs(2)).await;
}

#[tokio::test]
async fn a_token_has_a_bounded_number_of_streams() {
    let house = House::scripted().await;
    let mut open = Vec::new();
    let refused = loop {
        assert!(open.len() < 100, "there is no bound");
        let request = Request::get(path("?follow=true")).body(Body::empty()).expect("a request");
        let response = house.reader.open(request).await;
        match response.status() {
            StatusCode::OK => open.push(response.into_body()),
            status => break status,
        }
    };
    assert!(refused == StatusCode::TOO_MANY_REQUESTS && open.len() >= 4, "{refused} after {}", open.len());
    drop(follow(&house.program, "", None).await);
    open.pop();
    drop(follow(&house.reader, "", None).await);
}
