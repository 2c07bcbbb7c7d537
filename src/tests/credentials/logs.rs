//! K5: whatever happens, at the most talkative level, neither password nor token is in the log.

use super::{CANARY, House, accepts_canary, assert_no_canary, form};
use crate::liar::{Liar, Reply};
use app::api::credentials::CredentialsApi as _;
use std::io::Write;
use std::sync::{Arc, Mutex};

/// Keeps what is logged.
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

#[tokio::test]
async fn no_password_and_no_token_is_logged() {
    let kept = Kept::default();
    let writer = kept.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    // Tests beside this one may just have learned that nobody listens.
    let listen = tracing::callsite::rebuild_interest_cache;

    let house = House::open().await;
    let basic = Liar::start(accepts_canary).await;
    let bearer = Liar::start(|heard| match (heard.path(), heard.authorization()) {
        ("/token", _) => Reply::json(200, r#"{"token":"token-7f3k9q2m5x"}"#),
        (_, Some("Bearer token-7f3k9q2m5x")) => Reply::json(200, "{}"),
        _ => Reply::challenge(&[r#"Bearer realm="/token""#]),
    })
    .await;
    let echo = Liar::start(|heard| match heard.authorization() {
        None => Reply::challenge(&[r#"Basic realm="x""#]),
        Some(sent) => Reply::json(403, &format!(r#"{{"errors":[{{"message":"{sent} {CANARY}"}}]}}"#)),
    })
    .await;
    let id = house.credentials.create(&house.actor, form("Basic", &basic.host(), CANARY)).await.expect("created");
    house.credentials.create(&house.actor, form("Bearer", &bearer.host(), CANARY)).await.expect("created");
    house.credentials.check(&house.actor, &id).await.expect("checked");
    listen();
    let refused = house.credentials.create(&house.actor, form("Echo", &echo.host(), CANARY)).await;
    assert_no_canary(format!("{refused:?}").as_bytes(), "the error");
    house.credentials.update(&house.actor, &id, 1, form("Basic", "127.0.0.1:1", CANARY)).await.expect_err("refused");
    house.credentials.delete(&house.actor, &id).await.expect("deleted");

    let logged = kept.0.lock().expect("a lock").clone();
    let text = String::from_utf8_lossy(&logged);
    assert!(text.contains("a credential was created") && text.contains("a credential was refused"), "{text}");
    assert_no_canary(&logged, "the log");
}
