//! A3, A4, A11: guessing, telling names apart, odd passwords.

use crate::app::{Browser, OWNER, PASSWORD, TestApp, encode, form, sign_in_form};
use ::http::StatusCode;
use app::error::AppError;
use axum::body::Body;
use std::time::Duration;

/// As a program, which gets the error as it is.
async fn try_in(browser: &mut Browser, username: &str, password: &str) -> Result<(), AppError> {
    let fields = sign_in_form(username, password);
    let request = form("/api/accounts/sign-in", &fields)
        .header("sec-fetch-site", "same-origin")
        .header("accept", "application/json")
        .body(Body::from(encode(&fields)))
        .expect("a request");
    let answer = browser.send(request).await;
    if answer.status.is_client_error() {
        return Err(serde_json::from_str(&answer.text).expect("an error"));
    }
    assert!(answer.status.is_success() || answer.status == StatusCode::SEE_OTHER, "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn a3_strangers_wait_and_the_owners_browser_gets_in() {
    let app = TestApp::new().await;
    let mut owner = app.owner().await;
    owner.post("/api/accounts/sign-out", &[]).await;
    let (mut computed, mut waits) = (0, 0);
    for guess in 0..60_u8 {
        let mut stranger = app.browser();
        stranger.peer = std::net::Ipv4Addr::new(10, 0, 0, guess).into();
        match try_in(&mut stranger, OWNER, &format!("guess {guess}")).await {
            Err(AppError::Wait { seconds, reason }) => {
                assert!((1..=6).contains(&seconds) && reason.contains(&seconds.to_string()), "{reason}");
                waits += 1;
            }
            Err(AppError::Invalid(_)) => computed += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(computed <= 15 && waits >= 45, "{computed} computed, {waits} waited");
    let mut stranger = app.browser();
    assert!(matches!(try_in(&mut stranger, OWNER, PASSWORD).await, Err(AppError::Wait { .. })), "even if right");
    assert!(try_in(&mut owner, OWNER, PASSWORD).await.is_ok(), "but from a known browser");
    let noted: i64 = sqlx::query_scalar("SELECT count(*) FROM activity WHERE verb = 'refused sign-in'")
        .fetch_one(app.slipway.db.read())
        .await
        .expect("counted");
    assert!(noted <= 2, "{noted} entries for one burst");
    app.clock.advance(Duration::from_secs(60));
    assert!(try_in(&mut app.browser(), OWNER, PASSWORD).await.is_ok(), "later everybody may try again");
}

#[tokio::test]
async fn a4_a_wrong_name_and_a_wrong_password_get_the_same_answer() {
    let app = TestApp::new().await;
    app.owner().await;
    let mut browser = app.browser();
    let wrong_password = try_in(&mut browser, OWNER, "wrong").await.expect_err("refused");
    for name in ["nobody", "", "../etc", "\u{0}", &"x".repeat(10_000)] {
        assert_eq!(try_in(&mut browser, name, "wrong").await.expect_err("refused"), wrong_password, "{name:?}");
    }
    let names: Vec<String> = sqlx::query_scalar("SELECT subject || detail FROM activity")
        .fetch_all(app.slipway.db.read())
        .await
        .expect("read");
    assert!(names.iter().all(|name| !name.contains("nobody")), "what was typed isn't kept: {names:?}");
}

#[tokio::test]
async fn a11_passwords_have_a_cap_and_a_normal_form() {
    let app = TestApp::new().await;
    app.owner().await;
    let huge = "x".repeat(1_000_000);
    let error = try_in(&mut app.browser(), OWNER, &huge).await.expect_err("refused");
    assert!(error.to_string().contains("1024"), "{error}");
    let accounts = &app.slipway.accounts;
    let secret = |text: &str| app::model::secret::Secret::new(text.to_owned());
    assert!(accounts.create("long", &secret(&"x".repeat(1_025))).await.is_err());
    let (composed, decomposed) = ("pässwörter sind schön", "pa\u{308}sswo\u{308}rter sind scho\u{308}n");
    accounts.create("unicode", &secret(composed)).await.expect("created");
    assert!(try_in(&mut app.browser(), "Unicode", decomposed).await.is_ok());
    accounts.create("sixty-four", &secret(&"y".repeat(64))).await.expect("created");
    assert!(try_in(&mut app.browser(), "sixty-four", &"y".repeat(63)).await.is_err());
    assert!(try_in(&mut app.browser(), "sixty-four", &"y".repeat(64)).await.is_ok());
}
