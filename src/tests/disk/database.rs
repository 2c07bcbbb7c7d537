//! HARDENING F1 and F2: the database and jobs on a disk that fills at random moments.

use super::tmpfs::Tmpfs;
use app::api::jobs::JobsApi as _;
use app::model::account::{Actor, Role};
use app::model::id::{AccountId, JobId};
use app::model::job::JobState;
use app::model::secret::Secret;
use async_trait::async_trait;
use slipway::clock::{Clock, random};
use slipway::disk::{Disks, Parts};
use slipway::docker::Docker;
use slipway::jobs::{Handler, JobContext, JobError, Jobs, Lane, NewJob};
use slipway::storage::{Db, StorageError, Trouble, trouble};
use slipway::vault::Vault;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Moments at which the disk fills.
const ROUNDS: u32 = 100;

/// What writes in these tests: a job and a sealed secret in one transaction.
struct Writer {
    db: Db,
    clock: Clock,
    vault: Vault,
    jobs: Jobs,
}

impl Writer {
    async fn open(folder: &Path) -> Self {
        let db = Db::open(folder).await.expect("a database");
        let vault = Vault::open(&folder.join("master.key"), true).expect("a vault");
        let clock = Clock::system();
        let jobs = Jobs::new(db.clone(), clock.clone(), folder.join("logs"));
        Self { db, clock, vault, jobs }
    }

    async fn write(&self, size: usize) -> Result<JobId, Box<dyn std::error::Error>> {
        let mut tx = self.db.write().await?;
        let id = self.jobs.enqueue(&mut tx, job(size)).await?;
        self.vault.put(&mut tx, &self.clock, id.as_str(), "password", &Secret::new("x".repeat(size / 4))).await?;
        tx.commit().await?;
        Ok(id)
    }

    async fn ids(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT id FROM jobs").fetch_all(self.db.read()).await.expect("reading works")
    }
}

fn job(size: usize) -> NewJob {
    let subject = JobId::from_random(random()).to_string();
    NewJob {
        kind: "test",
        payload: serde_json::json!({ "text": "x".repeat(size) }),
        subject,
        key: None,
        lane: Lane::Swarm,
        resource: None,
        asked_by: "ada".into(),
        max_attempts: 1,
    }
}

async fn is_sound(db: &Db) {
    let found: Vec<String> =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_all(db.read()).await.expect("an answer");
    assert_eq!(found, ["ok"]);
    let broken = sqlx::query("PRAGMA foreign_key_check").fetch_all(db.read()).await.expect("an answer");
    assert!(broken.is_empty(), "{} rows lead nowhere", broken.len());
}

fn dice(most: usize) -> usize {
    usize::from(u16::from_le_bytes(random())) % most
}

/// Writes until the disk takes nothing more, small or large.
pub async fn exhaust(db: &Db) {
    for size in [200_000, 20_000, 2_000, 1] {
        let failed = loop {
            let written = async {
                let mut tx = db.write().await?;
                sqlx::query("INSERT INTO filler VALUES (?)").bind(vec![0_u8; size]).execute(&mut *tx).await?;
                tx.commit().await.map_err(StorageError::from)
            };
            if let Err(error) = written.await {
                break error;
            }
        };
        assert!(trouble(&failed).is_some(), "{failed:?}");
    }
}

pub async fn filler(db: &Db) {
    let mut tx = db.write().await.expect("a transaction");
    sqlx::query("CREATE TABLE filler (data BLOB) STRICT").execute(&mut *tx).await.expect("a table");
    tx.commit().await.expect("committed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f1_a_disk_that_fills_at_a_hundred_moments_costs_nothing_that_was_acknowledged() {
    let Some(disk) = Tmpfs::mount("size=64m") else { return };
    let folder = disk.path().join("data");
    std::fs::create_dir(&folder).expect("a folder");
    let mut writer = Writer::open(&folder).await;
    let mut acknowledged = Vec::new();
    let (mut refused, mut slowest) = (0, Duration::ZERO);
    for round in 0..ROUNDS {
        // So much is left that it fills somewhere in the middle of the writes.
        disk.fill_but(dice(400_000) as u64);
        let begun = Instant::now();
        let mut fails = 0;
        while fails < 3 {
            match writer.write(dice(40_000)).await {
                Ok(id) => acknowledged.push(id.to_string()),
                Err(error) => {
                    assert!(trouble(error.as_ref()).is_some(), "round {round}: {error:?}");
                    fails += 1;
                }
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "round {round}: it never fills");
        }
        refused += fails;
        let there = writer.ids().await;
        assert!(acknowledged.iter().all(|id| there.contains(id)), "round {round}: reading shows all");
        disk.make_room();
        let begun = Instant::now();
        loop {
            match writer.write(100).await {
                Ok(id) => break acknowledged.push(id.to_string()),
                Err(error) => assert!(begun.elapsed() < Duration::from_secs(5), "round {round}: {error:?}"),
            }
        }
        slowest = slowest.max(begun.elapsed());
        // So that 64 MiB are enough for all rounds.
        if round % 10 == 9 {
            let mut tx = writer.db.write().await.expect("a transaction");
            for table in ["jobs", "secrets"] {
                let sql = format!("DELETE FROM {table}");
                sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *tx).await.expect("deleted");
            }
            tx.commit().await.expect("committed");
            acknowledged.clear();
        }
        if round % 25 == 12 {
            writer.db.close().await;
            writer = Writer::open(&folder).await;
            let there = writer.ids().await;
            assert!(acknowledged.iter().all(|id| there.contains(id)), "round {round}: all is there after reopening");
            is_sound(&writer.db).await;
        }
    }
    println!("{ROUNDS} moments: {refused} refused, slowest recovery {slowest:?}");
    is_sound(&writer.db).await;
}

