//! A build to a registry whose garbage is being collected waits, and goes on by itself.

use super::house::House;
use app::api::builds::BuildsApi as _;
use app::api::registries::RegistriesApi as _;
use app::model::job::JobState;

async fn set_mark(house: &House, is_shut: bool) {
    let sql = if is_shut {
        "INSERT INTO garbage_marks (registry_id, job_id, since) SELECT id, 'job_000000000009', 1 FROM registries"
    } else {
        "DELETE FROM garbage_marks"
    };
    let mut tx = house.db.write().await.expect("a transaction");
    sqlx::query(sql).execute(&mut *tx).await.expect("done");
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn a_build_waits_for_garbage_and_can_be_cancelled_meanwhile() {
    let Some(house) = House::ready().await else { return };
    house.commit("One", &[("Dockerfile", &house.dockerfile("RUN echo built"))]);
    set_mark(&house, true).await;
    let doomed = house.start().await;
    let waits = "Waiting: the garbage of the registry Lab is being collected.";
    house.says(&doomed, waits).await;
    let job = house.get(&doomed).await.job;
    assert_eq!(house.registries.waits_for_garbage(&house.actor, &job).await.expect("known"), Some(1));
    house.builds.cancel(&house.actor, &doomed).await.expect("cancelled");
    house.until(&doomed, JobState::Cancelled).await;

    let id = house.start().await;
    house.says(&id, waits).await;
    assert_eq!(house.get(&id).await.state, JobState::Running);
    set_mark(&house, false).await;
    let build = house.until(&id, JobState::Succeeded).await;
    assert!(build.digest.is_some());
    let job = house.get(&id).await.job;
    assert_eq!(house.registries.waits_for_garbage(&house.actor, &job).await.expect("known"), None);
}
