//! API tokens: the page, the shell, what is kept and what is forgotten.

use crate::app::{Browser, TestApp};
use ::http::StatusCode;
use app::api::tokens::{Bearer, TokenRefusal, TokensApi};
use app::error::AppError;
use app::model::account::{Actor, Role};
use app::model::id::TokenId;
use app::model::secret::Secret;
use app::model::token::{MOST, TokenForm};
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const DAY: Duration = Duration::from_secs(86_400);

/// The owner's tokens.
struct House {
    app: TestApp,
    owner: Browser,
    tokens: Arc<dyn TokensApi>,
    actor: Actor,
}

impl House {
    async fn open() -> Self {
        let app = TestApp::new().await;
        let owner = app.owner().await;
        let actor = app.slipway.accounts.named("owner").await.expect("the owner");
        let tokens = Arc::clone(&app.slipway.backend.tokens);
        Self { app, owner, tokens, actor }
    }

    async fn create(&self, name: &str, scope: &str, days: &str) -> Result<(TokenId, Secret), AppError> {
        let form = TokenForm { name: name.into(), scope: scope.into(), days: days.into() };
        self.tokens.create(&self.actor, form).await
    }

    async fn shows(&self, text: &Secret) -> Result<Bearer, TokenRefusal> {
        self.tokens.authenticate(HERE, text).await
    }
}

fn shown(page: &str) -> Option<&str> {
    page.split("id=\"new-token\">").nth(1)?.split('<').next()
}

#[tokio::test]
async fn a_token_opens_what_it_is_for_until_it_is_revoked() {
    let house = House::open().await;
    let (id, text) = house.create("ci", "everything", "").await.expect("created");
    let bearer = house.shows(&text).await.expect("accepted");
    assert_eq!((&bearer.token, &bearer.actor.account, bearer.actor.role), (&id, &house.actor.account, Role::Owner));
    assert_eq!(bearer.actor.username, "owner (token ci)", "the record says with what");
    let (_, reading) = house.create("monitoring", "read", "30").await.expect("created");
    assert_eq!(house.shows(&reading).await.expect("accepted").actor.role, Role::Reader);

    assert!(house.tokens.is_good(&id).await.expect("an answer"));
    house.tokens.revoke(&house.actor, &id).await.expect("revoked");
    assert_eq!(house.shows(&text).await, Err(TokenRefusal::Revoked));
    assert!(!house.tokens.is_good(&id).await.expect("an answer"));
    assert!(matches!(house.tokens.revoke(&house.actor, &id).await, Err(AppError::NotFound(_))), "once is enough");
    assert!(house.create("CI", "read", "").await.is_ok(), "the name is free again");
}

#[tokio::test]
async fn a_token_ends_on_its_day_and_is_forgotten_long_after() {
    let house = House::open().await;
    let (id, text) = house.create("soon over", "read", "1").await.expect("created");
    house.app.clock.advance(DAY - Duration::from_secs(5));
    assert!(house.shows(&text).await.is_ok());
    house.app.clock.advance(Duration::from_secs(5));
    assert_eq!(house.shows(&text).await, Err(TokenRefusal::Expired));
    assert!(!house.tokens.is_good(&id).await.expect("an answer"));
    house.app.clock.advance(91 * DAY);
    house.create("another", "read", "").await.expect("created");
    let names: Vec<_> = house.tokens.list(&house.actor).await.expect("a list").into_iter().map(|t| t.name).collect();
    assert_eq!(names, ["another"]);
    assert_eq!(house.shows(&text).await, Err(TokenRefusal::Unknown));
}

#[tokio::test]
async fn last_used_is_written_once_a_minute() {
    let house = House::open().await;
    let (_, text) = house.create("ci", "read", "").await.expect("created");
    let used = async || house.tokens.list(&house.actor).await.expect("a list")[0].used_at;
    assert_eq!(used().await, None);
    house.shows(&text).await.expect("accepted");
    let first = used().await.expect("it was used");
    house.app.clock.advance(Duration::from_secs(50));
    house.shows(&text).await.expect("accepted");
    assert_eq!(used().await, Some(first));
    house.app.clock.advance(Duration::from_secs(15));
    house.shows(&text).await.expect("accepted");
    assert!(used().await.is_some_and(|at| at >= first + 60));
}

