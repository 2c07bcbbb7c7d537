//! Limits, order, and what people are told of it.

use super::{House, Steps, get, job, until};
use app::model::id::JobId;
use app::model::job::JobState;
use app::model::queue::{Move, WaitsFor};
use slipway::jobs::{Jobs, Lane, NewJob};
use std::sync::Arc;
use std::time::Duration;

fn on(resource: &str, subject: &str) -> NewJob {
    NewJob { resource: Some(resource.into()), ..job(subject) }
}

impl House {
    async fn set_limit(&self, jobs: &Jobs, resource: &str, most: Option<u32>) {
        let mut tx = self.db.write().await.expect("a transaction");
        match most {
            Some(most) => jobs.set_limit(&mut tx, resource, most).await.expect("set"),
            None => jobs.remove_limit(&mut tx, resource).await.expect("removed"),
        }
        tx.commit().await.expect("committed");
        jobs.wake();
    }

    async fn reorder(&self, jobs: &Jobs, id: &JobId, to: Move) -> bool {
        let mut tx = self.db.write().await.expect("a transaction");
        let moved = jobs.reorder(&mut tx, id, to).await.expect("an answer");
        tx.commit().await.expect("committed");
        jobs.wake();
        moved
    }
}

async fn order(jobs: &Jobs) -> Vec<JobId> {
    let queue = jobs.queue(Lane::Swarm).await.expect("the queue");
    for (index, waiting) in queue.iter().enumerate() {
        assert_eq!((waiting.position as usize, waiting.queued as usize), (index + 1, queue.len()));
    }
    queue.into_iter().map(|waiting| waiting.job).collect()
}

async fn waits_for(jobs: &Jobs, id: &JobId) -> Option<WaitsFor> {
    jobs.waits(id).await.expect("an answer").map(|waiting| waiting.waits_for)
}

async fn states(jobs: &Jobs, ids: &[JobId]) -> Vec<JobState> {
    let mut states = Vec::new();
    for id in ids {
        states.push(get(jobs, id).await.0.state);
    }
    states
}

#[tokio::test]
async fn a_resource_has_a_limit_of_its_own_and_none_is_none() {
    let house = House::new().await;
    let handler = Arc::new(Steps::default());
    let (jobs, stop) = house.boot(handler.clone());
    house.set_limit(&jobs, "builder:one", Some(1)).await;
    let mut ids = Vec::new();
    for (resource, subject) in [("builder:one", "a"), ("builder:one", "b"), ("builder:two", "c"), ("builder:two", "d")]
    {
        ids.push(house.ask(&jobs, on(resource, subject)).await);
    }
    jobs.start(stop);
    for index in [0, 2, 3] {
        until(&jobs, &ids[index], JobState::Running).await;
    }
    assert_eq!(get(&jobs, &ids[1]).await.0.state, JobState::Queued, "one has one place");
    assert_eq!(waits_for(&jobs, &ids[1]).await, Some(WaitsFor::Resource { most: 1 }));
    assert_eq!(waits_for(&jobs, &ids[0]).await, None, "who runs waits for nothing");
    // Without the limit it runs at once, beside the other.
    house.set_limit(&jobs, "builder:one", None).await;
    until(&jobs, &ids[1], JobState::Running).await;
    assert_eq!(get(&jobs, &ids[0]).await.0.state, JobState::Running);
    handler.gate.0.add_permits(4);
    for id in &ids {
        until(&jobs, id, JobState::Succeeded).await;
    }
}

#[tokio::test]
async fn a_lanes_limit_is_changed_while_it_works_and_outlasts_a_restart() {
    let house = House::new().await;
    let handler = Arc::new(Steps::default());
    let (jobs, stop) = house.boot(handler.clone());
    house.set_limit(&jobs, Lane::Swarm.resource(), Some(1)).await;
    let mut ids = Vec::new();
    for subject in ["a", "b", "c"] {
        ids.push(house.ask(&jobs, job(subject)).await);
    }
    let worker = jobs.start_with(stop.clone(), Duration::from_millis(100));
    until(&jobs, &ids[0], JobState::Running).await;
    assert_eq!(waits_for(&jobs, &ids[1]).await, Some(WaitsFor::Lane { most: 1 }));
    house.set_limit(&jobs, Lane::Swarm.resource(), Some(2)).await;
    until(&jobs, &ids[1], JobState::Running).await;
    assert_eq!(get(&jobs, &ids[2]).await.0.state, JobState::Queued);
    stop.cancel();
    worker.await.expect("a quiet end");

    let handler = Arc::new(Steps::default());
    let (jobs, stop) = house.boot(handler.clone());
    jobs.start(stop);
    until(&jobs, &ids[0], JobState::Running).await;
    until(&jobs, &ids[1], JobState::Running).await;
    assert_eq!(waits_for(&jobs, &ids[2]).await, Some(WaitsFor::Lane { most: 2 }));
    handler.gate.0.add_permits(3);
    until(&jobs, &ids[2], JobState::Succeeded).await;
    assert_eq!(handler.most.load(std::sync::atomic::Ordering::SeqCst), 2);
}

