//! The garbage of a real registry: what is kept stays whole, pulls go on, pushes of ours wait, and wherever it is broken off
//! the registry is writable and complete in the end (acceptance 3).

use super::content::{Content, REPOSITORY, Shop, noise};
use super::house::{Sweep, created, ended, failed, form, in_docker, steps, succeeded};
use super::s3::{bucket, prefix};
use crate::s3::Store;
use crate::services::world::World;
use crate::swarm::{Lab, eventually};
use app::api::registries::RegistriesApi as _;
use app::model::id::{JobId, RegistryId};
use app::model::job::JobState;
use app::model::registry::{GarbageForm, GarbageRun, GarbageWhy, ManagedForm};
use async_trait::async_trait;
use serde_json::{Value, json};
use slipway::jobs::{Handler, JobContext, JobError, Lane, NewJob};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Collects the garbage of a registry; what came of it.
pub async fn collected(world: &World, id: &RegistryId) -> GarbageRun {
    let job = world.registries.collect_garbage(&world.actor, id).await.expect("asked for");
    succeeded(world, &job).await;
    let garbage = world.registries.garbage(&world.actor, id).await.expect("known");
    assert_eq!((garbage.shut_since, garbage.job), (None, None), "the gate is open");
    let run = garbage.runs.into_iter().find(|run| run.job == job).expect("it is among the runs");
    assert!(run.ended.is_some() && run.shut.is_some() && run.state == Some(JobState::Succeeded), "{run:?}");
    run
}

/// Waits until a job has begun a step.
async fn begun(world: &World, job: &JobId, step: &str) {
    eventually(Duration::from_secs(120), step, || async {
        steps(world, job).await.iter().any(|(name, _)| name == step).then_some(())
    })
    .await;
}

/// Waits until nothing of a collection is left: the gate is open, and no job is under way.
async fn quiet(world: &World, lab: &Lab, id: &RegistryId) {
    eventually(Duration::from_secs(180), "the gate is open", || async {
        let is_open = world.registries.shut_since(id).await.expect("known").is_none();
        let jobs: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM jobs WHERE subject = ? AND state IN ('queued', 'running', 'cancelling')",
        )
        .bind(format!("registry:{id}"))
        .fetch_one(world.db.read())
        .await
        .expect("asked");
        (is_open && jobs == 0).then_some(())
    })
    .await;
    assert!(in_docker(lab, id).iter().all(|name| !name.contains("garbage")), "{:?}", in_docker(lab, id));
}

