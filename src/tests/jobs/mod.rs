//! Jobs on a real database: restarts, cancel, limits, logs.

mod queue;

use app::api::jobs::JobsApi as _;
use app::error::Problem;
use app::model::account::{Actor, Role};
use app::model::id::{AccountId, JobId};
use app::model::job::{Job, JobState, LiveEvent, LogLine, Step, StepState};
use app::model::secret::Secret;
use async_trait::async_trait;
use futures::StreamExt as _;
use slipway::clock::Clock;
use slipway::jobs::{Handler, JobContext, JobError, Jobs, Lane, NewJob};
use slipway::storage::Db;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

struct House {
    folder: tempfile::TempDir,
    db: Db,
    clock: Clock,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open(folder.path()).await.expect("a database");
        Self { folder, db, clock: Clock::system() }
    }

    /// A new run of the program on the same data.
    fn boot(&self, handler: Arc<dyn Handler>) -> (Jobs, CancellationToken) {
        let jobs = Jobs::new(self.db.clone(), self.clock.clone(), self.folder.path().join("logs"));
        jobs.register(handler);
        let stop = CancellationToken::new();
        (jobs, stop)
    }

    async fn ask(&self, jobs: &Jobs, job: NewJob) -> JobId {
        let mut tx = self.db.write().await.expect("a transaction");
        let id = jobs.enqueue(&mut tx, job).await.expect("queued");
        tx.commit().await.expect("committed");
        jobs.wake();
        id
    }
}

fn actor() -> Actor {
    Actor { account: AccountId::from_random([1; 8]), username: "ada".into(), role: Role::Owner }
}

fn job(subject: &str) -> NewJob {
    NewJob {
        kind: "test",
        payload: serde_json::json!({ "subject": subject }),
        subject: subject.into(),
        key: None,
        lane: Lane::Swarm,
        resource: None,
        asked_by: "ada".into(),
        max_attempts: 1,
    }
}

async fn get(jobs: &Jobs, id: &JobId) -> (Job, Vec<Step>) {
    jobs.get(&actor(), id).await.expect("the job")
}

