//! Acceptance 3: ten builds and room for two. Order, cancel, moves, building again; and who pushed what how often.

use super::gate::Gate;
use super::house::{House, processes};
use app::api::builds::BuildsApi as _;
use app::api::settings::SettingsApi as _;
use app::error::AppError;
use app::model::build::Build;
use app::model::build_record::Trigger;
use app::model::build_rules::BuildRulesForm;
use app::model::id::{BuildId, ServiceId};
use app::model::job::JobState;
use app::model::queue::{Move, WaitsFor};
use slipway::builds::Ask;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

async fn set_rules(house: &House, form: BuildRulesForm) {
    house.settings.set_build_rules(&house.actor, form).await.expect("saved");
}

fn two_at_once() -> BuildRulesForm {
    BuildRulesForm { parallel: "2".into(), supersedes: Some("on".into()), ..BuildRulesForm::default() }
}

async fn ask(house: &House, service: &ServiceId) -> BuildId {
    let ask = Ask { no_cache: true, ..Ask::by_hand(service, "ada") };
    house.builds.ask(ask).await.expect("it is queued")
}

/// Most that ran at the same time, by when they began and ended.
fn most_at_once(builds: &[Build]) -> usize {
    let spans: Vec<_> = builds.iter().filter_map(|build| Some((build.started?, build.finished?))).collect();
    spans
        .iter()
        .map(|(at, _)| spans.iter().filter(|(began, ended)| began <= at && at < ended).count())
        .max()
        .unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_builds_and_room_for_two() {
    let Some(house) = House::empty().await else { return };
    let gate = Gate::start(&house.facts.lab.url().host.to_string()).await;
    house.registry(&gate.address).await;
    set_rules(&house, two_at_once()).await;
    house.commit("One", &[("Dockerfile", &house.dockerfile("RUN echo it works; sleep 1.2"))]);
    let mut services = vec![house.service.clone()];
    for number in 1..10 {
        services.push(house.another_service(number).await);
    }
    let mut ids = Vec::new();
    for service in &services {
        ids.push(ask(&house, service).await);
    }
    let queue = house.builds.queue(&house.actor).await.expect("the queue");
    assert_eq!(queue.iter().map(|queued| &queued.build.id).collect::<Vec<_>>(), ids.iter().collect::<Vec<_>>());
    assert!(queue.iter().all(|queued| queued.branch.as_ref().is_some_and(|branch| branch.as_str() == "main")));

    // Watched from outside all the time.
    let most = Arc::new(AtomicUsize::new(0));
    let watch = tokio::spawn({
        let (most, db) = (Arc::clone(&most), house.db.clone());
        async move {
            loop {
                let running: i64 =
                    sqlx::query_scalar("SELECT count(*) FROM jobs WHERE state IN ('running', 'cancelling')")
                        .fetch_one(db.read())
                        .await
                        .expect("a number");
                most.fetch_max(usize::try_from(running).unwrap_or_default(), Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    });
    // The last one is moved before all that wait, and one of them never runs.
    house.builds.reorder(&house.actor, &ids[9], Move::Front).await.expect("moved");
    house.builds.cancel(&house.actor, &ids[5]).await.expect("cancelled");
    assert_eq!(house.get(&ids[5]).await.state, JobState::Cancelled);
    house.jobs.start(house.stop.clone());
    house.until(&ids[9], JobState::Running).await;
    house.until(&ids[0], JobState::Running).await;
    let queue = house.builds.queue(&house.actor).await.expect("the queue");
    assert_eq!(queue.len(), 7);
    assert!(queue.iter().all(|queued| queued.waiting.waits_for == WaitsFor::Lane { most: 2 }), "{queue:?}");
    let refused = house.builds.reorder(&house.actor, &ids[0], Move::Up).await;
    assert!(matches!(refused, Err(AppError::Problem(problem)) if problem.code == "build.not_queued"));
    let refused = house.builds.again(&house.actor, &ids[0], false).await;
    assert!(matches!(refused, Err(AppError::Problem(problem)) if problem.code == "build.under_way"));
    // One that runs is cancelled in the middle.
    house.says(&ids[0], "it works").await;
    house.builds.cancel(&house.actor, &ids[0]).await.expect("asked");
    house.until(&ids[0], JobState::Cancelled).await;

    let order = [9, 1, 2, 3, 4, 6, 7, 8];
    for index in order {
        house.until(&ids[index], JobState::Succeeded).await;
    }
    watch.abort();
    assert_eq!(most.load(Ordering::SeqCst), 2, "never more, and not one after the other");
    let mut builds = Vec::new();
    for id in &ids {
        builds.push(house.get(id).await);
    }
    assert_eq!(most_at_once(&builds), 2);
    let began: Vec<_> = order.iter().map(|index| builds[*index].started).collect();
    assert!(began.is_sorted() && began.iter().all(Option::is_some), "{began:?}");
    assert_eq!(builds[5].started, None);

    // Again: the same commit, although the branch went on; without superseding anybody.
    house.commit("Two", &[("Dockerfile", &house.dockerfile("RUN exit 1"))]);
    let again = house.builds.again(&house.actor, &ids[0], false).await.expect("queued");
    let done = house.until(&again, JobState::Succeeded).await;
    assert_eq!(done.commit, builds[0].commit);
    assert_eq!(done.trigger, Trigger::Retry { of: ids[0].clone(), number: 1 });
    assert!(done.deploys && !done.no_cache);
    let fresh = house.builds.again(&house.actor, &again, true).await.expect("queued");
    assert!(house.until(&fresh, JobState::Succeeded).await.no_cache);
    assert!(house.text(&fresh).await.contains("it works"), "nothing came from the cache");

    // What the registry saw: each build that succeeded pushed once, nobody else pushed anything.
    let mut pushed: HashMap<String, usize> = HashMap::new();
    for tag in gate.pushed() {
        *pushed.entry(tag).or_default() += 1;
    }
    let tag = |build: &Build| {
        build.reference.as_ref().map(|it| format!("{}:{}", it.repository, it.tag.as_ref().expect("a tag")))
    };
    for index in order {
        assert_eq!(pushed.remove(&tag(&builds[index]).expect("a reference")), Some(1), "build {index}");
    }
    assert_eq!(pushed.remove(&tag(&done).expect("a reference")), Some(2), "again, and once more without cache");
    assert!(pushed.is_empty(), "{pushed:?}");
    let folder = house.builds_dir().to_string_lossy().into_owned();
    assert!(processes(&folder).is_empty());
    house.is_clean();
}

#[tokio::test]
async fn with_the_rule_off_all_wait_and_a_retry_supersedes_nobody() {
    let Some(house) = House::empty().await else { return };
    let url = house.facts.lab.url().to_string();
    house.registry(&url).await;
    set_rules(&house, BuildRulesForm { supersedes: None, ..two_at_once() }).await;
    house.commit("One", &[("Dockerfile", &house.dockerfile(""))]);
    let (first, second) = (house.start().await, house.start().await);
    for id in [&first, &second] {
        assert_eq!(house.get(id).await.state, JobState::Queued);
    }
    let queue = house.builds.queue(&house.actor).await.expect("the queue");
    assert_eq!(queue[1].waiting.waits_for, WaitsFor::Other { job: queue[0].waiting.job.clone() });
    set_rules(&house, two_at_once()).await;
    let third = house.start().await;
    assert_eq!(house.get(&first).await.state, JobState::Superseded);
    assert_eq!(house.get(&second).await.state, JobState::Superseded);
    house.jobs.start(house.stop.clone());
    let done = house.until(&third, JobState::Succeeded).await;
    house.stop.cancel();
    // The newest waits; somebody wants an old commit again: both are built.
    let newest = house.start().await;
    house.builds.again(&house.actor, &done.id, false).await.expect("queued");
    assert_eq!(house.get(&newest).await.state, JobState::Queued);
    assert_eq!(house.builds.queue(&house.actor).await.expect("the queue").len(), 2);
}
