//! C8, C9, A9: headers of every answer, and cookies.

use crate::app::{Answer, PASSWORD, TestApp};
use ::http::{Request, StatusCode};
use axum::body::Body;

fn check(answer: &Answer, what: &str) {
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{what}");
    assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "{what}");
    assert_eq!(answer.header("cross-origin-opener-policy"), Some("same-origin"), "{what}");
    assert!(answer.header("permissions-policy").is_some(), "{what}");
    assert!(answer.header("x-request-id").is_some(), "{what}");
    assert!(answer.header("access-control-allow-origin").is_none(), "{what}");
    assert!(answer.header("x-slipway-refused").is_none(), "{what}");
    let policy = answer.header("content-security-policy").expect(what);
    for rule in ["object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'", "script-src"] {
        assert!(policy.contains(rule), "{what}: {policy}");
    }
    assert!(!policy.contains("'unsafe-inline'") && !policy.contains("'unsafe-eval'"), "{what}: {policy}");
    if let Some(kind) = answer.header("content-type")
        && kind.starts_with("text/")
    {
        assert!(kind.contains("charset=utf-8"), "{what}: {kind}");
    }
}

#[tokio::test]
async fn c8_c9_every_answer_has_the_headers() {
    let app = TestApp::new().await;
    let mut owner = app.owner().await;
    let mut pages: Vec<String> =
        app::routes::PATHS.iter().map(|path| path.replace("{id}", "srv_0123456789ab")).collect();
    pages.extend(
        ["/", "/nowhere", "/healthz", "/readyz", "/favicon.svg", "/robots.txt", "/assets/none.css"].map(str::to_owned),
    );
    for page in &pages {
        for browser in [&mut owner, &mut app.browser()] {
            let answer = browser.get(page).await;
            check(&answer, page);
            assert!(answer.status != StatusCode::INTERNAL_SERVER_ERROR, "{page}");
            if !page.starts_with("/assets") && !page.contains('.') {
                assert_eq!(answer.header("cache-control"), Some("no-store"), "{page}");
            }
        }
    }
    check(&owner.post("/api/accounts/sign-in", &[]).await, "an incomplete form");
    check(
        &owner.send(Request::post("/api/accounts/sign-out").body(Body::empty()).expect("a request")).await,
        "a refusal",
    );
    let mut lost = app.browser();
    lost.host = String::from("evil.example");
    check(&lost.get("/").await, "another host");
}

#[tokio::test]
async fn c9_assets_keep_for_ever_and_know_their_etag() {
    let app = TestApp::new().await;
    let css = slipway::http::assets::Site::assets().css;
    if css.is_empty() {
        println!("This build has no site (scripts/build-site): nothing to look at.");
        return;
    }
    let mut browser = app.browser();
    let ask = |encoding: &'static str, etag: String| {
        Request::get(&css)
            .header("accept-encoding", encoding)
            .header("if-none-match", etag)
            .body(Body::empty())
            .expect("a request")
    };
    let answer = browser.send(ask("gzip, br", String::from("\"other\""))).await;
    check(&answer, "the style sheet");
    assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(answer.header("content-encoding"), Some("br"));
    assert_eq!(answer.header("vary"), Some("accept-encoding"));
    let etag = answer.header("etag").expect("an etag").to_owned();
    assert_eq!(browser.send(ask("gzip, br", etag)).await.status, StatusCode::NOT_MODIFIED);
    let plain = browser.send(ask("identity", String::from("\"other\""))).await;
    assert_eq!((plain.status, plain.header("content-encoding")), (StatusCode::OK, None));
    for outside in ["/assets/../manifest.json", "/assets/%2e%2e/manifest.json", "/assets/..%2fmanifest.json"] {
        assert_eq!(browser.get(outside).await.status, StatusCode::NOT_FOUND, "{outside}");
    }
}

#[tokio::test]
async fn hsts_is_sent_when_people_come_over_tls() {
    let app = TestApp::with(&[("SLIPWAY_PUBLIC_URL", "https://slipway.example")]).await;
    let mut browser = app.browser();
    browser.host = "slipway.example".into();
    assert!(browser.get("/setup").await.header("strict-transport-security").is_some());
    assert!(TestApp::new().await.browser().get("/setup").await.header("strict-transport-security").is_none());
    browser.host = "attacker.test".into();
    assert_eq!(browser.get("/setup").await.status, StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test]
async fn a9_cookies_are_host_only_secure_and_not_for_scripts() {
    let app = TestApp::new().await;
    app.owner().await;
    let answer = app.browser().sign_in(PASSWORD).await;
    let cookies = answer.set_cookies();
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    for cookie in cookies {
        assert!(cookie.starts_with("__Host-slipway"), "{cookie}");
        for attribute in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        assert!(!cookie.to_ascii_lowercase().contains("domain"), "{cookie}");
    }
}

#[tokio::test]
async fn a9_over_plain_http_from_elsewhere_nobody_signs_in_and_the_answer_says_why() {
    let app = TestApp::new().await;
    app.owner().await;
    for host in ["192.0.2.7:7400", "slipway.lan:7400", "slipway.lan"] {
        let mut browser = app.browser();
        browser.host = host.into();
        for answer in [browser.get("/sign-in").await, browser.sign_in(PASSWORD).await] {
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{host}");
            assert!(answer.set_cookies().is_empty(), "{host}");
            assert!(answer.text.contains("plain HTTP") && answer.text.contains("public-url"), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn a9_a_trusted_proxy_with_tls_counts_as_tls_and_others_do_not() {
    let app = TestApp::with(&[("SLIPWAY_TRUSTED_PROXIES", "10.0.0.1")]).await;
    app.owner().await;
    for (peer, status) in [("10.0.0.1", StatusCode::SEE_OTHER), ("10.0.0.2", StatusCode::FORBIDDEN)] {
        let mut browser = app.browser();
        browser.host = "slipway.example".into();
        browser.peer = peer.parse().expect("an address");
        let request = Request::get("/builds").header("x-forwarded-proto", "https").header("accept", "text/html");
        assert_eq!(browser.send(request.body(Body::empty()).expect("a request")).await.status, status, "{peer}");
    }
}