/// A world with a registry, in which an image for two platforms was deleted and another one stays.
async fn shop(folder: &std::path::Path, lab: &Lab, form: ManagedForm) -> (World, RegistryId, Sweep, Shop) {
    let world = World::open(folder, &lab.docker_host).await;
    world.start();
    let (id, sweep) = created(&world, lab, form).await;
    let shop = Shop::open(&world, &id).await;
    shop.delete().await;
    (world, id, sweep, shop)
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_goes_while_pulls_go_on_and_what_is_kept_stays_whole() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (world, id, _sweep, shop) = shop(folder.path(), &lab, form("Main")).await;
    // Somebody pulls all the time; what is refused is tried again, as Docker does.
    let (stop, pulls, retries) =
        (CancellationToken::new(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let puller = {
        let (stop, pulls, retries) = (stop.clone(), Arc::clone(&pulls), Arc::clone(&retries));
        let (content, kept) = (shop.content.clone(), shop.kept.clone());
        tokio::spawn(async move {
            let mut longest = Duration::ZERO;
            let mut last = std::time::Instant::now();
            while !stop.is_cancelled() {
                match content.pull(REPOSITORY, &kept).await {
                    Ok(blobs) => {
                        assert_eq!(blobs, 6);
                        longest = longest.max(last.elapsed());
                        last = std::time::Instant::now();
                        pulls.fetch_add(1, Ordering::SeqCst);
                    }
                    Err(_) => {
                        retries.fetch_add(1, Ordering::SeqCst);
                    }
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            longest
        })
    };
    let job = world.registries.collect_garbage(&world.actor, &id).await.expect("asked for");
    begun(&world, &job, "collect").await;
    let during = pulls.load(Ordering::SeqCst);
    assert_eq!(shop.content.opens_upload(REPOSITORY).await, Ok(reqwest::StatusCode::METHOD_NOT_ALLOWED));
    eventually(Duration::from_secs(20), "pulls go on", || async {
        (pulls.load(Ordering::SeqCst) > during).then_some(())
    })
    .await;
    assert!(!steps(&world, &job).await.contains(&("writable".into(), "done".into())), "those were pulls in between");
    succeeded(&world, &job).await;
    stop.cancel();
    let longest = puller.await.expect("no pull found anything missing");
    eprintln!(
        "{} pulls, {} tried again, {} ms without one at most",
        pulls.load(Ordering::SeqCst),
        retries.load(Ordering::SeqCst),
        longest.as_millis()
    );
    assert!(longest < Duration::from_secs(30), "{longest:?}");
    let all: Vec<_> = steps(&world, &job).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(all, ["look", "gate", "read_only", "measure", "collect", "tidy", "writable", "verify", "open"]);

    let run = world.registries.garbage(&world.actor, &id).await.expect("known").runs.remove(0);
    // And what the probe had pushed and deleted.
    let (blobs, bytes) = shop.garbage();
    let probe = "Slipway looks whether this registry works.\n".len() as u64;
    assert_eq!((run.blobs, run.why), (Some(blobs + 1), GarbageWhy::Asked));
    // The volume's files can be seen where the engine's folder can.
    if let Some(freed) = run.bytes {
        assert_eq!(freed, bytes + probe);
    }
    shop.is_well(true).await;
    quiet(&world, &lab, &id).await;
    let name = format!("slipway-registry-{}", id.short());
    let left = [
        format!("secret {name}-config-3"),
        format!("secret {name}-htpasswd-3"),
        format!("service {name}"),
        format!("volume {name}"),
    ];
    assert_eq!(in_docker(&lab, &id), left, "one revision for the lock, one without it");
    // There is nothing to collect but what was pushed for a look.
    assert_eq!(collected(&world, &id).await.blobs, Some(1));
}

/// Pushes an image as a build does: with the right to, which is held until the image is there.
struct Pusher {
    world: Mutex<Option<(slipway::registries::Registries, Content)>>,
    /// A place for each push that may end.
    may_end: Semaphore,
    pushed: Mutex<Vec<Value>>,
}

#[async_trait]
impl Handler for Pusher {
    fn kind(&self) -> &'static str {
        "test_push"
    }

    async fn run(&self, payload: &Value, cx: &JobContext) -> Result<(), JobError> {
        let (registries, content) = self.world.lock().expect("a lock").clone().expect("set");
        let id: RegistryId = serde_json::from_value(payload["registry"].clone()).expect("an id");
        let pass = registries.push_pass(&id, payload["who"].as_str().expect("a name"), cx).await?;
        let layer = content.blob("shop/built", &noise(40_000)).await;
        // Its layer isn't led to by anything yet: a sweep now would take it.
        self.may_end.acquire().await.expect("open").forget();
        let (image, _) = content.image("shop/built", Some(payload["tag"].as_str().expect("a tag")), &[&layer]).await;
        self.pushed.lock().expect("a lock").push(image);
        drop(pass);
        Ok(())
    }
}

async fn push(world: &World, id: &RegistryId, tag: &str) -> JobId {
    let mut tx = world.db.write().await.expect("a transaction");
    let job = NewJob {
        kind: "test_push",
        payload: json!({ "registry": id, "tag": tag, "who": format!("build {tag} of web") }),
        subject: format!("builds:{tag}"),
        key: None,
        lane: Lane::Build,
        resource: None,
        asked_by: "owner".into(),
        max_attempts: 1,
    };
    let job = world.jobs.enqueue(&mut tx, job).await.expect("asked for");
    tx.commit().await.expect("committed");
    world.jobs.wake();
    job
}

async fn says(world: &World, job: &JobId, text: &str) {
    use app::api::jobs::JobsApi as _;
    eventually(Duration::from_secs(60), text, || async {
        let lines = world.jobs.tail(&world.actor, job, 1_000).await.expect("a log").0;
        lines.iter().any(|line| line.text.contains(text)).then_some(())
    })
    .await;
}

/// Acceptance 3: no push fails, and no pushed image is damaged.
#[tokio::test(flavor = "multi_thread")]
async fn pushes_that_run_are_waited_for_and_new_ones_wait() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    let pusher = Arc::new(Pusher { world: Mutex::default(), may_end: Semaphore::new(0), pushed: Mutex::default() });
    world.jobs.register(Arc::<Pusher>::clone(&pusher));
    world.jobs.limit(Lane::Build, 4);
    world.start();
    let (id, _sweep) = created(&world, &lab, form("Main")).await;
    let shop = Shop::open(&world, &id).await;
    shop.delete().await;
    *pusher.world.lock().expect("a lock") = Some((world.registries.clone(), shop.content.clone()));

    let first = push(&world, &id, "1").await;
    eventually(Duration::from_secs(30), "its layer is there", || async {
        let found = shop.content.opens_upload("shop/built").await;
        let running: i64 =
            sqlx::query_scalar("SELECT count(*) FROM jobs WHERE kind = 'test_push' AND state = 'running'")
                .fetch_one(world.db.read())
                .await
                .expect("asked");
        (found.is_ok() && running == 1).then_some(())
    })
    .await;
    let collect = world.registries.collect_garbage(&world.actor, &id).await.expect("asked for");
    says(&world, &collect, "Waiting for pushes that run already: build 1 of web.").await;
    let (second, third) = (push(&world, &id, "2").await, push(&world, &id, "3").await);
    let doomed = push(&world, &id, "4").await;
    for job in [&second, &third, &doomed] {
        says(&world, job, "Waiting: the garbage of the registry Main is being collected.").await;
        assert!(world.registries.waits_for_garbage(&world.actor, job).await.expect("known").is_some());
    }
    assert_eq!(world.registries.waits_for_garbage(&world.actor, &first).await.expect("known"), None);
    assert_eq!(steps(&world, &collect).await.last(), Some(&("gate".into(), "running".into())), "it waits as well");
    // Who waits can be cancelled.
    world.jobs.cancel(&doomed).await.expect("cancelled");
    assert_eq!(ended(&world, &doomed).await.0, JobState::Cancelled);

    pusher.may_end.add_permits(3);
    succeeded(&world, &first).await;
    succeeded(&world, &collect).await;
    for job in [&second, &third] {
        succeeded(&world, job).await;
    }
    let pushed = pusher.pushed.lock().expect("a lock").clone();
    assert_eq!(pushed.len(), 3);
    for image in &pushed {
        assert_eq!(shop.content.pull("shop/built", image).await, Ok(2), "every blob of it");
    }
    shop.is_well(true).await;
}

/// Slipway ends in the middle of every step, and goes on each time.
#[tokio::test(flavor = "multi_thread")]
async fn it_goes_on_after_a_stop_at_any_step() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let first = World::open(folder.path(), &lab.docker_host).await;
    let stop = CancellationToken::new();
    let working = first.jobs.start_with(stop.clone(), Duration::ZERO);
    let (id, _sweep) = created(&first, &lab, form("Main")).await;
    let shop = Shop::open(&first, &id).await;
    shop.delete().await;
    stop.cancel();
    working.await.expect("it ends");
    let job = first.registries.collect_garbage(&first.actor, &id).await.expect("asked for");
    for step in ["look", "gate", "read_only", "measure", "collect", "tidy", "writable", "verify"] {
        let life = World::open(folder.path(), &lab.docker_host).await;
        let stop = CancellationToken::new();
        let working = life.jobs.start_with(stop.clone(), Duration::ZERO);
        begun(&life, &job, step).await;
        stop.cancel();
        working.await.expect("it ends");
        if step == "collect" {
            assert!(life.registries.shut_since(&id).await.expect("known").is_some(), "pushes wait over a restart");
        }
    }
    let world = World::open(folder.path(), &lab.docker_host).await;
    world.start();
    succeeded(&world, &job).await;
    shop.is_well(true).await;
    quiet(&world, &lab, &id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_or_failed_one_leaves_it_writable_and_complete() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (world, id, _sweep, shop) = shop(folder.path(), &lab, form("Main")).await;
    for step in ["read_only", "collect"] {
        let job = world.registries.collect_garbage(&world.actor, &id).await.expect("asked for");
        begun(&world, &job, step).await;
        world.jobs.cancel(&job).await.expect("cancelled");
        assert_eq!(ended(&world, &job).await.0, JobState::Cancelled, "{step}");
        quiet(&world, &lab, &id).await;
        shop.is_well(false).await;
    }
    // A manifest that can't be read: the registry's own program gives up at it.
    let volume =
        lab.docker(&["volume", "inspect", "--format", "{{.Mountpoint}}", &format!("slipway-registry-{}", id.short())]);
    let broken = shop.content.image("shop/broken", Some("1"), &[]).await.0;
    let hex = super::content::digest_of(&broken).trim_start_matches("sha256:").to_owned();
    let file = format!("{}/docker/registry/v2/blobs/sha256/{}/{hex}/data", volume.trim(), &hex[..2]);
    let Ok(bytes) = std::fs::read(&file) else { return };
    std::fs::write(&file, "broken").expect("written");
    let job = world.registries.collect_garbage(&world.actor, &id).await.expect("asked for");
    let problem = failed(&world, &job).await;
    assert_eq!(problem.code, "registry.garbage_failed", "{problem:?}");
    assert!(problem.cause.ends_with("The registry is writable again."), "{problem:?}");
    quiet(&world, &lab, &id).await;
    shop.is_well(false).await;
    std::fs::write(&file, bytes).expect("written");
    collected(&world, &id).await;
    shop.is_well(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_swept_as_well() {
    let (Some(lab), Some(store)) = (Lab::find(), Store::find()) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (world, id, _sweep, shop) = shop(folder.path(), &lab, bucket(&store, &prefix())).await;
    let run = collected(&world, &id).await;
    assert_eq!((run.blobs, run.bytes), (Some(shop.garbage().0 + 1), None), "what came free can't be seen");
    shop.is_well(true).await;
}

/// What nobody finished is finished, and what is due by time is asked for, by the watch.
#[tokio::test(flavor = "multi_thread")]
async fn the_watch_finishes_what_was_left_and_begins_what_is_due() {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (world, id, _sweep, shop) = shop(folder.path(), &lab, form("Main")).await;
    // A mark without a job, as after a fault of ours.
    let mut tx = world.db.write().await.expect("a transaction");
    sqlx::query("INSERT INTO garbage_marks (registry_id, job_id, since) VALUES (?, 'job_000000000009', 0)")
        .bind(id.as_str())
        .execute(&mut *tx)
        .await
        .expect("marked");
    tx.commit().await.expect("committed");
    let stop = CancellationToken::new();
    let (registries, token) = (world.registries.clone(), stop.clone());
    let watching = tokio::spawn(async move { registries.watch(token).await });
    quiet(&world, &lab, &id).await;

    let rule = GarbageForm { every: "24".into(), ..GarbageForm::default() };
    world.registries.set_garbage_rule(&world.actor, &id, rule).await.expect("saved");
    let garbage = world.registries.garbage(&world.actor, &id).await.expect("known");
    assert!(garbage.due.is_some() && garbage.runs.is_empty(), "{garbage:?}");
    let mut tx = world.db.write().await.expect("a transaction");
    sqlx::query("UPDATE garbage_rules SET since = since - 86400").execute(&mut *tx).await.expect("a day passes");
    tx.commit().await.expect("committed");
    let run = eventually(Duration::from_secs(180), "it is collected", || async {
        let garbage = world.registries.garbage(&world.actor, &id).await.expect("known");
        garbage.runs.into_iter().find(|run| run.state == Some(JobState::Succeeded))
    })
    .await;
    assert_eq!(run.why, GarbageWhy::Schedule);
    stop.cancel();
    watching.await.expect("it ends");
    shop.is_well(true).await;
}
