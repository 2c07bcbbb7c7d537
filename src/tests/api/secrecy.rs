//! A token is in no log, no row, no file and no address.

use super::House;
use crate::app::TestApp;
use ::http::Request;
use ::http::StatusCode;
use ::http::header::AUTHORIZATION;
use axum::body::Body;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// All bytes below a folder.
fn bytes(folder: &Path) -> Vec<u8> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(bytes(&path));
        } else if let Ok(file) = std::fs::read(&path) {
            found.extend(file);
        }
    }
    found
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn no_token_is_logged_or_kept_in_clear() {
    let kept = Kept::default();
    let writer = kept.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let house = House::open().await;
    // Tests beside this one may just have learned that nobody listens.
    tracing::callsite::rebuild_interest_cache();
    let House { app, mut owner, program, reader, .. } = house;

    let fields = [("page", "/settings/tokens"), ("form[name]", "page"), ("form[scope]", "everything")];
    let answer = owner.post("/api/tokens/create", &fields).await;
    let page = owner.get(answer.location().expect("a redirect")).await;
    let shown =
        page.text.split("id=\"new-token\">").nth(1).and_then(|rest| rest.split('<').next()).expect("it is shown");
    let texts = [program.token.clone(), reader.token.clone(), shown.to_owned()];
    for path in ["/api/v1/registries", "/api/v1/nowhere", "/api/v1/registries/reg_0123456789ab/logs?follow=true"] {
        for text in &texts {
            let request = Request::get(path).header(AUTHORIZATION, format!("Bearer {text}"));
            let got = reader.send(request.body(Body::empty()).expect("a request")).await;
            assert_ne!(got.status, StatusCode::UNAUTHORIZED, "{path}");
            assert!(!got.text.contains(text.as_str()), "{path} repeats it");
        }
    }
    for again in ["/settings/tokens", "/settings", "/jobs", "/"] {
        let page = owner.get(again).await;
        assert!(texts.iter().all(|text| !page.text.contains(text.as_str())), "{again} shows one");
    }
    let wrong = format!("slw_{}", "x".repeat(43));
    let request = Request::get("/api/v1/registries").header(AUTHORIZATION, format!("Bearer {wrong}"));
    let got = reader.send(request.body(Body::empty()).expect("a request")).await;
    assert!(got.status == StatusCode::UNAUTHORIZED && !got.text.contains(&wrong));

    let TestApp { slipway, router, folder, .. } = app;
    let open = bytes(folder.path());
    drop((router, owner, program, reader));
    slipway.stop().await;
    let closed = bytes(folder.path());
    let logged = kept.0.lock().expect("a lock").clone();
    let log = String::from_utf8_lossy(&logged);
    assert!(log.contains("an API token was created") && log.contains("/api/v1/registries"), "{log}");
    for text in texts.iter().chain([&wrong]) {
        // Not even the part behind the prefix.
        let digits = &text[4..];
        assert!(!holds(&open, digits) && !holds(&closed, digits), "a file has a token");
        assert!(!holds(&logged, digits), "the log has a token");
    }
    assert!(holds(&closed, "monitoring"), "the names are there, so the right files were searched");
}
