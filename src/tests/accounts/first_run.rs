//! A1: the one-time token.

use crate::app::{PASSWORD, TestApp, setup_form};
use ::http::StatusCode;
use std::time::Duration;

async fn token(app: &TestApp) -> String {
    app.slipway.accounts.renew_setup_token().await.expect("the database answers").expect("nobody is here yet")
}

async fn accounts(app: &TestApp) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM accounts").fetch_one(app.slipway.db.read()).await.expect("counted")
}

#[tokio::test]
async fn a1_only_the_newest_token_works_once_within_the_hour() {
    let app = TestApp::new().await;
    let mut browser = app.browser();
    let old = token(&app).await;
    let new = token(&app).await;
    assert!(new.len() * 4 >= 128 && new != old);
    for wrong in ["", "0", old.as_str()] {
        let answer = browser.post("/api/accounts/set-up", &setup_form(wrong)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert!(!browser.is_signed_in().await);
    }
    app.clock.advance(Duration::from_secs(3_601));
    browser.post("/api/accounts/set-up", &setup_form(&new)).await;
    assert_eq!(accounts(&app).await, 0, "older than an hour");

    let new = token(&app).await;
    let kept: Vec<u8> =
        sqlx::query_scalar("SELECT hash FROM setup_token").fetch_one(app.slipway.db.read()).await.expect("is there");
    assert!(!kept.windows(new.len()).any(|part| part == new.as_bytes()), "only a hash is kept");
    let padded = format!(" {new}\n");
    assert_eq!(browser.post("/api/accounts/set-up", &setup_form(&padded)).await.location(), Some("/"));
    assert!(browser.is_signed_in().await);
    assert_eq!(accounts(&app).await, 1);
    assert!(app.slipway.accounts.renew_setup_token().await.expect("answers").is_none(), "no token after that");
    let again = app.browser().post("/api/accounts/set-up", &setup_form(&new)).await;
    assert_eq!(again.location(), Some("/sign-in"));
    assert_eq!(accounts(&app).await, 1);
}

#[tokio::test]
async fn a1_of_two_at_once_one_wins() {
    let app = TestApp::new().await;
    let token = token(&app).await;
    let (mut one, mut two) = (app.browser(), app.browser());
    let (form_one, mut form_two) = (setup_form(&token), setup_form(&token));
    form_two[1].1 = "second";
    tokio::join!(one.post("/api/accounts/set-up", &form_one), two.post("/api/accounts/set-up", &form_two));
    assert_eq!(accounts(&app).await, 1);
    assert!(one.is_signed_in().await != two.is_signed_in().await);
}

#[tokio::test]
async fn set_up_says_what_is_wrong_with_each_field() {
    let app = TestApp::new().await;
    let token = token(&app).await;
    let fields = [
        ("form[token]", token.as_str()),
        ("form[username]", "!"),
        ("form[password]", "short"),
        ("form[repeat]", PASSWORD),
    ];
    let request = crate::app::form("/api/accounts/set-up", &fields)
        .header("sec-fetch-site", "same-origin")
        .header("accept", "application/json")
        .body(axum::body::Body::from(crate::app::encode(&fields)))
        .expect("a request");
    let answer = app.browser().send(request).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    for field in ["username", "password", "repeat"] {
        assert!(answer.text.contains(&format!("\"field\":\"{field}\"")), "{}", answer.text);
    }
    assert!(!answer.text.contains("\"field\":\"token\"") && !answer.text.contains(&token));
}
