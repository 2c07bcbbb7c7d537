//! Who gets in: tokens alone, and each as far as it may.

use super::{Got, House, Program};
use crate::app::{PASSWORD, TestApp};
use ::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use ::http::{Method, Request, StatusCode};
use axum::body::Body;
use slipway::http::api;
use slipway::http::permissions::{Access, Entry, find, methods};
use std::time::Duration;

const LIST: &str = "/api/v1/registries";

fn example(path: &str) -> String {
    let id = if path.contains("/jobs/") { "job_0123456789ab" } else { "reg_0123456789ab" };
    path.replace("{id}", id)
}

async fn with(program: &Program, path: &str, header: &str) -> Got {
    program.send(Request::get(path).header(AUTHORIZATION, header).body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn nobody_gets_in_without_a_token_and_the_answer_says_how() {
    let house = House::open().await;
    let stranger = house.stranger();
    for (method, path) in api::routes() {
        let got = stranger.ask(&method, &example(path), None).await;
        if find(&method, path) == Entry::Found(Access::Always) {
            assert_eq!(got.status, StatusCode::OK, "{path}");
            continue;
        }
        got.problem(401);
        assert_eq!(got.header("www-authenticate"), "Bearer realm=\"Slipway\"", "{path}");
    }
    let unknown = stranger.get("/api/v1/nowhere").await;
    unknown.problem(401);
    for header in ["Basic b3duZXI6eA==", "Bearer", "slw_x", ""] {
        with(&stranger, LIST, header).await.problem(401);
    }
    let wrong = with(&stranger, LIST, &format!("Bearer slw_{}", "0".repeat(43))).await;
    assert!(wrong.problem(401)["detail"].as_str().is_some_and(|text| text.contains("isn't one of")), "{}", wrong.text);
    assert!(wrong.header("www-authenticate").contains("invalid_token"), "{wrong:?}");
    assert_eq!(with(&stranger, LIST, &format!("bearer {}", house.program.token)).await.status, StatusCode::OK);
    let twice = Request::get(LIST)
        .header(AUTHORIZATION, format!("Bearer {}", house.program.token))
        .header(AUTHORIZATION, "Bearer slw_other")
        .body(Body::empty())
        .expect("a request");
    house.stranger().send(twice).await.problem(401);
}

#[tokio::test]
async fn a_session_opens_nothing_here_and_a_token_nothing_elsewhere() {
    let house = House::open().await;
    let mut owner = house.owner.clone();
    assert!(owner.is_signed_in().await);
    for (method, path) in api::routes().filter(|(_, path)| !path.ends_with("openapi.json")) {
        let request = Request::builder().method(&method).uri(example(path)).header("sec-fetch-site", "same-origin");
        let answer = owner.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        assert!(answer.set_cookies().is_empty(), "{path}");
    }
    for path in ["/", "/settings", "/settings/tokens", "/registries"] {
        let got = house.program.get(path).await;
        assert_eq!(got.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let form = Request::post("/api/tokens/create")
        .header("sec-fetch-site", "same-origin")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from("form[name]=x&form[scope]=everything"))
        .expect("a request");
    assert_eq!(house.program.send(form).await.status, StatusCode::UNAUTHORIZED);
    // With both, the token counts, and the answer touches no session.
    let cookies: Vec<_> = owner.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let both = Request::get(LIST).header(COOKIE, cookies.join("; ")).body(Body::empty()).expect("a request");
    let got = house.reader.send(both).await;
    assert!(got.status == StatusCode::OK && !got.headers.contains_key("set-cookie"), "{got:?}");
}

#[tokio::test]
async fn a_token_for_reading_changes_nothing() {
    let house = House::scripted().await;
    let id = super::engine::id();
    for (method, path) in api::routes() {
        let Entry::Found(access) = find(&method, path) else { panic!("{path} has no entry") };
        let is_for_reading = matches!(access, Access::Always | Access::Bearer(app::model::account::Action::Read));
        assert_eq!(is_for_reading, method == Method::GET, "{method} {path}");
        if !is_for_reading {
            let got = house.reader.ask(&method, &path.replace("{id}", id.as_str()), None).await;
            let problem = got.problem(403);
            assert!(problem["detail"].as_str().is_some_and(|text| text.contains("only read")), "{}", got.text);
            assert!(got.header("www-authenticate").contains("insufficient_scope"), "{got:?}");
        }
    }
    let fresh = house.reader.get(&format!("{LIST}/{id}/status?fresh=true")).await;
    fresh.problem(403);
    assert_eq!(house.engine.heard.lock().expect("a lock").checks, 0);
    assert_eq!(house.reader.get(&format!("{LIST}/{id}/status")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn revoked_and_expired_tokens_say_what_they_are() {
    let house = House::open().await;
    assert_eq!(house.reader.get(LIST).await.status, StatusCode::OK);
    house.revoke("monitoring").await;
    let got = house.reader.get(LIST).await;
    assert!(got.problem(401)["detail"].as_str().is_some_and(|text| text.contains("revoked")), "{}", got.text);
    house.app.clock.advance(Duration::from_secs(31 * 86_400));
    let got = house.program.get(LIST).await;
    assert!(got.problem(401)["detail"].as_str().is_some_and(|text| text.contains("expired")), "{}", got.text);
}

#[tokio::test]
async fn wrong_tokens_have_to_wait() {
    let house = House::open().await;
    let header = format!("Bearer slw_{}", "9".repeat(43));
    let mut got = with(&house.stranger(), LIST, &header).await;
    for _ in 0..100 {
        if got.status != StatusCode::UNAUTHORIZED {
            break;
        }
        got = with(&house.stranger(), LIST, &header).await;
    }
    let seconds = got.problem(429)["retry_after"].as_u64().expect("a number");
    assert!((1..=3).contains(&seconds) && got.header("retry-after") == seconds.to_string(), "{got:?}");
    assert_eq!(house.program.get(LIST).await.status, StatusCode::OK, "a good token doesn't wait");
}

#[tokio::test]
async fn tokens_are_not_taken_over_plain_http_nor_at_other_hosts() {
    let house = House::open().await;
    let mut program = house.program.clone();
    program.browser.host = "slipway.lan:7400".into();
    assert!(program.get(LIST).await.problem(403)["detail"].as_str().is_some_and(|text| text.contains("plain HTTP")));
    let app = TestApp::with(&[("SLIPWAY_PUBLIC_URL", "https://slipway.example")]).await;
    app.owner().await;
    let mut program = Program { browser: app.browser(), token: super::token(&app, "ci", "read").await };
    program.browser.host = "slipway.example".into();
    assert_eq!(program.get(LIST).await.status, StatusCode::OK);
    program.browser.host = "attacker.test".into();
    program.get(LIST).await.problem(421);
}

#[tokio::test]
async fn before_set_up_the_api_says_so() {
    let app = TestApp::new().await;
    let stranger = Program { browser: app.browser(), token: String::new() };
    assert_eq!(stranger.get(LIST).await.problem(503)["type"], "/problems/setup.needed");
    assert_eq!(stranger.get("/api/v1/openapi.json").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_password_that_changes_leaves_tokens_and_an_account_takes_them_along() {
    let house = House::open().await;
    let mut owner = house.owner.clone();
    let fields = [
        ("form[current]", PASSWORD),
        ("form[password]", "another long password"),
        ("form[repeat]", "another long password"),
    ];
    assert_eq!(owner.post("/api/accounts/change-password", &fields).await.location(), Some("/settings"));
    assert_eq!(house.program.get(LIST).await.status, StatusCode::OK);
    let mut tx = house.app.slipway.db.write().await.expect("a transaction");
    sqlx::query("DELETE FROM accounts").execute(&mut *tx).await.expect("deleted");
    sqlx::query("INSERT INTO accounts VALUES ('acc_0123456789ab', 'other', '', 'owner', 0, 0)")
        .execute(&mut *tx)
        .await
        .expect("inserted");
    tx.commit().await.expect("written");
    house.program.get(LIST).await.problem(401);
}

#[tokio::test]
async fn addresses_and_methods_that_are_none_are_problems_too() {
    let house = House::open().await;
    for path in ["/api/v1", "/api/v1/", "/api/v1/nowhere", "/api/v1/registries/", "/api/v1/%72egistries"] {
        for method in [Method::GET, Method::POST, Method::DELETE, Method::OPTIONS] {
            house.program.ask(&method, path, None).await.problem(404);
        }
    }
    for (method, path) in api::routes() {
        for other in [Method::PUT, Method::PATCH, Method::OPTIONS, Method::GET, Method::DELETE] {
            if methods(path).any(|allowed| *allowed == other) {
                continue;
            }
            let got = house.program.ask(&other, &example(path), None).await;
            got.problem(405);
            assert!(got.header("allow").split(", ").any(|allowed| allowed == method.as_str()), "{got:?}");
        }
    }
    let got = house.program.ask(&Method::HEAD, LIST, None).await;
    assert!(got.status == StatusCode::OK && got.text.is_empty(), "{got:?}");
}

#[tokio::test]
async fn every_answer_has_the_headers() {
    let house = House::open().await;
    for got in [
        house.program.get(LIST).await,
        house.program.get("/api/v1/nowhere").await,
        house.stranger().get(LIST).await,
        house.stranger().get("/api/v1/openapi.json").await,
    ] {
        assert_eq!(got.header("cache-control"), "no-store", "{got:?}");
        assert_eq!(got.header("x-content-type-options"), "nosniff", "{got:?}");
        assert!(got.header("content-security-policy").contains("default-src 'none'"), "{got:?}");
        assert!(!got.header("x-request-id").is_empty() && !got.headers.contains_key("set-cookie"), "{got:?}");
        assert!(!got.headers.contains_key("access-control-allow-origin"), "{got:?}");
    }
}
