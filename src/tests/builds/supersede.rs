//! X2: builds of one service run one after the other, and only the newest of those that wait.

use super::house::House;
use app::api::builds::BuildsApi as _;
use app::model::job::JobState;

#[tokio::test]
async fn the_newest_build_wins() {
    let Some(house) = House::ready().await else { return };
    house.commit("One", &[("Dockerfile", &house.dockerfile("RUN echo first runs; sleep 2"))]);
    let first = house.start().await;
    house.says(&first, "first runs").await;
    house.commit("Two", &[("Dockerfile", &house.dockerfile("RUN echo two"))]);
    let mut waiting = Vec::new();
    for _ in 0..4 {
        waiting.push(house.start().await);
    }
    let newest_commit = house.commit("Three", &[("Dockerfile", &house.dockerfile("RUN echo three"))]);
    let newest = house.start().await;
    let build = house.until(&newest, JobState::Succeeded).await;
    assert_eq!(build.commit.map(String::from), Some(newest_commit));
    assert_eq!(build.number, 6);
    assert_eq!(house.get(&first).await.state, JobState::Succeeded);
    for id in &waiting {
        assert_eq!(house.get(id).await.state, JobState::Superseded);
    }
    let order: Vec<_> = house.kept.deployed.lock().expect("a lock").iter().map(|build| build.number).collect();
    assert_eq!(order, [1, 6]);
    let listed = house.builds.list(&house.actor, Some(&house.service), 3).await.expect("a list");
    assert_eq!(listed.iter().map(|build| build.number).collect::<Vec<_>>(), [6, 5, 4]);
    house.is_clean();
}
