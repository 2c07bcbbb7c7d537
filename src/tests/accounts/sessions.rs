//! A5 to A8, A14: how sessions begin, what is kept of them, how they end.

use crate::app::{OWNER, PASSWORD, TestApp};
use slipway::http::session::COOKIE;
use std::time::Duration;

const NEW_PASSWORD: [(&str, &str); 3] = [
    ("form[current]", PASSWORD),
    ("form[password]", "another long password"),
    ("form[repeat]", "another long password"),
];

#[tokio::test]
async fn a5_the_id_changes_at_sign_in_and_password_change_and_comes_from_the_cookie_alone() {
    let app = TestApp::new().await;
    app.owner().await;
    let mut browser = app.browser();
    browser.sign_in("wrong").await;
    let before = browser.cookies.get(COOKIE).cloned().expect("a session for the form's errors");
    browser.sign_in(PASSWORD).await;
    let signed_in = browser.cookies.get(COOKIE).cloned().expect("a session");
    assert_ne!(before, signed_in);
    browser.post("/api/accounts/change-password", &NEW_PASSWORD).await;
    let changed = browser.cookies.get(COOKIE).cloned().expect("a session");
    assert_ne!(signed_in, changed);
    assert!(browser.is_signed_in().await);
    for old in [before, signed_in, "AAAAAAAAAAAAAAAAAAAAAA".into(), "../../x".into()] {
        let mut thief = app.browser();
        thief.cookies.insert(COOKIE.into(), old);
        assert!(!thief.is_signed_in().await);
    }
    let mut thief = app.browser();
    assert!(thief.get(&format!("/?{COOKIE}={changed}")).await.location().is_some());
}

#[tokio::test]
async fn a14_the_database_holds_neither_ids_nor_device_tokens() {
    let app = TestApp::new().await;
    let owner = app.owner().await;
    let rows: Vec<(Vec<u8>, String)> =
        sqlx::query_as("SELECT id_hash, data FROM sessions").fetch_all(app.slipway.db.read()).await.expect("read");
    let devices: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT token_hash FROM devices").fetch_all(app.slipway.db.read()).await.expect("read");
    assert_eq!((rows.len(), devices.len(), owner.cookies.len()), (1, 1, 2));
    for value in owner.cookies.values() {
        assert!(value.len() >= 22);
        for (hash, data) in &rows {
            assert!(!String::from_utf8_lossy(hash).contains(value) && !data.contains(value));
        }
        assert!(devices.iter().all(|hash| !String::from_utf8_lossy(hash).contains(value)));
    }
}

#[tokio::test]
async fn a6_unused_sessions_end_after_twelve_hours_and_all_after_a_week() {
    let app = TestApp::new().await;
    let mut used = app.owner().await;
    let mut unused = app.browser();
    unused.sign_in(PASSWORD).await;
    let hour = Duration::from_secs(3_600);
    for _ in 0..13 {
        app.clock.advance(hour);
        assert!(used.is_signed_in().await);
    }
    assert!(!unused.is_signed_in().await);
    for _ in 13..(7 * 24 - 1) {
        app.clock.advance(hour);
        assert!(used.is_signed_in().await);
    }
    app.clock.advance(2 * hour);
    assert!(!used.is_signed_in().await);
    app.slipway.web.sessions.sweep().await.expect("swept");
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sessions").fetch_one(app.slipway.db.read()).await.expect("counted");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a7_signing_out_ends_the_session_at_once() {
    let app = TestApp::new().await;
    let mut browser = app.owner().await;
    let mut thief = browser.clone();
    let answer = browser.post("/api/accounts/sign-out", &[]).await;
    assert_eq!(answer.location(), Some("/sign-in"));
    assert_eq!(answer.header("clear-site-data"), Some("\"cache\""));
    assert!(!browser.cookies.contains_key(COOKIE));
    assert!(!thief.is_signed_in().await);
}

#[tokio::test]
async fn a7_a8_signing_out_everywhere_and_a_new_password_end_the_others() {
    let app = TestApp::new().await;
    let mut one = app.owner().await;
    let mut others = Vec::new();
    for _ in 0..5 {
        let mut other = app.browser();
        other.sign_in(PASSWORD).await;
        others.push(other);
    }
    one.post("/api/accounts/change-password", &NEW_PASSWORD).await;
    assert!(one.is_signed_in().await);
    for other in &mut others {
        assert!(!other.is_signed_in().await);
    }
    let mut other = app.browser();
    assert_eq!(other.sign_in(PASSWORD).await.location(), Some("/"), "back to the overview, which leads to the form");
    assert!(!other.is_signed_in().await, "the old password is void");
    other.sign_in("another long password").await;
    assert!(other.is_signed_in().await);
    other.post("/api/accounts/sign-out-everywhere", &[]).await;
    assert!(!other.is_signed_in().await && !one.is_signed_in().await);
}

#[tokio::test]
async fn an_account_that_is_gone_is_nobody_at_once() {
    let app = TestApp::new().await;
    let mut owner = app.owner().await;
    let mut tx = app.slipway.db.write().await.expect("a transaction");
    sqlx::query("DELETE FROM accounts WHERE username = ?").bind(OWNER).execute(&mut *tx).await.expect("deleted");
    tx.commit().await.expect("written");
    assert!(!owner.is_signed_in().await);
}
