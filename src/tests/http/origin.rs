//! C1 to C5: what other sites, links and odd methods can do, which is nothing.

use crate::app::{Answer, Browser, HOST_HERE, OWNER, PASSWORD, TestApp, encode, form, sign_in_form};
use ::http::{Method, Request, StatusCode};
use axum::body::Body;

async fn post_from(browser: &mut Browser, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = form(path, &[]);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    browser.send(request.body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn c1_c2_no_server_function_works_from_elsewhere() {
    let app = TestApp::new().await;
    let mut owner = app.owner().await;
    let own = format!("http://{HOST_HERE}");
    for (path, _) in server_fn::axum::server_fn_paths() {
        for headers in [
            &[][..],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("origin", "null")],
            &[("origin", "http://127.0.0.1:7401")],
            &[("origin", "http://sub.127.0.0.1:7400")],
            &[("sec-fetch-site", "cross-site"), ("origin", own.as_str())],
        ] {
            let answer = post_from(&mut owner, path, headers).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {headers:?}");
        }
    }
    assert!(owner.is_signed_in().await, "nobody signed the owner out");
    let answer = post_from(&mut owner, "/api/accounts/sign-out", &[("origin", &own), ("accept", "text/html")]).await;
    assert_eq!(answer.location(), Some("/sign-in"), "our own page does");
}

#[tokio::test]
async fn c3_reading_methods_change_nothing() {
    let app = TestApp::new().await;
    let mut owner = app.owner().await;
    for (path, _) in server_fn::axum::server_fn_paths() {
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::PATCH] {
            let request = Request::builder()
                .method(&method)
                .uri(path)
                .header("sec-fetch-site", "same-origin")
                .header("x-http-method-override", "POST")
                .body(Body::empty())
                .expect("a request");
            assert_eq!(owner.send(request).await.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        }
    }
    assert!(owner.is_signed_in().await);
    let request = Request::post("/sign-in").header("sec-fetch-site", "same-origin").body(Body::empty());
    let answer = owner.send(request.expect("a request")).await;
    assert_eq!((answer.status, answer.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, Some("GET")));
}

#[tokio::test]
async fn c4_a_form_never_leads_away() {
    let app = TestApp::new().await;
    app.owner().await;
    for field in ["next", "page"] {
        for to in
            ["//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example/", "evil", "/\t/evil"]
        {
            for password in [PASSWORD, "wrong"] {
                let mut fields = sign_in_form(OWNER, password).to_vec();
                fields.push((field, to));
                let request = form("/api/accounts/sign-in", &fields)
                    .header("sec-fetch-site", "same-origin")
                    .header("accept", "text/html")
                    .header("referer", "https://evil.example/");
                let mut browser = app.browser();
                let answer = browser.send(request.body(Body::from(encode(&fields))).expect("a request")).await;
                let location = answer.location().unwrap_or_default();
                assert!(location.starts_with('/') && !location.contains("evil"), "{field}={to}: {location}");
                app.clock.advance(std::time::Duration::from_secs(60));
            }
        }
    }
    let mut fields = sign_in_form(OWNER, PASSWORD).to_vec();
    fields.push(("next", "/builds?of=1"));
    assert_eq!(app.browser().post("/api/accounts/sign-in", &fields).await.location(), Some("/builds?of=1"));
}

#[tokio::test]
async fn c5_event_streams_are_for_our_pages() {
    let app = TestApp::new().await;
    let mut owner = app.owner().await;
    for (headers, is_refused) in [
        (&[][..], true),
        (&[("sec-fetch-site", "cross-site")], true),
        (&[("origin", "https://evil.example")], true),
        (&[("sec-fetch-site", "same-origin")], false),
    ] {
        let mut request = Request::get("/jobs/job_0123456789ab/log").header("accept", "text/event-stream");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = owner.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status == StatusCode::FORBIDDEN, is_refused, "{headers:?}");
    }
}

/// Pieces of pages may ask registries, which another site must not cause.
#[tokio::test]
async fn pieces_for_islands_are_for_our_own_pages() {
    let app = TestApp::new().await;
    let mut owner = app.owner().await;
    for (site, status) in [
        (Some("same-origin"), StatusCode::OK),
        (Some("cross-site"), StatusCode::FORBIDDEN),
        (Some("same-site"), StatusCode::FORBIDDEN),
        (Some("none"), StatusCode::FORBIDDEN),
        (None, StatusCode::FORBIDDEN),
    ] {
        for path in app::routes::PARTS {
            let mut request = Request::get(*path);
            if let Some(site) = site {
                request = request.header("sec-fetch-site", site);
            }
            let answer = owner.send(request.body(Body::empty()).expect("a request")).await;
            assert_eq!(answer.status, status, "{path} {site:?}");
        }
    }
}
