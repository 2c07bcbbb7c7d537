//! By https: `git http-backend` behind TLS and a password.

use super::{commit, is_nowhere, leads_to, problem};
use crate::builds::house::House;
use crate::builds::secrets::Watcher;
use crate::liar::{Heard, Liar, Reply};
use crate::oci::certificates::{GOOD, KEY};
use app::api::git_access::GitAccessApi as _;
use app::error::AppError;
use app::model::git_access::GitAccessForm;
use app::model::id::GitAccessId;
use app::model::job::JobState;
use app::model::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What git's own program for web servers answers.
fn backend(root: &Path, heard: &Heard) -> Reply {
    let (path, query) = heard.target.split_once('?').unwrap_or((&heard.target, ""));
    let mut child = Command::new("git")
        .arg("http-backend")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("PATH"))
        .envs([("GIT_CONFIG_SYSTEM", "/dev/null"), ("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_HTTP_EXPORT_ALL", "1")])
        .env("GIT_PROJECT_ROOT", root)
        .envs([("PATH_INFO", path), ("QUERY_STRING", query), ("REQUEST_METHOD", &heard.method)])
        .env("CONTENT_TYPE", heard.header("content-type").unwrap_or_default())
        .env("CONTENT_LENGTH", heard.body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", heard.header("content-encoding").unwrap_or_default())
        .env("GIT_PROTOCOL", heard.header("git-protocol").unwrap_or_default())
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("git");
    child.stdin.take().expect("a pipe").write_all(&heard.body).expect("written");
    let out = child.wait_with_output().expect("an answer").stdout;
    let split = out.windows(4).position(|part| part == b"\r\n\r\n").expect("a CGI answer");
    let head = String::from_utf8_lossy(&out[..split]).into_owned();
    let value = |name: &str| {
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(name))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let status = value("status").and_then(|status| status.get(..3)?.parse().ok()).unwrap_or(200);
    let kind = value("content-type").unwrap_or_default();
    Reply::Answer(status, vec![("content-type", kind)], out[split + 4..].to_vec())
}

/// A server for the repositories below a folder that wants this login.
async fn server(root: PathBuf, login: String) -> Liar {
    let expected = format!("Basic {login}");
    let script = move |heard: &Heard| match heard.authorization() {
        Some(shown) if shown == expected => backend(&root, heard),
        _ => Reply::status(401).with("www-authenticate", "Basic realm=\"git\""),
    };
    Liar::start_tls_with(script, GOOD, KEY).await
}

async fn access(house: &House, host: &str, token: &str) -> GitAccessId {
    let form = GitAccessForm {
        kind: "token".into(),
        name: "Shop".into(),
        host: host.into(),
        username: "x-access-token".into(),
        token: Secret::new(token.into()),
    };
    house.git_accesses.create(&house.actor, form).await.expect("an access")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_repository_is_read_with_its_token_which_is_nowhere_to_be_seen() {
    let Some(house) = House::ready().await else { return };
    let token = format!("ghp_{}", slipway::clock::random_hex::<16>());
    let encoded = STANDARD.encode(format!("x-access-token:{token}"));
    let git = server(house.folder.path().join("repos"), encoded.clone()).await;
    let host = git.host().replace("127.0.0.1", "localhost");
    let url = format!("https://{host}/shop");
    let id = access(&house, &host, &token).await;
    let sha = commit(&house);
    house.change(|facts| facts.source.repository = url.parse().expect("an address"));

    // Without it, the host asks for a login.
    let build = house.start().await;
    assert_eq!(house.fails(&build).await.code, "git.denied");

    house.change(|facts| facts.source.access = Some(id.clone()));
    let watcher = Watcher::start(vec![token.clone(), encoded.clone()]);
    let build = house.start().await;
    let built = house.until(&build, JobState::Succeeded).await;
    watcher.end();
    assert_eq!(built.commit.map(String::from), Some(sha));
    assert!(git.authorizations().iter().any(|shown| *shown == format!("Basic {encoded}")));
    house.is_clean();
    let log = house.text(&build).await;
    assert!(!log.contains(&token) && !log.contains(&encoded), "{log}");
    is_nowhere(&house, &[&token, &encoded]);

    // The test of the page.
    let test = |repository: String| {
        let house = &house;
        let id = id.clone();
        async move { house.git_accesses.test(&house.actor, &id, &repository).await }
    };
    assert_eq!(test(url.clone()).await, Ok(1));
    assert!(
        matches!(test("https://github.com/a/b".into()).await, Err(AppError::Invalid(_))),
        "it is for its host alone"
    );
    assert!(matches!(test("git@localhost:shop".into()).await, Err(AppError::Invalid(_))));
    leads_to(&problem(test(format!("https://{host}/none")).await.expect_err("there is none")), "git.not_found", &id);

    // A token that is no longer good.
    let wrong = Secret::new(format!("ghp_wrong{}", slipway::clock::random_hex::<8>()));
    house.git_accesses.replace_token(&house.actor, &id, wrong.clone()).await.expect("replaced");
    leads_to(&problem(test(url.clone()).await.expect_err("refused")), "git.denied", &id);
    let build = house.start().await;
    leads_to(&house.fails(&build).await, "git.denied", &id);
    is_nowhere(&house, &[&token, wrong.expose("it is looked for")]);

    // The repository moves elsewhere: the token doesn't.
    house.change(|facts| facts.source.repository = "https://elsewhere.example/shop".parse().expect("an address"));
    let build = house.start().await;
    assert_eq!(house.fails(&build).await.code, "git.access_other_host");
}

#[tokio::test]
async fn an_access_that_is_used_stays() {
    let Some(house) = House::empty().await else { return };
    let id = access(&house, "github.com", "ghp_x").await;
    let twice = GitAccessForm {
        kind: "token".into(),
        name: "SHOP".into(),
        host: "github.com".into(),
        username: "a".into(),
        token: Secret::new("b".into()),
    };
    assert!(matches!(house.git_accesses.create(&house.actor, twice).await, Err(AppError::Invalid(_))));
    let use_it = |id: Option<GitAccessId>| {
        let house = &house;
        async move {
            let mut tx = house.db.write().await.expect("a transaction");
            sqlx::query("UPDATE services SET git_access_id = ? WHERE id = ?")
                .bind(id.as_ref().map(GitAccessId::as_str))
                .bind(house.service.as_str())
                .execute(&mut *tx)
                .await
                .expect("changed");
            tx.commit().await.expect("committed");
        }
    };
    use_it(Some(id.clone())).await;
    let shown = house.git_accesses.get(&house.actor, &id).await.expect("it is there");
    assert_eq!(shown.services, [(house.service.clone(), "Web".to_owned())]);
    let Err(AppError::Blocked(blockers)) = house.git_accesses.delete(&house.actor, &id).await else {
        panic!("it is in use");
    };
    let link = blockers[0].link.as_ref().map(|link| link.href.clone());
    assert_eq!(link, Some(app::paths::edit_service(&house.service)));
    use_it(None).await;
    house.git_accesses.delete(&house.actor, &id).await.expect("deleted");
    assert_eq!(house.git_accesses.get(&house.actor, &id).await, Err(AppError::NotFound("access".into())));
    let sealed: i64 = sqlx::query_scalar("SELECT count(*) FROM secrets WHERE owner = ?")
        .bind(id.as_str())
        .fetch_one(house.db.read())
        .await
        .expect("a number");
    assert_eq!(sealed, 0, "its token went with it");
}
