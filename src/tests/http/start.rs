//! The program's start: one process per folder, private files, wrong settings, the command line.

use crate::app::{PASSWORD, TestApp, config, runner};
use slipway::clock::Clock;
use slipway::start::{Slipway, StartError};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn slipway(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_slipway"))
        .args(args)
        .env_remove("SLIPWAY_DATA_DIR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    child.stdin.take().expect("an input").write_all(input.as_bytes()).expect("written");
    child.wait_with_output().expect("it ends")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test]
async fn p9_a_second_process_refuses_at_once_and_names_the_first() {
    let app = TestApp::new().await;
    let began = Instant::now();
    let Err(error) = Slipway::open(config(app.folder.path(), &[]), Clock::system(), runner()).await else {
        panic!("it opened")
    };
    assert!(matches!(&error, StartError::Locked { pid, .. } if *pid == std::process::id().to_string()), "{error}");
    assert!(began.elapsed() < Duration::from_secs(1));

    let began = Instant::now();
    let folder = app.folder.path().display().to_string();
    let output = slipway(&["serve", "--data-dir", &folder, "--listen", "127.0.0.1:0"], "");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(!output.status.success());
    assert!(said(&output).contains(&format!("process {}", std::process::id())), "{}", said(&output));
}

#[tokio::test]
async fn a2_folder_and_key_are_private_and_a_lost_key_stops_the_start() {
    let app = TestApp::new().await;
    let mode =
        |name: &str| std::fs::metadata(app.folder.path().join(name)).expect("is there").permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("master.key")), (0o700, 0o600));
    let mut tx = app.slipway.db.write().await.expect("a transaction");
    let secret = app::model::secret::Secret::new("hunter2".into());
    app.slipway.vault.put(&mut tx, &app.clock, "cred_1", "password", &secret).await.expect("kept");
    tx.commit().await.expect("written");
    let TestApp { slipway, router, folder, .. } = app;
    drop(router);
    slipway.stop().await;
    std::fs::remove_file(folder.path().join("master.key")).expect("removed");
    let Err(error) = Slipway::open(config(folder.path(), &[]), Clock::system(), runner()).await else {
        panic!("it opened")
    };
    assert!(error.to_string().contains("put the file back"), "{error}");
    assert!(!folder.path().join("master.key").exists(), "no new key was made");
}

#[test]
fn wrong_settings_stop_the_start_and_help_names_all() {
    let output = slipway(&["serve", "--listen", "nowhere"], "");
    assert!(!output.status.success() && said(&output).contains("--listen is \"nowhere\""), "{}", said(&output));
    let help = said(&slipway(&["serve", "--help"], ""));
    // Lines are broken to the width of the terminal.
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for setting in slipway::config::SETTINGS {
        assert!(help.contains(&format!("--{}", setting.key)) && help.contains(setting.meaning), "{help}");
    }
}

#[tokio::test]
async fn the_shell_creates_accounts_and_resets_passwords_while_the_server_runs() {
    let app = TestApp::new().await;
    let folder = app.folder.path().display().to_string();
    let admin = |verb: &str, password: &str| {
        slipway(&["admin", verb, "--username", "owner", "--stdin", "--data-dir", &folder], password)
    };
    let output = admin("create", "short\n");
    assert!(!output.status.success() && said(&output).contains("at least 12"), "{}", said(&output));
    assert!(app.needs_setup().await);
    let output = admin("create", &format!("{PASSWORD}\n"));
    assert!(output.status.success(), "{}", said(&output));
    assert!(!said(&output).contains(PASSWORD));
    assert!(!app.needs_setup().await);
    let mut browser = app.browser();
    assert_eq!(browser.sign_in(PASSWORD).await.location(), Some("/"));

    let output = admin("reset-password", "another long password");
    assert!(output.status.success(), "{}", said(&output));
    assert!(!browser.is_signed_in().await, "its sessions have ended");
    assert_eq!(browser.sign_in("another long password").await.location(), Some("/"));
}
