//! Slipway dies in the middle of a build; the next run takes it up.

use super::house::{House, processes, until_gone};
use app::api::builds::BuildsApi as _;
use app::model::job::JobState;
use slipway::clock::random;
use std::time::Duration;

#[tokio::test]
async fn a_build_that_was_broken_off_is_taken_up_again() {
    let Some(mut house) = House::empty().await else { return };
    let url = house.facts.lab.url().to_string();
    house.registry(&url).await;
    let seconds = format!("2.{}", u16::from_le_bytes(random()));
    let rest = format!("RUN echo in the middle; sleep {seconds}");
    let commit = house.commit("One", &[("Dockerfile", &house.dockerfile(&rest))]);
    let id = house.start().await;
    // The first run of the program: its runtime is torn down under the job, as a crash would.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let (jobs, stop) = (house.jobs.clone(), house.stop.clone());
    runtime.spawn(async move { jobs.start(stop).await });
    house.says(&id, "in the middle").await;
    let folder = house.builds_dir().to_string_lossy().into_owned();
    assert!(!processes(&folder).is_empty());
    runtime.shutdown_background();
    until_gone(&folder, Duration::from_secs(5)).await;
    let before = house.log(&id).await.len();
    assert_eq!(house.get(&id).await.state, JobState::Running, "nobody could say how it ended");

    // A commit that comes in between isn't what was asked for.
    house.commit("Two", &[("Dockerfile", &house.dockerfile("RUN exit 1"))]);
    std::fs::create_dir_all(house.builds_dir().join("bld_left.1/source")).expect("a left folder");
    house.boot();
    house.builds.sweep().await.expect("swept");
    house.is_clean();
    house.jobs.start(house.stop.clone());
    let build = house.until(&id, JobState::Succeeded).await;
    assert_eq!(build.commit.map(String::from), Some(commit.clone()));
    assert_eq!(house.in_registry(&commit).await, build.digest.map(String::from));
    let log = house.log(&id).await;
    assert!(log.len() > before && log.iter().enumerate().all(|(index, line)| line.n == index as u64 + 1));
    assert!(log.iter().any(|line| line.text.contains("was interrupted here")));
    assert_eq!(house.kept.deployed.lock().expect("a lock").len(), 1);
    house.is_clean();
    assert_eq!(house.builds.list(&house.actor, None, 10).await.expect("a list").len(), 1);
}