#[tokio::test]
async fn names_and_numbers_have_limits() {
    let house = House::open().await;
    house.create("ci", "read", "").await.expect("created");
    let field = |error: AppError| match error {
        AppError::Invalid(errors) => errors[0].field.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(field(house.create("Ci", "read", "").await.expect_err("the name is taken")), "name");
    assert_eq!(field(house.create("x", "write", "").await.expect_err("no such scope")), "scope");
    for n in 1..MOST {
        house.create(&format!("n{n}"), "read", "").await.expect("created");
    }
    assert_eq!(field(house.create("one more", "read", "").await.expect_err("too many")), "name");
}

#[tokio::test]
async fn tokens_belong_to_their_account_and_readers_have_none() {
    let house = House::open().await;
    let password = Secret::new("another long password".into());
    let other = house.app.slipway.accounts.create("eve", &password).await.expect("created");
    let (id, text) = house.create("ci", "read", "").await.expect("created");
    assert!(matches!(house.tokens.revoke(&other, &id).await, Err(AppError::NotFound(_))));
    assert_eq!(house.tokens.list(&other).await, Ok(vec![]));
    house.tokens.show_once(&house.actor, &id, text.clone()).await;
    assert_eq!(house.tokens.take_shown(&other, &id).await, None);
    assert_eq!(house.tokens.take_shown(&house.actor, &id).await, Some(text.clone()));
    let reader = house.shows(&text).await.expect("accepted").actor;
    assert!(matches!(house.tokens.list(&reader).await, Err(AppError::Forbidden { .. })));
    let form = TokenForm { name: "more".into(), scope: "everything".into(), days: String::new() };
    assert!(matches!(house.tokens.create(&reader, form).await, Err(AppError::Forbidden { .. })));
}

#[tokio::test]
async fn whoever_shows_wrong_tokens_waits_and_good_ones_never_do() {
    let house = House::open().await;
    let (_, text) = house.create("ci", "read", "").await.expect("created");
    let wrong = Secret::new(format!("slw_{}", "0".repeat(43)));
    let mut refused = 0;
    while house.shows(&wrong).await == Err(TokenRefusal::Unknown) {
        refused += 1;
        assert!(refused < 100, "nobody has to wait");
    }
    assert!(matches!(house.shows(&wrong).await, Err(TokenRefusal::Other(AppError::Wait { .. }))));
    assert!(house.shows(&text).await.is_ok());
    let elsewhere = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 9));
    assert_eq!(house.tokens.authenticate(elsewhere, &wrong).await, Err(TokenRefusal::Unknown));
    house.app.clock.advance(Duration::from_secs(60));
    assert_eq!(house.shows(&wrong).await, Err(TokenRefusal::Unknown));
}

#[tokio::test]
async fn the_page_shows_a_new_token_once_and_the_form_comes_back_with_its_errors() {
    let mut house = House::open().await;
    let fields = [("page", "/settings/tokens"), ("form[name]", "ci"), ("form[scope]", "read"), ("form[days]", "90")];
    let answer = house.owner.post("/api/tokens/create", &fields).await;
    let to = answer.location().expect("a redirect").to_owned();
    assert!(to.starts_with("/settings/tokens?new=tok_") && !to.contains("slw_"), "{to}");
    let page = house.owner.get(&to).await;
    let text = shown(&page.text).expect("it is shown").to_owned();
    assert!(text.starts_with("slw_") && page.header("cache-control") == Some("no-store"), "{text}");
    assert!(house.shows(&Secret::new(text.clone())).await.is_ok());
    for path in [to.as_str(), "/settings/tokens"] {
        let again = house.owner.get(path).await;
        assert!(!again.text.contains("slw_") || !again.text.contains(&text), "{path} shows it again");
        assert!(again.text.contains("<th scope=\"row\">ci<"), "{}", again.text);
    }
    assert!(house.owner.get("/settings").await.text.contains("href=\"/settings/tokens\""));

    let answer = house.owner.post("/api/tokens/create", &fields).await;
    assert_eq!(answer.location(), Some("/settings/tokens"));
    assert!(house.owner.get("/settings/tokens").await.text.contains("has this name"), "the name is taken");

    let id = house.tokens.list(&house.actor).await.expect("a list")[0].id.to_string();
    let answer = house.owner.post("/api/tokens/revoke", &[("page", "/settings/tokens"), ("id", &id)]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, Some("/settings/tokens")));
    assert!(house.owner.get("/settings/tokens").await.text.contains("data-token=\"revoked\""));
    assert_eq!(house.shows(&Secret::new(text)).await, Err(TokenRefusal::Revoked));
}

#[tokio::test]
async fn the_shell_creates_lists_and_revokes_while_the_server_runs() {
    let house = House::open().await;
    let folder = house.app.folder.path().display().to_string();
    let shell = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_slipway"))
            .arg("token")
            .args(args)
            .args(["--username", "owner", "--data-dir", &folder])
            .env_remove("SLIPWAY_DATA_DIR")
            .output()
            .expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    let (done, out, log) = shell(&["create", "--name", "backup", "--read-only", "--days", "7"]);
    let text = out.trim_end().to_owned();
    assert!(done && text.starts_with("slw_") && out == format!("{text}\n") && !log.contains(&text), "{out} {log}");
    assert_eq!(house.shows(&Secret::new(text.clone())).await.expect("accepted").actor.role, Role::Reader);
    let (done, out, _) = shell(&["list"]);
    assert!(done && out.contains("\tread\tgood\tbackup\n") && !out.contains(&text), "{out}");
    let (done, _, log) = shell(&["create", "--name", "backup"]);
    assert!(!done && log.contains("has this name"), "{log}");
    let (done, out, _) = shell(&["revoke", "--name", "backup"]);
    assert!(done && out.contains("backup is revoked"), "{out}");
    assert_eq!(house.shows(&Secret::new(text)).await, Err(TokenRefusal::Revoked));
    let (done, _, log) = shell(&["revoke", "--name", "backup"]);
    assert!(!done && log.contains("token named backup"), "{log}");
    let (done, _, log) = shell(&["create", "--name", "x", "--days", "soon"]);
    assert!(!done && log.contains("number of days"), "{log}");
}
