//! What registries find themselves while somebody types: below what the index has, and never in its way.

use super::House;
use crate::crowd::Crowd;
use crate::liar::{Heard, Liar, Reply};
use app::api::images::ImagesApi as _;
use app::model::image::{Found, Search};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

async fn live(house: &House, text: &str) -> Found {
    let search = Search { text: text.into(), live: true, ..Search::default() };
    house.images.search(&house.actor, &search).await.expect("an answer")
}

#[tokio::test]
async fn docker_hubs_search_comes_below_and_its_failure_takes_nothing() {
    let is_broken = Arc::new(AtomicBool::new(false));
    let hub = Liar::start({
        let is_broken = is_broken.clone();
        move |heard: &Heard| {
            if is_broken.load(Ordering::SeqCst) || heard.path() != "/v2/search/repositories/" {
                return Reply::status(500);
            }
            Reply::json(
                200,
                r#"{"results":[{"repo_name":"nginx","short_description":"Official\u202e build"},{"repo_name":"../x"}]}"#,
            )
        }
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let crowd = Crowd::with(&["shop/nginx", "shop/web"]).await;
    let mut house = House::with_hub(folder.path(), &format!("http://{}", hub.host())).await;
    house.credential("Main", &crowd.url(), "deploy", "secret").await;
    house.watch();
    house.until_complete().await;

    assert_eq!(house.names("nginx").await, ["shop/nginx"]);
    assert!(hub.heard().is_empty(), "what isn't live asks nobody");
    let found = live(&house, "nginx").await;
    let names: Vec<&str> = found.hits.iter().map(|hit| hit.repository.as_str()).collect();
    assert_eq!((names, found.total), (vec!["shop/nginx", "library/nginx"], 1));
    let public = &found.hits[1];
    assert_eq!(
        (public.credential.as_ref(), public.source.as_str(), public.host.as_str()),
        (None, "Docker Hub", "docker.io")
    );
    assert_eq!(public.about.as_deref(), Some("Official  build"));
    assert!(found.sources.iter().any(|source| source.credential.is_none()));

    let asked = hub.heard().len();
    live(&house, "nginx").await;
    assert_eq!(hub.heard().len(), asked, "the same text within a minute");
    live(&house, &format!("{}/nginx", crowd.host())).await;
    assert_eq!(hub.heard().len(), asked, "another registry's name");

    is_broken.store(true, Ordering::SeqCst);
    let found = live(&house, "web").await;
    assert_eq!(found.hits.iter().map(|hit| hit.repository.as_str()).collect::<Vec<_>>(), ["shop/web"]);
    house.close().await;
}
