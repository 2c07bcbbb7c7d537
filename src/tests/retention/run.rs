//! Runs that are broken off anywhere, meet a world that changed, or a registry that refuses.

use super::house::{House, open_at, slipway};
use crate::swarm::{Lab, eventually, free_port};
use app::model::job::JobState;
use app::model::trash::TrashState;
use slipway::clock::Clock;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const FOLDER: &str = "SLIPWAY_TEST_RETENTION";

/// Works on the folder's jobs until it is ended or breaks off.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the tests below, in a process of its own"]
async fn life() {
    let (Some(folder), Some(lab)) = (std::env::var_os(FOLDER).map(PathBuf::from), Lab::find()) else { return };
    let slipway = slipway(&folder, &lab, &Clock::system()).await;
    drop(slipway.jobs.start(slipway.shutdown.clone()));
    std::future::pending::<()>().await;
}

fn begin(house: &House, env: &[(&str, &str)]) -> Child {
    let mut command = Command::new("/proc/self/exe");
    command
        .args(["--exact", "retention::run::life", "--ignored", "--nocapture"])
        .env(FOLDER, house.folder.path())
        .envs(env.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().expect("it starts")
}

pub(super) async fn dies_at(house: &House, point: &str) {
    let mut life = begin(house, &[("SLIPWAY_ABORT_AT", point)]);
    let status = eventually(Duration::from_secs(90), point, || {
        let status = life.try_wait().expect("asked");
        async move { status }
    })
    .await;
    assert!(!status.success(), "{point}: it ended by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_anywhere_leaves_tags_that_are_gone_and_can_come_back() {
    let Some(mut house) = House::open().await else { return };
    let kept = house.image("keep").await;
    house.keep("keep", "").await;
    let points = ["written", "asked", "before_stand_in", "stand_in", "deleted", "marked"];
    for point in points {
        let digest = house.image(point).await;
        let job = house.ask().await;
        house.close().await;
        dies_at(&house, &format!("run_retention.tag.{point}")).await;
        house.reopen().await;
        house.succeeded(&job).await;
        assert_eq!(house.leads_to(point).await, None, "{point}");
        assert_eq!(house.pull(digest.as_str()).await, 9, "{point}");
        let report = house.report(&job).await;
        assert_eq!((report.summary.deleted, report.summary.skipped), (1, 0), "{point}: {report:#?}");
        let trash = house.trash().await;
        let entries: Vec<_> = trash.iter().filter(|entry| entry.tag == point).collect();
        assert_eq!(entries.len(), 1, "{point}: {trash:#?}");
        assert!(entries[0].state == TrashState::Kept && entries[0].digest == digest, "{point}: {trash:#?}");
        house.close().await;
        house.slipway = Some(slipway(house.folder.path(), &house.lab, &house.clock).await);
    }
    // And while they are thrown out.
    for point in ["entry.marked", "entry.manifest"] {
        let form = app::model::trash::EmptyForm { sure: Some("on".into()) };
        let backend = &house.slipway().backend;
        let job = backend.trash.empty(&house.actor, &house.registry, form).await.expect("asked for");
        house.close().await;
        dies_at(&house, &format!("empty_trash.{point}")).await;
        house.reopen().await;
        house.succeeded(&job).await;
        assert_eq!(house.trash().await, [], "{point}");
        let digest = house.image("again").await;
        assert_eq!(house.ran().await.summary.deleted, 1);
        assert_eq!(house.pull(digest.as_str()).await, 9);
        house.close().await;
        house.slipway = Some(slipway(house.folder.path(), &house.lab, &house.clock).await);
    }
    assert_eq!(house.leads_to("keep").await, Some(kept));
    assert_eq!(house.pull("keep").await, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_between_judging_and_deleting_stays() {
    let Some(mut house) = House::open().await else { return };
    let (deployed, _, _) = (house.image("deployed").await, house.image("moved").await, house.image("keep").await);
    house.image("goes").await;
    house.keep("keep", "").await;
    let job = house.ask().await;
    house.close().await;
    let hold = house.folder.path().join("hold");
    std::fs::write(&hold, "").expect("a file");
    let path = hold.to_string_lossy().into_owned();
    let mut life =
        begin(&house, &[("SLIPWAY_HOLD_AT", "run_retention.delete.before"), ("SLIPWAY_HOLD_FILE", path.as_str())]);
    let db = house.db().await;
    eventually(Duration::from_secs(90), "the tags are judged", || async {
        sqlx::query_scalar::<_, i64>("SELECT 1 FROM job_steps WHERE job_id = ? AND name = 'delete'")
            .bind(job.as_str())
            .fetch_optional(db.read())
            .await
            .expect("asked")
    })
    .await;
    house.pinned(&deployed).await;
    let moved = house.image("moved").await;
    std::fs::remove_file(&hold).expect("gone");
    house.succeeded(&job).await;
    life.kill().expect("killed");
    life.wait().expect("gone");
    house.reopen().await;
    let report = house.report(&job).await;
    assert_eq!((report.summary.deleted, report.summary.skipped), (1, 2), "{report:#?}");
    let note = |tag: &str| report.lines.iter().find(|line| line.tag == tag).map(|line| line.note.clone());
    assert_eq!(note("deployed").as_deref(), Some("Web needs it by now: its deployment 1 is pinned."));
    assert_eq!(note("moved").as_deref(), Some("It leads to another image by now."));
    assert_eq!(house.leads_to("deployed").await, Some(deployed));
    assert_eq!(house.leads_to("moved").await, Some(moved));
    assert_eq!(house.leads_to("goes").await, None);
}

/// A registry of distribution that deletes nothing.
struct Stubborn(Child, u16);

impl Stubborn {
    fn start(folder: &std::path::Path) -> Option<Self> {
        let port = free_port();
        let config = folder.join("registry.yml");
        let text = format!(
            "version: 0.1\nstorage: {{ filesystem: {{ rootdirectory: {}/data }} }}\nhttp: {{ addr: \"127.0.0.1:{port}\" }}\n",
            folder.display()
        );
        std::fs::write(&config, text).expect("written");
        let program = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Some(Self(program.ok()?, port))
    }
}

impl Drop for Stubborn {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_deletes_nothing_loses_nothing_and_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(stubborn) = Stubborn::start(folder.path()) else { return };
    let access = open_at(stubborn.1);
    let oci = slipway::oci::Client::new().expect("a client");
    eventually(Duration::from_secs(30), "the registry answers", || async { oci.check(&access).await.ok() }).await;
    let Some(house) = House::at(access.clone()).await else { return };
    house.work();
    let digest = house.image("old").await;
    house.keep("keep", "").await;
    let job = house.ask().await;
    let (state, problem) = house.ended(&job).await;
    assert_eq!(state, JobState::Failed);
    let problem = problem.expect("a reason");
    assert_eq!(problem.code, "retention.deletion_is_off", "{problem:?}");
    assert_eq!(house.leads_to("old").await, Some(digest.clone()));
    assert_eq!(house.pull("old").await, 9);
    assert_eq!(house.trash().await, []);
    let report = house.report(&job).await;
    assert_eq!((report.summary.deleted, report.summary.skipped), (0, 1), "{report:#?}");
    assert!(report.summary.ended.is_some());
}