async fn until(jobs: &Jobs, id: &JobId, state: JobState) -> Job {
    let started = Instant::now();
    loop {
        let (job, _) = get(jobs, id).await;
        if job.state == state {
            return job;
        }
        assert!(!job.state.is_final(), "it ended as {:?}: {:?}", job.state, job.problem);
        assert!(started.elapsed() < Duration::from_secs(20), "it stays {:?}", job.state);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn log(jobs: &Jobs, id: &JobId) -> Vec<LogLine> {
    jobs.tail(&actor(), id, 10_000).await.expect("its log").0
}

/// Three steps; the second waits for a permit. Counts what ran.
#[derive(Default)]
struct Steps {
    first: AtomicUsize,
    second: AtomicUsize,
    undone: AtomicUsize,
    running: AtomicUsize,
    most: AtomicUsize,
    gate: Gate,
    ignores_cancel: bool,
}

struct Gate(Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

#[async_trait]
impl Handler for Steps {
    fn kind(&self) -> &'static str {
        "test"
    }

    async fn run(&self, _: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let result = self.work(cx).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        result
    }

    async fn undo(&self, _: &serde_json::Value, _: &JobContext) {
        self.undone.fetch_add(1, Ordering::SeqCst);
    }
}

impl Steps {
    async fn work(&self, cx: &JobContext) -> Result<(), JobError> {
        let number: u32 = cx
            .step("first", "First", async {
                self.first.fetch_add(1, Ordering::SeqCst);
                cx.log("the first step");
                Ok(42)
            })
            .await?;
        assert_eq!(number, 42);
        cx.step("second", "Second", async {
            self.second.fetch_add(1, Ordering::SeqCst);
            cx.log("the second step waits");
            tokio::select! {
                permit = self.gate.0.acquire() => {
                    permit.expect("an open gate").forget();
                    Ok(())
                }
                () = cx.cancel.cancelled(), if !self.ignores_cancel => Err(JobError::Cancelled),
            }
        })
        .await?;
        cx.step("third", "Third", async {
            cx.log("the third step");
            Ok(())
        })
        .await
    }
}

#[tokio::test]
async fn a_restart_skips_what_was_done_and_numbers_go_on() {
    let house = House::new().await;
    let first = Arc::new(Steps::default());
    let (jobs, stop) = house.boot(first.clone());
    // The first run of the program dies hard: its runtime is gone in the middle of the second step.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let id = house.ask(&jobs, job("service:a")).await;
    let dying = jobs.clone();
    runtime.spawn(async move { dying.start(stop).await });
    until(&jobs, &id, JobState::Running).await;
    while first.second.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    runtime.shutdown_background();
    drop(jobs);

    let second = Arc::new(Steps::default());
    second.gate.0.add_permits(1);
    let (jobs, stop) = house.boot(second.clone());
    let worker = jobs.start(stop.clone());
    let ended = until(&jobs, &id, JobState::Succeeded).await;
    assert_eq!(
        (first.first.load(Ordering::SeqCst), second.first.load(Ordering::SeqCst)),
        (1, 0),
        "first isn't repeated"
    );
    assert_eq!(second.second.load(Ordering::SeqCst), 1, "second is");
    assert_eq!(ended.attempt, 2);
    let (_, steps) = get(&jobs, &id).await;
    assert_eq!(steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>(), ["first", "second", "third"]);
    assert!(steps.iter().all(|step| step.state == StepState::Done && step.finished.is_some()));
    let lines = log(&jobs, &id).await;
    assert!(lines.iter().enumerate().all(|(index, line)| line.n == index as u64 + 1), "{lines:?}");
    let texts: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "the first step",
            "the second step waits",
            "Slipway was interrupted here and goes on.",
            "the second step waits",
            "the third step"
        ]
    );
    assert_eq!(second.undone.load(Ordering::SeqCst), 0);
    stop.cancel();
    worker.await.expect("a quiet end");
}

#[tokio::test]
async fn a_graceful_stop_leaves_the_job_for_the_next_run_without_counting_it() {
    let house = House::new().await;
    let first = Arc::new(Steps::default());
    let (jobs, stop) = house.boot(first.clone());
    let worker = jobs.start_with(stop.clone(), Duration::from_millis(200));
    let id = house.ask(&jobs, job("service:a")).await;
    until(&jobs, &id, JobState::Running).await;
    stop.cancel();
    worker.await.expect("a quiet end");
    assert_eq!(get(&jobs, &id).await.0.state, JobState::Queued);

    let second = Arc::new(Steps::default());
    second.gate.0.add_permits(1);
    let (jobs, stop) = house.boot(second.clone());
    jobs.start(stop);
    assert_eq!(until(&jobs, &id, JobState::Succeeded).await.attempt, 1);
}

