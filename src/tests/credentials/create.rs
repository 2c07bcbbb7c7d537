//! Creating: tested first, each failure at its field, the password sealed.

use super::{CANARY, House, accepts_canary, actor, assert_no_canary, field_error, form, honest};
use crate::lab::Lab;
use crate::liar::{Liar, Reply};
use app::api::credentials::CredentialsApi as _;
use app::error::AppError;
use app::model::credential::CredentialState;
use app::model::secret::Secret;

#[tokio::test]
async fn each_failure_sits_at_its_field_and_nothing_is_kept() {
    let house = House::open().await;
    let honest = honest().await;
    let page = Liar::start(|_| Reply::Answer(200, vec![("content-type", "text/html".into())], b"<html>".into())).await;
    let foreign = Liar::start(|_| Reply::challenge(&[r#"Bearer realm="https://evil.example/token""#])).await;
    let hangs = Liar::start(|_| Reply::Hang).await;
    let denies = Liar::start(|heard| match heard.authorization() {
        None => Reply::challenge(&[r#"Basic realm="x""#]),
        Some(_) => Reply::json(403, r#"{"errors":[{"code":"DENIED","message":"no access for you"}]}"#),
    })
    .await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let mut messages = std::collections::HashSet::new();
    for (url, field, words) in [
        ("https://registry.invalid".to_owned(), "url", "can't be resolved"),
        (closed.to_string(), "url", "refuses connections"),
        (format!("https://{}", honest.host()), "url", "TLS"),
        (hangs.host(), "url", "didn't answer in time"),
        (page.host(), "url", "isn't a container registry"),
        (foreign.host(), "realm", "https://evil.example"),
        (honest.host(), "password", "rejects the user name or the password"),
        (denies.host(), "password", "no access for you"),
    ] {
        let error = field_error(house.credentials.create(&actor(), form("Main", &url, "wrong password")).await);
        assert_eq!(error.field, field, "{error:?}");
        assert!(error.message.contains(words), "{error:?}");
        assert!(!error.message.contains("wrong password"), "{error:?}");
        messages.insert(error.message);
    }
    assert_eq!(messages.len(), 8, "two failures can't be told apart: {messages:?}");
    assert_eq!(house.credentials.list(&house.actor).await, Ok(vec![]));
    assert_eq!(house.count("SELECT (SELECT count(*) FROM secrets) + (SELECT count(*) FROM activity)").await, 0);
}

#[tokio::test]
async fn bad_input_is_refused_before_anything_is_asked() {
    let house = House::open().await;
    let registry = honest().await;
    let host = registry.host();
    for (name, url, username, password, field) in [
        ("", host.as_str(), "deploy", CANARY, "name"),
        ("a\u{202e}b", &host, "deploy", CANARY, "name"),
        (&"x".repeat(61), &host, "deploy", CANARY, "name"),
        ("Main", "", "deploy", CANARY, "url"),
        ("Main", "http://registry.example.com", "deploy", CANARY, "url"),
        ("Main", "--config=/etc/passwd", "deploy", CANARY, "url"),
        ("Main", "https://u:p@registry.example.com", "deploy", CANARY, "url"),
        ("Main", &host, "", CANARY, "username"),
        ("Main", &host, "a:b", CANARY, "username"),
        ("Main", &host, "a\r\nx-header: 1", CANARY, "username"),
        ("Main", &host, "deploy", "", "password"),
        ("Main", &host, "deploy", "a\r\nb", "password"),
        ("Main", &host, "deploy", &"x".repeat(20_000), "password"),
    ] {
        let mut form = form(name, url, password);
        form.username = username.into();
        assert_eq!(field_error(house.credentials.create(&house.actor, form).await).field, field, "{name:?} {url:?}");
    }
    assert!(registry.heard().is_empty(), "{:?}", registry.heard());
}

/// K1, K5, K7: the password can be used again, and isn't readable on disk or in what the use cases give out.
#[tokio::test]
async fn an_accepted_password_is_sealed() {
    let house = House::open().await;
    let registry = honest().await;
    let id = house.credentials.create(&house.actor, form(" Main ", &registry.host(), CANARY)).await.expect("created");

    let credential = house.credentials.get(&house.actor, &id).await.expect("is there");
    assert_eq!((credential.name.as_str(), credential.username.as_str()), ("Main", "deploy"));
    assert_eq!(credential.url, registry.url());
    assert_eq!(credential.state, CredentialState::Works);
    assert!(credential.password_set_at > 0 && credential.checked_at > 0);
    assert_no_canary(serde_json::to_string(&credential).expect("JSON").as_bytes(), "the answer");

    let access = house.credentials.access(&id).await.expect("opens");
    let login = access.login.expect("a login");
    let url = access.url;
    assert_eq!(url, registry.url());
    assert_eq!(login.password.expose("the test compares it"), CANARY);
    assert!(!format!("{login:?}").contains("7f3k9q2m5x"), "{login:?}");

    assert_no_canary(&house.bytes_on_disk(), "the database");
    let record: (String, String, String, String) = sqlx::query_as("SELECT actor, verb, subject, detail FROM activity")
        .fetch_one(house.db.read())
        .await
        .expect("one");
    assert_eq!(record, ("ada".into(), "credential.created".into(), id.to_string(), "Main".into()));
}

/// K2: a sealed password doesn't open in another row, and the failure says whose it is.
#[tokio::test]
async fn a_sealed_password_cant_be_moved() {
    let house = House::open().await;
    let registry = honest().await;
    let mut ids = Vec::new();
    for name in ["One", "Two"] {
        ids.push(house.credentials.create(&house.actor, form(name, &registry.host(), CANARY)).await.expect("created"));
    }
    house
        .run(
            "UPDATE secrets SET sealed = (SELECT sealed FROM secrets s WHERE s.owner < secrets.owner) \
               WHERE owner = (SELECT max(owner) FROM secrets)",
        )
        .await;
    let moved = ids.iter().max().expect("two");
    let error = house.credentials.access(moved).await.expect_err("doesn't open");
    let AppError::Problem(problem) = error else { panic!("{error:?}") };
    assert_eq!(problem.code, "credential.sealed");
    // The page still works, the check says why, and a new password heals it.
    let checked = house.credentials.check(&house.actor, moved).await.expect("checked");
    assert!(matches!(&checked.state, CredentialState::Fails(problem) if problem.code == "credential.sealed"));
    let name = checked.name;
    let kept = house.credentials.update(&house.actor, moved, 1, form(&name, &registry.host(), "")).await;
    assert_eq!(field_error(kept).field, "password");
    house.credentials.update(&house.actor, moved, 1, form(&name, &registry.host(), CANARY)).await.expect("healed");
    house.credentials.access(moved).await.expect("opens");
}

/// X11: one of many wins a name, whatever its case; the others learn why.
#[tokio::test]
async fn a_name_is_given_once() {
    let house = House::open().await;
    let registry = honest().await;
    let actors: Vec<_> = (0..12).map(|_| actor()).collect();
    let creates = actors.iter().enumerate().map(|(index, actor)| {
        let name = if index % 2 == 0 { "main" } else { "MAIN" };
        house.credentials.create(actor, form(name, &registry.host(), CANARY))
    });
    let outcomes = futures::future::join_all(creates).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    for outcome in outcomes.into_iter().filter(Result::is_err) {
        assert_eq!(field_error(outcome).field, "name");
    }
    let asked = registry.heard().len();
    assert_eq!(
        field_error(house.credentials.create(&house.actor, form("Main", &registry.host(), CANARY)).await).field,
        "name"
    );
    assert_eq!(registry.heard().len(), asked, "a taken name costs no test");
    assert_eq!(house.count("SELECT count(*) FROM secrets").await, 1);
}

/// S11: the form is no port scanner.
#[tokio::test]
async fn tests_are_limited() {
    let house = House::open().await;
    let registry = Liar::start(accepts_canary).await;
    for _ in 0..10 {
        let outcome = house.credentials.create(&house.actor, form("Main", &registry.host(), "wrong")).await;
        assert_eq!(field_error(outcome).field, "password");
    }
    let asked = registry.heard().len();
    let outcome = house.credentials.create(&house.actor, form("Main", &registry.host(), CANARY)).await;
    assert!(matches!(outcome, Err(AppError::Wait { seconds: 1..=6, .. })), "{outcome:?}");
    assert_eq!(registry.heard().len(), asked, "the registry was asked although the limit was reached");
}

#[tokio::test]
async fn a_real_registry_decides() {
    let Some(lab) = Lab::find() else { return };
    let house = House::open().await;
    let mut wrong = form("Lab", &lab.registry, "not the password");
    wrong.username = lab.username.clone();
    assert_eq!(field_error(house.credentials.create(&house.actor, wrong.clone()).await).field, "password");
    let mut right = wrong;
    right.password = Secret::new(lab.password.clone());
    let id = house.credentials.create(&house.actor, right).await.expect("created");
    let access = house.credentials.access(&id).await.expect("opens");
    let login = access.login.expect("a login");
    let url = access.url;
    assert_eq!((url, login.password), (lab.url(), lab.login().password));
}
