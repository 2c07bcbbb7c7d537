//! CPU, memory and time of a build stay within the rules, where this machine can hold them.

use super::house::House;
use app::api::builds::BuildsApi as _;
use app::api::settings::SettingsApi;
use app::model::build_rules::{BuildRulesForm, CapsHold};
use app::model::job::JobState;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Groups of builds that are there now.
fn groups(below: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(below) else { return Vec::new() };
    let folders = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
    folders.flat_map(|path| groups(&path).into_iter().chain([path])).collect()
}

fn all_groups(name: &str) -> Vec<PathBuf> {
    let hierarchies = std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten().map(|entry| entry.path());
    let found = hierarchies.chain(["/sys/fs/cgroup".into()]).flat_map(|path| groups(&path.join("slipway")));
    found.filter(|path| path.to_string_lossy().contains(name)).collect()
}

#[tokio::test]
async fn commands_stay_within_memory_and_processors() {
    let Some(house) = House::ready().await else { return };
    let in_force = SettingsApi::build_rules(&house.settings, &house.actor).await.expect("the rules");
    if let CapsHold::No { why } = in_force.caps {
        eprintln!("not tried: {why}");
        return;
    }
    // Fits without a limit.
    let hungry = "RUN cat /proc/self/cgroup; dd if=/dev/zero of=/dev/null bs=160M count=1 && echo it fitted";
    house.commit("One", &[("Dockerfile", &house.dockerfile(hungry))]);
    let id = house.start().await;
    house.until(&id, JobState::Succeeded).await;
    assert!(!house.text(&id).await.contains(":/slipway/"));
    let form = BuildRulesForm { memory: "48".into(), cpus: "0.5".into(), ..BuildRulesForm::default() };
    house.settings.set_build_rules(&house.actor, form).await.expect("saved");
    let id = house.builds.start(&house.actor, &house.service, false, true).await.expect("queued");
    let problem = house.fails(&id).await;
    let text = house.text(&id).await;
    assert!(text.contains("Commands of this build get at most 0.5 cores and 48 MiB of memory."), "{text}");
    let name = format!("{}.1", id.short());
    assert!(text.contains(&format!("/{name}/")), "it ran in its group: {text}");
    assert!(!text.lines().any(|line| line == "it fitted"), "{problem:?}");
    // What is within the limits works, slower.
    house.commit("Two", &[("Dockerfile", &house.dockerfile("RUN cat /proc/self/cgroup; echo small"))]);
    let id = house.start().await;
    house.until(&id, JobState::Succeeded).await;
    let began = Instant::now();
    while !all_groups(&name).is_empty() || !all_groups(id.short()).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(10), "left: {:?}", all_groups(id.short()));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_build_that_takes_too_long_is_ended() {
    let Some(house) = House::ready().await else { return };
    // No form takes less than a minute; this is what it would be a minute later.
    let mut tx = house.db.write().await.expect("a transaction");
    sqlx::query("INSERT INTO build_rules (id, rules, changed, changed_by) VALUES (1, '{\"timeout\":0}', 0, 'ada')")
        .execute(&mut *tx)
        .await
        .expect("written");
    tx.commit().await.expect("committed");
    house.commit("One", &[("Dockerfile", &house.dockerfile("RUN sleep 120"))]);
    let id = house.start().await;
    let problem = house.fails(&id).await;
    assert_eq!(problem.code, "process.timeout", "{problem:?}");
}
