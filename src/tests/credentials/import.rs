//! Importing: what is found, what becomes of each line, and that no password lies about meanwhile.

use super::{CANARY, House, actor, assert_no_canary, field_error, form, honest};
use app::api::credentials::CredentialsApi as _;
use app::error::AppError;
use app::model::credential::{ImportLine, ImportPick, ImportState, ImportText};
use app::model::id::ImportId;
use app::model::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::time::Duration;

fn pasted(text: &str) -> ImportText {
    ImportText { secret_text: Secret::new(text.into()), secret_file: Secret::default() }
}

fn auth(username: &str, password: &str) -> String {
    format!(r#"{{"auth":"{}"}}"#, STANDARD.encode(format!("{username}:{password}")))
}

/// All that can be ticked is ticked, under the names that are proposed.
fn all(lines: &[ImportLine]) -> Vec<ImportPick> {
    let pick = |line: &ImportLine| ImportPick {
        pick: Some("on".into()),
        name: line.name.clone(),
        internal: line.wants_internal.then(|| "on".into()),
        sure: None,
    };
    lines.iter().map(pick).collect()
}

async fn lines(house: &House, id: &ImportId) -> Vec<ImportLine> {
    house.credentials.found_logins(&house.actor, id).await.expect("the list")
}

#[tokio::test]
async fn each_line_has_its_own_end() {
    let house = House::open().await;
    let (good, other, known) = (honest().await, honest().await, honest().await);
    let there = house.credentials.create(&house.actor, form("Known", &known.host(), CANARY)).await.expect("created");
    let file = format!(
        r#"{{"auths": {{ "{}": {}, "http://{}/v2/": {}, "{}": {}, "{}": {}, "zz.example": {{}} }}, "credHelpers": {{"gcr.io": "gcloud"}}}}"#,
        good.host(),
        auth("deploy", CANARY),
        good.host(),
        auth("deploy", CANARY),
        other.host(),
        auth("deploy", "wrong"),
        known.host(),
        auth("deploy", CANARY),
    );
    let id = house.credentials.read_logins(&house.actor, pasted(&file)).await.expect("read");
    assert_no_canary(&house.bytes_on_disk(), "the database");
    let found = lines(&house, &id).await;
    assert_no_canary(serde_json::to_string(&found).expect("JSON").as_bytes(), "the list");
    let state = |found: &[ImportLine], what: &str| {
        found
            .iter()
            .find(|line| line.what == what)
            .map(|line| line.state.clone())
            .unwrap_or_else(|| panic!("{what}: {found:?}"))
    };
    assert_eq!(state(&found, &known.url().to_string()), ImportState::There(there.clone(), "Known".into()));
    assert!(matches!(state(&found, "gcr.io"), ImportState::Skipped(why) if why.contains("gcloud")));
    assert!(matches!(state(&found, "zz.example"), ImportState::Skipped(_)));
    assert_eq!(found.iter().filter(|line| line.state == ImportState::Duplicate).count(), 1);
    assert_eq!(found.iter().filter(|line| line.state == ImportState::Waiting).count(), 2);
    assert!(good.heard().is_empty() && other.heard().is_empty(), "nothing is asked before somebody ticked it");

    let done = house.credentials.import_logins(&house.actor, &id, all(&found)).await.expect("imported");
    assert_eq!(done, 1);
    let found = lines(&house, &id).await;
    let line = |state: fn(&ImportState) -> bool| found.iter().find(|line| state(&line.state)).cloned();
    let imported = line(|state| matches!(state, ImportState::Imported(_))).expect("one was imported");
    let ImportState::Imported(credential) = imported.state else { panic!("{imported:?}") };
    let access = house.credentials.access(&credential).await.expect("opens");
    assert_eq!(access.login.expect("a login").password.expose("the test compares it"), CANARY);
    let refused = line(|state| matches!(state, ImportState::Refused(_))).expect("one was refused");
    let ImportState::Refused(why) = refused.state else { panic!("{refused:?}") };
    assert!(why.contains("rejects the user name or the password"), "{why}");
    assert_eq!(house.credentials.list(&house.actor).await.expect("a list").len(), 2);
    assert_no_canary(&house.bytes_on_disk(), "the database");

    // Again: what is imported isn't imported twice, what was refused is tried again.
    let again = house.credentials.import_logins(&house.actor, &id, all(&found)).await;
    assert_eq!(again, Ok(0));
    assert_eq!(house.credentials.list(&house.actor).await.expect("a list").len(), 2);
}

#[tokio::test]
async fn a_command_becomes_a_credential_where_the_network_is_ticked() {
    let house = House::open().await;
    let registry = honest().await;
    let command = format!("docker login -u deploy -p '{CANARY}' {}", registry.host());
    let file = ImportText { secret_text: Secret::default(), secret_file: Secret::new(command) };
    let id = house.credentials.read_logins(&house.actor, file).await.expect("read");
    let found = lines(&house, &id).await;
    let mut picks = all(&found);
    picks[0].internal = None;
    assert_eq!(house.credentials.import_logins(&house.actor, &id, picks.clone()).await, Ok(0));
    assert!(
        matches!(&lines(&house, &id).await[0].state, ImportState::Refused(why) if why.contains("Internal network"))
    );
    assert!(registry.heard().is_empty());
    picks[0].internal = Some("on".into());
    picks[0].name = "Mine".into();
    assert_eq!(house.credentials.import_logins(&house.actor, &id, picks).await, Ok(1));
    assert_eq!(house.credentials.list(&house.actor).await.expect("a list")[0].name, "Mine");
}

#[tokio::test]
async fn nothing_useful_is_an_error_at_the_field() {
    let house = House::open().await;
    for text in ["", "hello", "{", r#"{"auths":{}}"#, "docker login -u a --password-stdin ghcr.io"] {
        let error = field_error(house.credentials.read_logins(&house.actor, pasted(text)).await);
        assert_eq!(error.field, "secret_text", "{text}");
    }
    let file = ImportText { secret_text: Secret::default(), secret_file: Secret::new("{".into()) };
    assert_eq!(field_error(house.credentials.read_logins(&house.actor, file).await).field, "secret_file");
    assert_eq!(house.count("SELECT count(*) FROM secrets").await, 0);
    let id =
        house.credentials.read_logins(&house.actor, pasted("docker login -u a -p b r.example")).await.expect("read");
    let error = field_error(house.credentials.import_logins(&house.actor, &id, vec![ImportPick::default()]).await);
    assert!(error.message.contains("Tick"), "{error:?}");
}

/// The list is its maker's alone, and for half an hour.
#[tokio::test]
async fn the_list_is_seen_by_its_maker_and_goes_by_itself() {
    let house = House::open().await;
    let command = format!("docker login -u deploy -p '{CANARY}' r.example");
    let id = house.credentials.read_logins(&house.actor, pasted(&command)).await.expect("read");
    let stranger = actor();
    assert!(matches!(house.credentials.found_logins(&stranger, &id).await, Err(AppError::NotFound(_))));
    let stolen = house.credentials.import_logins(&stranger, &id, vec![ImportPick::default()]).await;
    assert!(matches!(stolen, Err(AppError::NotFound(_))), "{stolen:?}");
    house.credentials.look().await.expect("looked");
    assert_eq!(lines(&house, &id).await.len(), 1);
    house.clock.advance(Duration::from_secs(1_801));
    assert!(matches!(house.credentials.found_logins(&house.actor, &id).await, Err(AppError::NotFound(_))));
    house.credentials.look().await.expect("looked");
    assert_eq!(house.count("SELECT count(*) FROM secrets").await, 0, "the passwords stayed behind");
}
