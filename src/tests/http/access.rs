//! Z1 and A1: nothing answers that isn't in the table, and nobody gets in without an account.

use crate::app::{Browser, TestApp};
use ::http::{Method, Request, StatusCode};
use axum::body::Body;
use slipway::http::OWN_PATHS;
use slipway::http::permissions::{Access, Entry, TABLE, find};

/// Every address that the program has: pages and their pieces, server functions, its own.
fn all_addresses() -> Vec<(Method, String)> {
    let pages = app::routes::PATHS.iter().chain(app::routes::PARTS).map(|path| (Method::GET, (*path).to_owned()));
    let own = OWN_PATHS.iter().map(|path| (Method::GET, (*path).to_owned()));
    let functions = server_fn::axum::server_fn_paths().map(|(path, method)| (method, path.to_owned()));
    let api = slipway::http::api::routes().map(|(method, path)| (method, path.to_owned()));
    let hooks = slipway::http::hooks::PATHS.iter().map(|path| (Method::POST, (*path).to_owned()));
    pages.chain(own).chain(functions).chain(api).chain(hooks).collect()
}

/// An address that fits the pattern.
fn example(pattern: &str) -> String {
    pattern.replace("{id}", "job_0123456789ab").replace("{*path}", "none.css")
}

async fn ask(browser: &mut Browser, method: &Method, pattern: &str, accept: &str) -> (StatusCode, Option<String>) {
    let request = Request::builder()
        .method(method)
        .uri(example(pattern))
        .header("accept", accept)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("content-length", "0")
        .body(Body::empty())
        .expect("a request");
    let answer = browser.send(request).await;
    (answer.status, answer.location().map(str::to_owned))
}

#[test]
fn z1_every_address_has_an_entry_and_every_entry_an_address() {
    let all = all_addresses();
    let functions = all.iter().filter(|(_, path)| path.starts_with("/api/")).count();
    assert!(functions >= 5, "the linker dropped the server functions: {functions} left");
    for (method, path) in &all {
        assert!(matches!(find(method, path), Entry::Found(_)), "{method} {path} has no entry in http/permissions.rs");
    }
    for (method, path, _) in TABLE {
        let exists = all.iter().any(|(m, p)| m == *method && p == path);
        // Pages come from another part; the entry of one that isn't there yet does no harm.
        assert!(exists || !path.starts_with("/api/"), "{method} {path} is in the table but doesn't exist");
    }
}

#[tokio::test]
async fn z1_anonymous_gets_nothing_but_the_allow_list() {
    let app = TestApp::new().await;
    app.owner().await;
    let mut browser = app.browser();
    for (method, path) in all_addresses() {
        let Entry::Found(access) = find(&method, &path) else { panic!("{path} has no entry") };
        let page = ask(&mut browser, &method, &path, "text/html").await;
        let program = ask(&mut browser, &method, &path, "application/json").await;
        match access {
            Access::SignedIn(_) => {
                assert_eq!(page.0, StatusCode::SEE_OTHER, "{path}");
                assert!(page.1.as_deref().is_some_and(|to| to.starts_with("/sign-in")), "{path}: {page:?}");
                assert_eq!(program.0, StatusCode::UNAUTHORIZED, "{path}");
            }
            Access::SetupOnly => {
                assert_eq!(page, (StatusCode::SEE_OTHER, Some("/sign-in".into())), "{path}");
                assert_eq!(program.0, StatusCode::NOT_FOUND, "{path}");
            }
            Access::Bearer(_) => {
                assert_eq!((page.0, program.0), (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED), "{path}");
            }
            Access::Signed => {
                assert_eq!((page.0, program.0), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND), "{path}");
            }
            Access::Public | Access::Always => assert_ne!(program.0, StatusCode::UNAUTHORIZED, "{path}"),
        }
    }
    let unknown = ask(&mut browser, &Method::GET, "/nowhere", "application/json").await;
    assert_eq!(unknown.0, StatusCode::UNAUTHORIZED, "what isn't in the table doesn't show itself");
    assert!(browser.cookies.is_empty(), "looking around makes no session: {:?}", browser.cookies);
}

#[tokio::test]
async fn a1_before_set_up_only_set_up_health_and_assets_answer() {
    let app = TestApp::new().await;
    let mut browser = app.browser();
    for (method, path) in all_addresses() {
        let Entry::Found(access) = find(&method, &path) else { panic!("{path} has no entry") };
        let page = ask(&mut browser, &method, &path, "text/html").await;
        let program = ask(&mut browser, &method, &path, "application/json").await;
        if matches!(access, Access::Always | Access::SetupOnly) {
            assert_ne!(page, (StatusCode::SEE_OTHER, Some("/setup".into())), "{path}");
        } else if matches!(access, Access::Bearer(_)) {
            assert_eq!(
                (page.0, program.0),
                (StatusCode::SERVICE_UNAVAILABLE, StatusCode::SERVICE_UNAVAILABLE),
                "{path}"
            );
        } else {
            assert_eq!(page, (StatusCode::SEE_OTHER, Some("/setup".into())), "{path}");
            assert_eq!(program.0, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        }
    }
    assert!(app.needs_setup().await);
}

#[tokio::test]
async fn the_sign_in_page_leads_back_and_the_signed_in_find_what_is_missing_missing() {
    let app = TestApp::new().await;
    let mut owner = app.owner().await;
    let answer = app.browser().get("/builds?page=2").await;
    assert_eq!(answer.location(), Some("/sign-in?next=%2Fbuilds%3Fpage%3D2"));
    assert_eq!(owner.get("/nowhere").await.status, StatusCode::NOT_FOUND);
    assert_eq!(owner.get("/jobs/../etc").await.status, StatusCode::NOT_FOUND);
    assert_eq!(owner.post("/api/none/such", &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn health_names_each_part() {
    let app = TestApp::new().await;
    let mut browser = app.browser();
    browser.host = "anything.example".into();
    assert_eq!(browser.get("/healthz").await.text, "ok\n");
    let ready = browser.get("/readyz").await;
    let parts: serde_json::Value = serde_json::from_str(&ready.text).expect("JSON");
    assert_eq!(parts["database"]["ready"], true, "{parts}");
    for part in ["docker", "swarm"] {
        assert!(parts[part]["ready"].is_boolean(), "{parts}");
    }
    let expected = if parts["ready"] == true { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    assert_eq!(ready.status, expected);
}
