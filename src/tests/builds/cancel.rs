//! A cancel ends the build and everything that it started.

use super::house::{House, pids, processes, until_gone};
use app::api::builds::BuildsApi as _;
use app::model::job::JobState;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use slipway::clock::random;
use std::time::{Duration, Instant};

#[tokio::test]
async fn cancel_in_the_middle_ends_all_processes_and_leaves_nothing() {
    let Some(house) = House::ready().await else { return };
    let seconds = format!("{}.5", 1_000 + u32::from(u16::from_le_bytes(random())));
    let commit =
        house.commit("One", &[("Dockerfile", &house.dockerfile(&format!("RUN echo sleeping; sleep {seconds}")))]);
    let id = house.start().await;
    house.says(&id, "sleeping").await;
    let folder = house.builds_dir().to_string_lossy().into_owned();
    assert!(processes(&folder).iter().any(|line| line.contains("buildx")), "buildx runs");
    assert!(!processes(&format!("sleep {seconds}")).is_empty(), "the command runs");
    let asked = Instant::now();
    house.builds.cancel(&house.actor, &id).await.expect("asked");
    let build = house.until(&id, JobState::Cancelled).await;
    assert!(asked.elapsed() < Duration::from_secs(15), "{:?}", asked.elapsed());
    assert_eq!(build.problem, None);
    assert!(processes(&folder).is_empty());
    until_gone(&format!("sleep {seconds}"), Duration::from_secs(5)).await;
    house.is_clean();
    assert_eq!(house.in_registry(&commit).await, None);
    assert!(house.text(&id).await.ends_with("Cancelled.\n"));
    assert!(house.kept.deployed.lock().expect("a lock").is_empty());
    // Once more is no harm.
    house.builds.cancel(&house.actor, &id).await.expect("left alone");
    assert_eq!(house.get(&id).await, build);
}

#[tokio::test]
async fn a_command_that_ignores_the_polite_signal_ends_with_the_build() {
    let Some(house) = House::ready().await else { return };
    let seconds = format!("{}.25", 1_000 + u32::from(u16::from_le_bytes(random())));
    let stubborn = format!("RUN trap '' TERM INT HUP; echo stubborn; while true; do sleep {seconds}; done");
    house.commit("One", &[("Dockerfile", &house.dockerfile(&stubborn))]);
    let id = house.start().await;
    house.says(&id, "stubborn").await;
    let asked = Instant::now();
    house.builds.cancel(&house.actor, &id).await.expect("asked");
    house.until(&id, JobState::Cancelled).await;
    assert!(asked.elapsed() < Duration::from_secs(15), "{:?}", asked.elapsed());
    until_gone(&format!("sleep {seconds}"), Duration::from_secs(5)).await;
    house.is_clean();
}

/// The worst case: buildx itself hangs and hears nothing. It is killed, which closes its session, and BuildKit ends what it
/// ran for it.
#[tokio::test]
async fn a_buildx_that_hangs_is_killed_and_its_session_closed() {
    let Some(house) = House::ready().await else { return };
    let seconds = format!("{}.75", 1_000 + u32::from(u16::from_le_bytes(random())));
    house.commit("One", &[("Dockerfile", &house.dockerfile(&format!("RUN echo sleeping; sleep {seconds}")))]);
    let id = house.start().await;
    house.says(&id, "sleeping").await;
    let folder = house.builds_dir().to_string_lossy().into_owned();
    // docker and its plugin, not the supervisor, whose name stands first.
    let frozen: Vec<_> = pids(&folder)
        .into_iter()
        .filter(|id| {
            let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            !line.starts_with(b"slipway\0")
        })
        .collect();
    assert!(!frozen.is_empty());
    for id in &frozen {
        kill(Pid::from_raw(*id), Signal::SIGSTOP).expect("frozen");
    }
    let asked = Instant::now();
    house.builds.cancel(&house.actor, &id).await.expect("asked");
    house.until(&id, JobState::Cancelled).await;
    assert!(asked.elapsed() < Duration::from_secs(15), "{:?}", asked.elapsed());
    assert!(processes(&folder).is_empty());
    until_gone(&format!("sleep {seconds}"), Duration::from_secs(5)).await;
    house.is_clean();
}