#[tokio::test]
async fn three_crashes_end_it_with_the_reason_and_an_undo() {
    let house = House::new().await;
    let handler = Arc::new(Steps::default());
    let (jobs, _) = house.boot(handler.clone());
    let id = house.ask(&jobs, job("service:a")).await;
    for boot in 0..3 {
        let mut tx = house.db.write().await.expect("a transaction");
        sqlx::query(
            "UPDATE jobs SET state = 'running', boot = ?, attempt = attempt + 1, lease_until = 1 WHERE crashes = ?",
        )
        .bind(format!("boot {boot}"))
        .bind(boot)
        .execute(&mut *tx)
        .await
        .expect("claimed by a run that dies");
        tx.commit().await.expect("committed");
        // A run that recovers but claims nothing: its lane is closed.
        let (jobs, stop) = house.boot(handler.clone());
        jobs.limit(Lane::Swarm, 0);
        let worker = jobs.start(stop.clone());
        until(&jobs, &id, if boot < 2 { JobState::Queued } else { JobState::Failed }).await;
        stop.cancel();
        worker.await.expect("a quiet end");
    }
    let (ended, _) = get(&jobs, &id).await;
    assert_eq!(ended.problem.map(|problem| problem.code), Some("job.crash_loop".into()));
    assert_eq!(handler.undone.load(Ordering::SeqCst), 1);
    assert_eq!(handler.first.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn cancel_ends_queued_running_and_orphaned_jobs() {
    let house = House::new().await;
    let handler = Arc::new(Steps::default());
    let (jobs, stop) = house.boot(handler.clone());
    let queued = house.ask(&jobs, job("service:a")).await;
    jobs.cancel(&queued).await.expect("cancelled");
    assert_eq!(get(&jobs, &queued).await.0.state, JobState::Cancelled);
    assert_eq!(handler.undone.load(Ordering::SeqCst), 0, "nothing had been done");

    let orphan = house.ask(&jobs, job("service:b")).await;
    let mut tx = house.db.write().await.expect("a transaction");
    sqlx::query("UPDATE jobs SET state = 'running', boot = 'gone', attempt = 1 WHERE id = ?")
        .bind(orphan.as_str())
        .execute(&mut *tx)
        .await
        .expect("claimed by a run that is gone");
    tx.commit().await.expect("committed");
    jobs.cancel(&orphan).await.expect("cancelled");

    jobs.start(stop);
    until(&jobs, &orphan, JobState::Cancelled).await;
    assert_eq!(handler.undone.load(Ordering::SeqCst), 1);

    let running = house.ask(&jobs, job("service:c")).await;
    until(&jobs, &running, JobState::Running).await;
    jobs.cancel(&running).await.expect("cancelled");
    let ended = until(&jobs, &running, JobState::Cancelled).await;
    assert_eq!(ended.problem, None);
    assert_eq!(handler.undone.load(Ordering::SeqCst), 2);
    jobs.cancel(&running).await.expect("no harm");
    assert_eq!(get(&jobs, &running).await.0, ended);
}

#[tokio::test]
async fn a_job_that_ignores_its_cancel_ends_within_15_seconds() {
    let house = House::new().await;
    let handler = Arc::new(Steps { ignores_cancel: true, ..Steps::default() });
    let (jobs, stop) = house.boot(handler.clone());
    jobs.start(stop);
    let id = house.ask(&jobs, job("service:a")).await;
    until(&jobs, &id, JobState::Running).await;
    let asked = Instant::now();
    jobs.cancel(&id).await.expect("cancelled");
    until(&jobs, &id, JobState::Cancelled).await;
    assert!(asked.elapsed() < Duration::from_secs(15), "{:?}", asked.elapsed());
    assert_eq!(handler.undone.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_key_returns_the_unfinished_job_and_a_newer_job_supersedes() {
    let house = House::new().await;
    let (jobs, _stop) = house.boot(Arc::new(Steps::default()));
    let keyed = || NewJob { key: Some("once".into()), ..job("service:a") };
    let first = house.ask(&jobs, keyed()).await;
    assert_eq!(house.ask(&jobs, keyed()).await, first);
    jobs.cancel(&first).await.expect("cancelled");
    let second = house.ask(&jobs, keyed()).await;
    assert_ne!(second, first);

    let newest = house.ask(&jobs, job("service:a")).await;
    let other = house.ask(&jobs, job("service:b")).await;
    let mut tx = house.db.write().await.expect("a transaction");
    jobs.supersede(&mut tx, "test", "service:a", &newest).await.expect("superseded");
    tx.commit().await.expect("committed");
    for (id, state) in [(&second, JobState::Superseded), (&newest, JobState::Queued), (&other, JobState::Queued)] {
        assert_eq!(get(&jobs, id).await.0.state, state);
    }
}

#[tokio::test]
async fn lanes_have_limits_and_a_subject_is_changed_by_one_job_at_a_time() {
    let house = House::new().await;
    let handler = Arc::new(Steps::default());
    let (jobs, stop) = house.boot(handler.clone());
    jobs.limit(Lane::Swarm, 2);
    let mut ids = Vec::new();
    for subject in ["service:a", "service:a", "service:b", "service:c"] {
        ids.push(house.ask(&jobs, job(subject)).await);
    }
    jobs.start(stop);
    // The second job for a waits for the first, so b is the second one to run; c waits for the lane.
    until(&jobs, &ids[0], JobState::Running).await;
    until(&jobs, &ids[2], JobState::Running).await;
    assert_eq!(get(&jobs, &ids[1]).await.0.state, JobState::Queued);
    assert_eq!(get(&jobs, &ids[3]).await.0.state, JobState::Queued);
    handler.gate.0.add_permits(4);
    for id in &ids {
        until(&jobs, id, JobState::Succeeded).await;
    }
    assert_eq!(handler.most.load(Ordering::SeqCst), 2);
}

struct Faulty;

#[async_trait]
impl Handler for Faulty {
    fn kind(&self) -> &'static str {
        "test"
    }

    async fn run(&self, payload: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        let problem = || Problem::new("test.failed", "It failed.", "Do something.");
        match payload["subject"].as_str() {
            Some("panic") => panic!("a fault of ours"),
            Some("fail") => cx.step("only", "Only", async { Err(problem().into()) }).await,
            _ if cx.attempt < 3 => Err(JobError::Retry { after: Duration::from_millis(30), problem: problem() }),
            Some("retry") => Ok(()),
            _ => Err(JobError::Retry { after: Duration::from_millis(30), problem: problem() }),
        }
    }
}

#[tokio::test]
async fn panics_failures_and_retries_end_as_they_should() {
    let house = House::new().await;
    let (jobs, stop) = house.boot(Arc::new(Faulty));
    jobs.start(stop);
    let tries = |subject: &str| NewJob { max_attempts: 3, ..job(subject) };
    let panicking = house.ask(&jobs, tries("panic")).await;
    let failing = house.ask(&jobs, tries("fail")).await;
    let retrying = house.ask(&jobs, tries("retry")).await;
    let hopeless = house.ask(&jobs, tries("hopeless")).await;
    let unknown = house.ask(&jobs, NewJob { kind: "unheard_of", ..job("x") }).await;

    let ended = until(&jobs, &panicking, JobState::Failed).await;
    let problem = ended.problem.expect("a problem");
    assert!(problem.code == "internal" && !problem.cause.contains("a fault of ours"));
    let ended = until(&jobs, &failing, JobState::Failed).await;
    assert_eq!((ended.attempt, ended.problem.map(|problem| problem.code)), (1, Some("test.failed".into())));
    assert_eq!(get(&jobs, &failing).await.1[0].state, StepState::Failed);
    assert!(log(&jobs, &failing).await.iter().any(|line| line.text == "Failed: It failed. Do something."));
    assert_eq!(until(&jobs, &retrying, JobState::Succeeded).await.attempt, 3);
    assert_eq!(until(&jobs, &hopeless, JobState::Failed).await.attempt, 3);
    assert_eq!(until(&jobs, &unknown, JobState::Failed).await.problem.map(|p| p.code), Some("job.unknown".into()));
}

struct Talker {
    go_on: Semaphore,
}

#[async_trait]
impl Handler for Talker {
    fn kind(&self) -> &'static str {
        "test"
    }

    async fn run(&self, _: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        cx.mask(&Secret::new("hunter2-hunter2".into()));
        cx.step("talk", "Talk", async {
            for n in 1..=3 {
                self.go_on.acquire().await.map_err(slipway::jobs::internal)?.forget();
                cx.log(&format!("line {n} with hunter2-hunter2\nand \x1b[31mred\x1b[0m\x1b[2J"));
                let mut stream = cx.stream(Some("talk/part"));
                for piece in ["pieces of hunt", "er2-hunter2 ar", "e masked too\nno end"] {
                    stream.write(piece.as_bytes());
                }
            }
            let part = Step {
                name: "talk/part".into(),
                title: "RUN echo hunter2-hunter2".into(),
                state: StepState::Done,
                started: 1,
                finished: Some(2),
                cached: true,
            };
            cx.sub_step(part).await;
            Ok(())
        })
        .await
    }
}

#[tokio::test]
async fn a_follower_sees_every_line_once_also_when_it_comes_back() {
    let house = House::new().await;
    let handler = Arc::new(Talker { go_on: Semaphore::new(1) });
    let (jobs, stop) = house.boot(handler.clone());
    let id = house.ask(&jobs, job("service:a")).await;
    let mut events = jobs.follow(&actor(), &id, 0).await.expect("a stream");
    let first = events.next().await.expect("the job");
    assert!(matches!(&first.1, LiveEvent::Job { job, .. } if job.state == JobState::Queued), "{first:?}");
    jobs.start(stop);

    let (mut lines, mut offset) = (Vec::new(), 0);
    while lines.len() < 4 {
        let (at, event) = events.next().await.expect("more");
        if let LiveEvent::Log { lines: new } = event {
            lines.extend(new);
        }
        assert!(at >= offset);
        offset = at;
    }
    // The connection breaks; another one goes on where it stopped.
    drop(events);
    handler.go_on.add_permits(2);
    let mut events = jobs.follow(&actor(), &id, offset).await.expect("a stream");
    let mut last_job = None;
    loop {
        match events.next().await.expect("an end").1 {
            LiveEvent::Log { lines: new } => lines.extend(new),
            LiveEvent::Job { job, steps } => last_job = Some((job, steps)),
            LiveEvent::End => break,
        }
    }
    assert!(events.next().await.is_none());
    assert_eq!(lines.iter().map(|line| line.n).collect::<Vec<_>>(), (1..=12).collect::<Vec<_>>());
    assert_eq!(lines[0].text, "line 1 with •••");
    assert_eq!(lines[1].text, "and \x1b[31mred\x1b[0m");
    assert_eq!((lines[2].text.as_str(), lines[2].step.as_str()), ("pieces of ••• are masked too", "talk/part"));
    assert_eq!(lines[3].text, "no end");
    let (ended, steps) = last_job.expect("the end state");
    assert_eq!(ended.state, JobState::Succeeded);
    assert_eq!(steps[1].title, "RUN echo •••");
    assert!(steps[1].cached);

    let (tail, end) = jobs.tail(&actor(), &id, 2).await.expect("a tail");
    assert_eq!(tail, lines[10..]);
    let mut over = jobs.follow(&actor(), &id, end).await.expect("a stream");
    assert!(matches!(over.next().await, Some((_, LiveEvent::Job { .. }))));
    assert!(matches!(over.next().await, Some((_, LiveEvent::End))));
    let pieces: Vec<_> = jobs.text(&actor(), &id).await.expect("text").collect().await;
    let text: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.expect("a piece")).collect();
    let text = String::from_utf8(text).expect("text");
    assert_eq!(text.lines().count(), 12);
    assert!(text.contains("and red\n") && !text.contains("hunter2") && !text.contains('\x1b'));
    assert!(jobs.follow(&actor(), &JobId::from_random([9; 8]), 0).await.is_err());
}

#[tokio::test]
async fn a_broken_log_folder_fails_no_job() {
    let house = House::new().await;
    std::fs::write(house.folder.path().join("logs"), "in the way").expect("a file");
    let handler = Arc::new(Steps::default());
    handler.gate.0.add_permits(1);
    let (jobs, stop) = house.boot(handler);
    jobs.start(stop);
    let id = house.ask(&jobs, job("service:a")).await;
    until(&jobs, &id, JobState::Succeeded).await;
}
