//! Programs are started, heard, and ended with all they started.

use async_trait::async_trait;
use slipway::process::{Invocation, Output, ProcessError, Program, Runner, Sink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

fn runner() -> Runner {
    Runner::new(env!("CARGO_BIN_EXE_slipway"))
}

/// A program of our own in git's place: git runs aliases that begin with `!` as commands, which lets a test start
/// anything without the product being able to.
fn script(text: &str) -> Invocation {
    Invocation::new(Program::Git).args(["-c", &format!("alias.run=!{text}"), "run"]).env("HOME", "/nonexistent")
}

/// How many processes carry this text in their command line.
fn alive(marker: &str) -> usize {
    std::fs::read_dir("/proc")
        .expect("/proc")
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit())))
        .filter(|entry| entry.file_name().to_str() != Some(&std::process::id().to_string()))
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .filter(|line| line.windows(marker.len()).any(|window| window == marker.as_bytes()))
        .count()
}

async fn until(what: &str, within: Duration, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < within, "{what} took longer than {within:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A number of seconds that no other test sleeps.
fn marker() -> String {
    let bits = u32::from_le_bytes(slipway::clock::random());
    format!("{}.{}", 500 + bits % 400, 100_000 + bits % 800_000)
}

#[tokio::test]
async fn output_and_exit_code_come_back() {
    let never = CancellationToken::new();
    let done = runner().capture(script("echo out; echo err >&2; exit 7 #"), &never).await.expect("it runs");
    assert_eq!((done.out.as_str(), done.err.as_str(), done.ended.code), ("out\n", "err\n", 7));
    assert!(!done.ended.is_success());
    let version = runner().capture(Invocation::new(Program::Git).arg("--version"), &never).await.expect("git runs");
    assert!(version.out.starts_with("git version ") && version.ended.is_success());
}

#[tokio::test]
async fn the_environment_is_what_was_named_and_path() {
    let never = CancellationToken::new();
    let done =
        runner().capture(script("env; pwd #").env("NAMED", "here").folder("/tmp"), &never).await.expect("it runs");
    // What git itself adds for its aliases, and what the shell sets.
    let own = ["GIT_", "PWD=", "SHLVL=", "_=", "OLDPWD=", "HOME=/nonexistent", "NAMED=here", "PATH="];
    for line in done.out.lines() {
        assert!(own.iter().any(|known| line.starts_with(known)) || line == "/tmp", "{line} came in from outside");
    }
    assert!(done.out.contains("NAMED=here") && done.out.lines().any(|line| line == "/tmp"));
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "the test has variables that must not get through");
}

#[tokio::test]
async fn files_that_programs_make_can_be_read_by_others() {
    let done = runner().capture(script("umask #"), &CancellationToken::new()).await.expect("it runs");
    assert_eq!(done.out.trim(), "0022");
}

#[tokio::test]
async fn hostile_arguments_run_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("made");
    for text in ["$(touch made)", "`touch made`", "; touch made", "&& touch made", "| touch made", "\ntouch made"] {
        let invocation = Invocation::new(Program::Git).args(["rev-parse", "--verify", text]).folder(folder.path());
        runner().capture(invocation, &CancellationToken::new()).await.expect("git runs");
        assert!(!target.exists(), "{text:?} was executed");
    }
}

#[tokio::test]
async fn cancel_ends_all_that_was_started() {
    let (marker, cancel) = (marker(), CancellationToken::new());
    // A child, a grandchild in the background, and one in a session of its own.
    let work = script(&format!("sleep {marker} & setsid sleep {marker} & sleep {marker} #"));
    let runner = runner();
    let stop = cancel.clone();
    let running = tokio::spawn(async move { runner.capture(work, &stop).await });
    until("starting", Duration::from_secs(10), || alive(&format!("sleep\0{marker}")) >= 3).await;
    let asked = Instant::now();
    cancel.cancel();
    let ended = running.await.expect("no panic");
    assert!(matches!(ended, Err(ProcessError::Cancelled("git"))), "{ended:?}");
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert_eq!(alive(&marker), 0);
}