#[tokio::test]
async fn f2_no_more_files_can_be_made_and_the_database_goes_on() {
    let Some(disk) = Tmpfs::mount("size=64m,nr_inodes=120") else { return };
    let writer = Writer::open(disk.path()).await;
    let mut made = Vec::new();
    while let Ok(file) = tempfile::NamedTempFile::new_in(disk.path()) {
        made.push(file);
    }
    writer.write(100_000).await.expect("the files of the database are there");
    assert_eq!(writer.ids().await.len(), 1);
    let config = crate::app::config(disk.path(), &[]);
    let docker = Docker::connect("unix:///nowhere/docker.sock").expect("an address");
    let spaces = Disks::new(Parts { docker, config }).look().await;
    let words = spaces.first().and_then(|space| space.room).map(|room| room.words()).expect("it is seen");
    assert!(words.ends_with("and only 0 more files can be made"), "{words}");
    // A file that can't be made is the disk's fault too.
    let error = std::fs::write(disk.path().join("more"), "x").expect_err("no file can be made");
    assert_eq!(trouble(&error), Some(Trouble::Full));
}

/// Two steps; between them it waits to be let on. What the first returns doesn't fit on a full disk.
struct Large {
    begun: Semaphore,
    go: Semaphore,
}

#[async_trait]
impl Handler for Large {
    fn kind(&self) -> &'static str {
        "test"
    }

    async fn run(&self, _: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        let large: String = cx
            .step("large", "Large", async {
                cx.log("before");
                self.begun.add_permits(1);
                self.go.acquire().await.expect("open").forget();
                cx.log(&"lost ".repeat(3_000));
                Ok("x".repeat(1_000_000))
            })
            .await?;
        cx.step("last", "Last", async {
            cx.log(&format!("after {}", large.len()));
            Ok(())
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f1_a_job_on_a_full_disk_waits_for_room_and_goes_on() {
    let Some(disk) = Tmpfs::mount("size=64m") else { return };
    let writer = Writer::open(disk.path()).await;
    filler(&writer.db).await;
    let large = Arc::new(Large { begun: Semaphore::new(0), go: Semaphore::new(0) });
    writer.jobs.register(large.clone());
    let stop = CancellationToken::new();
    let running = writer.jobs.start(stop.clone());
    let id = writer.write(10).await.expect("asked for");
    writer.jobs.wake();
    large.begun.acquire().await.expect("open").forget();
    disk.fill();
    exhaust(&writer.db).await;
    large.go.add_permits(1);
    let actor = Actor { account: AccountId::from_random([1; 8]), username: "ada".into(), role: Role::Owner };
    // A moment in which it can't end.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let job = writer.jobs.get(&actor, &id).await.expect("reading works").0;
    assert_eq!(job.state, JobState::Running, "{:?}", job.problem);
    disk.make_room();
    let begun = Instant::now();
    loop {
        let job = writer.jobs.get(&actor, &id).await.expect("the job").0;
        if job.state.is_final() {
            assert_eq!(job.state, JobState::Succeeded, "{:?}", job.problem);
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "{job:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("the job went on {:?} after there was room", begun.elapsed());
    let lines = writer.jobs.tail(&actor, &id, 100).await.expect("its log").0;
    assert!(lines.iter().enumerate().all(|(index, line)| line.n == index as u64 + 1), "{lines:?}");
    assert!(lines.iter().any(|line| line.text == "after 1000000"), "{lines:?}");
    stop.cancel();
    running.await.expect("the workers end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reserve_is_given_back_when_the_disk_is_full() {
    let Some(disk) = Tmpfs::mount("size=64m") else { return };
    let writer = Writer::open(disk.path()).await;
    filler(&writer.db).await;
    let config = crate::app::config(disk.path(), &[]);
    let docker = Docker::connect("unix:///nowhere/docker.sock").expect("an address");
    let disks = Disks::new(Parts { docker, config });
    let reserve = disk.path().join("reserve");
    let stop = CancellationToken::new();
    let watch = tokio::spawn({
        let (disks, stop) = (disks.clone(), stop.clone());
        async move { disks.watch(stop).await }
    });
    until("the reserve is made", || reserve.exists()).await;
    disk.fill();
    exhaust(&writer.db).await;
    until("the reserve is given back", || !reserve.exists()).await;
    // The disk is as full as before but for the reserve.
    writer.write(1_000).await.expect("there is room for what a clean-up writes");
    disk.make_room();
    until("the reserve is made again", || reserve.exists()).await;
    stop.cancel();
    watch.await.expect("the watch ends");
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(15), "{what}: it doesn't come");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
