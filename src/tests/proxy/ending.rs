//! How it begins and ends: the command line, SIGTERM, the grace.

use super::{Inside, Name, Outside, PATIENCE, Parrot, ask, end_of};
use crate::swarm::{eventually, free_port};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use slipway::proxy::Limits;
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

#[tokio::test]
async fn told_to_end_it_takes_nobody_new_and_lets_what_moves_come_to_its_end() {
    let parrot = Parrot::saying(b'a').await;
    let mut proxy = Outside::start(&parrot.address.to_string()).started().await;
    let mut open = TcpStream::connect(("127.0.0.1", proxy.port)).await.expect("connected");
    assert_eq!(ask(&mut open).await.expect("an answer"), b'a');
    let id = Pid::from_raw(proxy.child.id().try_into().expect("a process id"));
    kill(id, Signal::SIGTERM).expect("told");
    eventually(PATIENCE, "nobody new is taken", || async {
        TcpStream::connect(("127.0.0.1", proxy.port)).await.is_err().then_some(())
    })
    .await;
    for _ in 0..100 {
        assert_eq!(ask(&mut open).await.expect("what moves goes on"), b'a');
    }
    assert_eq!(proxy.child.try_wait().expect("asked"), None, "it waits for what moves");
    open.shutdown().await.expect("ended");
    assert_eq!(end_of(&mut open).await.expect("a clean end"), b"");
    let status = eventually(PATIENCE, "it ends", || {
        let ended = proxy.child.try_wait().expect("asked");
        async move { ended }
    })
    .await;
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn what_is_quiet_does_not_keep_it() {
    let parrot = Parrot::saying(b'a').await;
    let limits = Limits { quiet: Duration::from_millis(200), grace: Duration::from_secs(3_600), ..Limits::default() };
    let mut proxy = Inside::start(Name::of(parrot.address), limits).await;
    let mut idle = proxy.connect().await;
    assert_eq!(ask(&mut idle).await.expect("an answer"), b'a');
    proxy.stop.cancel();
    tokio::time::timeout(PATIENCE, &mut proxy.task).await.expect("it ends").expect("no panic");
    assert!(end_of(&mut idle).await.is_err(), "cut, and visibly so");
}

#[tokio::test]
async fn what_never_ends_is_cut_when_the_grace_is_over() {
    let parrot = Parrot::saying(b'a').await;
    let limits = Limits { quiet: Duration::from_secs(3_600), grace: Duration::from_millis(700), ..Limits::default() };
    let mut proxy = Inside::start(Name::of(parrot.address), limits).await;
    let mut endless = proxy.connect().await;
    assert_eq!(ask(&mut endless).await.expect("an answer"), b'a');
    let begun = Instant::now();
    proxy.stop.cancel();
    while ask(&mut endless).await.is_ok() {}
    assert!(begun.elapsed() >= limits.grace, "cut after {:?}", begun.elapsed());
    tokio::time::timeout(PATIENCE, &mut proxy.task).await.expect("it ends").expect("no panic");
}

#[test]
fn the_command_line_says_what_is_missing_or_taken() {
    let run = |args: &[&str]| {
        let folder = tempfile::tempdir().expect("a folder");
        let output = Command::new(env!("CARGO_BIN_EXE_slipway"))
            .args(args)
            .env_clear()
            .current_dir(folder.path())
            .output()
            .expect("it runs");
        let left = std::fs::read_dir(folder.path()).expect("the folder").count();
        assert_eq!(left, 0, "it leaves nothing behind");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = run(&["proxy", "--listen", "127.0.0.1:1"]);
    assert!(code == Some(2) && said.contains("--to <HOST:PORT>"), "{said}");
    let (code, said) = run(&["proxy", "--listen", "127.0.0.1:1", "--to", "http://registry"]);
    assert!(code == Some(2) && said.contains("such as registry:5000"), "{said}");
    let taken = std::net::TcpListener::bind(("127.0.0.1", free_port())).expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let (code, said) = run(&["proxy", "--listen", &address, "--to", "registry:5000"]);
    assert!(code == Some(1) && said.contains(&format!("The proxy can't listen on {address}")), "{said}");
}
