//! Against the lab's second engine, which starts outside swarm mode: O1 and O3.

use crate::swarm::{Lab, config, eventually};
use app::api::settings::SettingsApi as _;
use app::error::AppError;
use app::model::account::{Actor, Role};
use app::model::id::AccountId;
use app::model::settings::DockerState;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use slipway::clock::Clock;
use slipway::docker::{Docker, DockerError};
use slipway::process::Runner;
use slipway::settings::Settings;
use slipway::storage::Db;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const LIMIT: Duration = Duration::from_secs(10);

fn owner() -> Actor {
    Actor { account: AccountId::from_random([1; 8]), username: "owner".into(), role: Role::Owner }
}

async fn settings(folder: &Path, docker_host: &str) -> Settings {
    let config = config(folder, docker_host);
    let db = Db::open(folder).await.expect("a database");
    let docker = Docker::connect(docker_host).expect("an address");
    Settings::new(db, Clock::system(), config, docker, Runner::new(env!("CARGO_BIN_EXE_slipway")))
}

#[tokio::test]
async fn without_docker_everything_is_said_in_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(folder.path(), "unix:///nowhere/docker.sock").await;
    assert_eq!(settings.host().await.docker, DockerState::Unknown);
    let host = settings.look().await;
    let DockerState::Unreachable { reason } = host.docker else { panic!("{:?}", host.docker) };
    assert!(reason.contains("unix:///nowhere/docker.sock"), "{reason}");
    let refused = settings.start_swarm(&owner(), "10.0.0.1").await;
    assert!(matches!(refused, Err(AppError::Problem(problem)) if problem.code == "docker.unreachable"));
    let refused = settings.start_swarm(&owner(), "not an address").await;
    assert!(matches!(refused, Err(AppError::Invalid(errors)) if errors[0].field == "advertise_address"));
    let shown = settings.configuration(&owner()).await.expect("shown");
    assert!(shown.iter().any(|(name, value)| name == "docker_host" && value.ends_with("docker.sock")));
}

/// One test, because there is one second engine.
#[tokio::test(flavor = "multi_thread")]
async fn swarm_mode_is_started_and_a_daemon_that_hangs_or_goes_is_noticed_and_found_again() {
    let Some(lab) = Lab::find() else { return };
    let _alone = lab.second_alone();
    lab.second("reset");
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(folder.path(), &lab.second.docker_host).await;
    let stop = CancellationToken::new();
    let watch = tokio::spawn({
        let (settings, stop) = (settings.clone(), stop.clone());
        async move { settings.watch(stop).await }
    });
    let until = async |what: &str, fits: fn(&DockerState) -> bool| {
        eventually(LIMIT, what, || async { fits(&settings.host().await.docker).then_some(()) }).await;
    };

    until("not in swarm mode", |state| matches!(state, DockerState::NoSwarm { .. })).await;
    assert!(settings.host().await.buildx.is_ok(), "{:?}", settings.host().await.buildx);
    // An interface that this machine doesn't have.
    let refused = settings.start_swarm(&owner(), "nope0").await;
    assert!(
        matches!(&refused, Err(AppError::Invalid(errors)) if errors[0].field == "advertise_address"),
        "{refused:?}"
    );
    settings.start_swarm(&owner(), &lab.second.address).await.expect("it starts");
    assert_eq!(settings.host().await.docker, DockerState::Ready);
    let again = settings.start_swarm(&owner(), &lab.second.address).await;
    assert!(matches!(&again, Err(AppError::Problem(problem)) if problem.code == "swarm.already"), "{again:?}");

    // O3: hung.
    let pid = std::fs::read_to_string(&lab.second.docker_pid).expect("a pid").trim().parse().expect("a number");
    kill(Pid::from_raw(pid), Signal::SIGSTOP).expect("stopped");
    let begun = Instant::now();
    let docker = Docker::connect(&lab.second.docker_host).expect("an address");
    let hung = docker.look().await;
    let took = begun.elapsed();
    until("hung", |state| matches!(state, DockerState::Unreachable { reason } if reason.contains("10 seconds"))).await;
    let asked = Instant::now();
    settings.host().await;
    let page = asked.elapsed();
    kill(Pid::from_raw(pid), Signal::SIGCONT).expect("continued");
    assert!(matches!(hung, Err(DockerError::Timeout { .. })), "{hung:?}");
    assert!(took < LIMIT + Duration::from_secs(1), "{took:?}");
    assert!(page < Duration::from_millis(50), "{page:?}");
    until("answers again after a hang", |state| *state == DockerState::Ready).await;

    // O1: gone, and back.
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("killed");
    until("gone", |state| matches!(state, DockerState::Unreachable { .. })).await;
    let gone = settings.host().await;
    assert!(gone.docker_version.is_some(), "what was known stays readable");
    lab.second("start");
    until("back", |state| *state == DockerState::Ready).await;

    stop.cancel();
    watch.await.expect("the watch ends");
    lab.second("reset");
}