#[tokio::test]
async fn who_ignores_the_polite_signal_is_killed() {
    let (marker, cancel) = (marker(), CancellationToken::new());
    let work = script(&format!("trap '' TERM; sleep {marker}; sleep {marker}; true #"));
    let runner = runner();
    let stop = cancel.clone();
    let running = tokio::spawn(async move { runner.capture(work, &stop).await });
    until("starting", Duration::from_secs(10), || alive(&format!("sleep\0{marker}")) >= 1).await;
    let asked = Instant::now();
    cancel.cancel();
    assert!(matches!(running.await.expect("no panic"), Err(ProcessError::Cancelled(_))));
    let took = asked.elapsed();
    assert!((Duration::from_secs(9)..Duration::from_secs(14)).contains(&took), "{took:?}");
    assert_eq!(alive(&marker), 0);
}

#[tokio::test]
async fn time_runs_out() {
    let marker = marker();
    let work = script(&format!("sleep {marker} #")).within(Duration::from_millis(300));
    let ended = runner().capture(work, &CancellationToken::new()).await;
    assert!(matches!(ended, Err(ProcessError::TimedOut { program: "git", .. })), "{ended:?}");
    assert_eq!(alive(&marker), 0);
}

#[tokio::test]
async fn dropping_the_run_ends_the_program() {
    let marker = marker();
    let work = script(&format!("setsid sleep {marker} & sleep {marker} #"));
    let runner = runner();
    let running = tokio::spawn(async move { runner.capture(work, &CancellationToken::new()).await });
    until("starting", Duration::from_secs(10), || alive(&format!("sleep\0{marker}")) >= 2).await;
    running.abort();
    until("ending", Duration::from_secs(5), || alive(&marker) == 0).await;
}

/// P5. The supervisor is started as Slipway does it; then "Slipway" (the holder of the pipe) is gone.
#[tokio::test]
async fn the_death_of_slipway_or_of_the_supervisor_ends_the_program() {
    for who in ["slipway", "supervisor"] {
        let marker = marker();
        let mut supervisor = Command::new(env!("CARGO_BIN_EXE_slipway"))
            .args(["supervise", "--", "/usr/bin/env", "sleep", &marker])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .expect("the supervisor");
        let pipe = supervisor.stdin.take();
        // The program itself; the supervisor has it in its arguments.
        let program = || alive(&format!("sleep\0{marker}")).saturating_sub(alive(&format!("env\0sleep\0{marker}")));
        until("starting", Duration::from_secs(10), || program() == 1).await;
        if who == "slipway" {
            drop(pipe);
        } else {
            supervisor.kill().expect("killed");
        }
        until("ending", Duration::from_secs(5), || alive(&marker) == 0).await;
        supervisor.wait().expect("reaped");
    }
}

#[tokio::test]
async fn a_missing_program_says_so() {
    let mut supervisor = Command::new(env!("CARGO_BIN_EXE_slipway"))
        .args(["supervise", "--", "/nonexistent/program"])
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the supervisor");
    let _alive = supervisor.stdin.take();
    let done = supervisor.wait_with_output().expect("its end");
    assert_eq!(done.status.code(), Some(127));
    assert!(String::from_utf8_lossy(&done.stderr).contains("/nonexistent/program can't be started"));
    assert!(!Path::new("/nonexistent").exists());
}

struct Slow {
    bytes: usize,
}

#[async_trait]
impl Sink for Slow {
    async fn take(&mut self, from: Output, piece: &[u8]) {
        assert_eq!(from, Output::Out);
        assert!(piece.len() <= 16 * 1_024);
        self.bytes += piece.len();
    }
}

#[tokio::test]
async fn long_output_comes_in_bounded_pieces() {
    let mut sink = Slow { bytes: 0 };
    let work = script("head -c 5000000 /dev/zero #");
    let ended = runner().run(work, &CancellationToken::new(), &mut sink).await.expect("it runs");
    assert!(ended.is_success());
    assert_eq!(sink.bytes, 5_000_000);
}