#[tokio::test]
async fn people_change_the_order_and_it_outlasts_a_restart() {
    let house = House::new().await;
    let handler = Arc::new(Steps::default());
    let (jobs, _) = house.boot(handler.clone());
    let mut ids = Vec::new();
    for subject in ["a", "b", "c", "d"] {
        ids.push(house.ask(&jobs, job(subject)).await);
    }
    let [a, b, c, d] = [0, 1, 2, 3].map(|index| ids[index].clone());
    assert_eq!(order(&jobs).await, [a.clone(), b.clone(), c.clone(), d.clone()], "by age");
    assert_eq!(waits_for(&jobs, &b).await, Some(WaitsFor::Turn));
    assert!(house.reorder(&jobs, &d, Move::Front).await);
    assert_eq!(order(&jobs).await, [d.clone(), a.clone(), b.clone(), c.clone()]);
    assert!(house.reorder(&jobs, &b, Move::Up).await);
    assert_eq!(order(&jobs).await, [d.clone(), b.clone(), a.clone(), c.clone()]);
    assert!(house.reorder(&jobs, &d, Move::Down).await);
    assert_eq!(order(&jobs).await, [b.clone(), d.clone(), a.clone(), c.clone()]);
    // At the ends nothing happens.
    assert!(house.reorder(&jobs, &b, Move::Up).await);
    assert!(house.reorder(&jobs, &c, Move::Down).await);
    let e = house.ask(&jobs, job("e")).await;
    let expected = [b.clone(), d, a, c, e];
    assert_eq!(order(&jobs).await, expected, "who comes later is last");

    let (jobs, stop) = house.boot(handler.clone());
    assert_eq!(order(&jobs).await, expected, "the next run of the program has the same order");
    jobs.limit(Lane::Swarm, 1);
    jobs.start(stop);
    for index in 0..expected.len() {
        until(&jobs, &expected[index], JobState::Running).await;
        assert!(states(&jobs, &expected[index + 1..]).await.iter().all(|state| *state == JobState::Queued));
        handler.gate.0.add_permits(1);
        until(&jobs, &expected[index], JobState::Succeeded).await;
    }
    assert!(!house.reorder(&jobs, &b, Move::Front).await, "what is over isn't moved");
}

#[tokio::test]
async fn one_that_is_tried_again_keeps_its_place() {
    let house = House::new().await;
    let handler = Arc::new(Steps::default());
    let (jobs, stop) = house.boot(handler.clone());
    jobs.limit(Lane::Swarm, 1);
    let first = house.ask(&jobs, job("a")).await;
    let worker = jobs.start_with(stop.clone(), Duration::from_millis(100));
    until(&jobs, &first, JobState::Running).await;
    let second = house.ask(&jobs, job("b")).await;
    let third = house.ask(&jobs, job("c")).await;
    // The order changes while the first runs; then Slipway stops, and it has to wait again.
    assert!(house.reorder(&jobs, &third, Move::Front).await);
    stop.cancel();
    worker.await.expect("a quiet end");
    let (jobs, _) = house.boot(handler);
    assert_eq!(order(&jobs).await, [first.clone(), third, second]);
    // So does one that waits for the time of its next try.
    let mut tx = house.db.write().await.expect("a transaction");
    let later = house.clock.millis() + 60_000;
    sqlx::query("UPDATE jobs SET run_after = ? WHERE id = ?")
        .bind(later)
        .bind(first.as_str())
        .execute(&mut *tx)
        .await
        .expect("written");
    tx.commit().await.expect("committed");
    assert_eq!(order(&jobs).await.first(), Some(&first));
    assert_eq!(waits_for(&jobs, &first).await, Some(WaitsFor::Later { at: later }));
}

#[tokio::test]
async fn the_other_job_of_the_same_thing_is_named_and_the_newest_inherits_the_place() {
    let house = House::new().await;
    let handler = Arc::new(Steps::default());
    let (jobs, stop) = house.boot(handler);
    jobs.limit(Lane::Swarm, 1);
    let first = house.ask(&jobs, job("a")).await;
    jobs.start(stop);
    until(&jobs, &first, JobState::Running).await;
    let second = house.ask(&jobs, job("a")).await;
    assert_eq!(waits_for(&jobs, &second).await, Some(WaitsFor::Other { job: first }));
    let one = house.ask(&jobs, job("b")).await;
    let two = house.ask(&jobs, job("b")).await;
    assert_eq!(waits_for(&jobs, &two).await, Some(WaitsFor::Other { job: one.clone() }), "also of one that waits");
    assert!(house.reorder(&jobs, &one, Move::Front).await);
    let mut tx = house.db.write().await.expect("a transaction");
    jobs.supersede(&mut tx, "test", "b", &two).await.expect("superseded");
    tx.commit().await.expect("committed");
    assert_eq!(order(&jobs).await, [two, second]);
    assert_eq!(get(&jobs, &one).await.0.state, JobState::Superseded);
}
