//! Tags: sorted over the whole set, fetched when somebody waits, known without asking afterwards.

use super::{House, place};
use crate::crowd::Crowd;
use app::api::images::{ImagesApi as _, Place, TagSearch};
use app::error::AppError;
use app::model::image::{Listing, Tags};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

fn names(tags: &Tags) -> Vec<&str> {
    tags.tags.iter().map(|line| line.tag.as_str()).collect()
}

async fn tags(house: &House, place: &Place, text: &str, fetch: bool) -> Tags {
    let search = TagSearch { text: text.into(), ..TagSearch::default() };
    house.images.tags(&house.actor, place, &search, fetch).await.expect("an answer")
}

#[tokio::test]
async fn tags_are_fetched_sorted_kept_and_swept() {
    let folder = tempfile::tempdir().expect("a folder");
    let crowd = Crowd::with(&["shop/web"]).await;
    let attachment = format!("sha256-{}.sig", "a".repeat(64));
    let list = ["1.10.0", "1.9.0", "1.9.0-rc.1", "5f3a9c1", "latest", "main", attachment.as_str(), "buildcache"];
    let mut list: Vec<String> = list.map(str::to_owned).to_vec();
    list.sort();
    crowd.world().repositories.insert("shop/web".into(), list);
    crowd.world().page = Some(2);
    let house = House::open(folder.path()).await;
    let id = house.credential("Main", &crowd.url(), "deploy", "secret").await;
    let web = place(Some(&id), &crowd, "shop/web");

    let unknown = tags(&house, &web, "", false).await;
    assert_eq!((unknown.tags.len(), unknown.listing), (0, Listing::Never));
    assert_eq!(crowd.counts().lists.load(Ordering::SeqCst), 0, "nothing was asked");

    let known = tags(&house, &web, "", true).await;
    assert_eq!(names(&known), ["latest", "1.10.0", "1.9.0", "1.9.0-rc.1", "main", "5f3a9c1"]);
    assert!(matches!(known.listing, Listing::Complete { count: 6, is_refreshing: false, .. }), "{:?}", known.listing);
    let filtered = tags(&house, &web, "1.9", true).await;
    assert_eq!((names(&filtered), filtered.total), (vec!["1.9.0", "1.9.0-rc.1"], 2));
    let asked = crowd.counts().lists.load(Ordering::SeqCst);
    house.close().await;

    // After a restart they are known without asking; when they are old, they are asked for again, and swept.
    let house = House::open(folder.path()).await;
    assert_eq!(names(&tags(&house, &web, "", true).await).len(), 6);
    assert_eq!(crowd.counts().lists.load(Ordering::SeqCst), asked);
    crowd.world().repositories.insert("shop/web".into(), vec!["2".into(), "latest".into()]);
    house.clock.advance(Duration::from_secs(600));
    assert_eq!(names(&tags(&house, &web, "", true).await), ["latest", "2"]);
    assert_eq!(house.count("SELECT count(*) FROM image_tags").await, 2);
    house.close().await;
}

#[tokio::test]
async fn a_failure_is_told_and_keeps_what_was_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let crowd = Crowd::with(&["shop/web"]).await;
    let house = House::open(folder.path()).await;
    let id = house.credential("Main", &crowd.url(), "deploy", "secret").await;
    let web = place(Some(&id), &crowd, "shop/web");
    assert_eq!(names(&tags(&house, &web, "", true).await), ["latest", "1.0"]);
    house.clock.advance(Duration::from_secs(600));
    crowd.world().only = Some(403);
    let old = tags(&house, &web, "", true).await;
    assert_eq!(names(&old), ["latest", "1.0"]);
    assert!(matches!(old.listing, Listing::Failed { at: Some(_), count: 2, .. }), "{:?}", old.listing);

    crowd.world().only = None;
    let none = tags(&house, &place(Some(&id), &crowd, "shop/none"), "", true).await;
    assert!(none.tags.is_empty() && matches!(none.listing, Listing::CannotList { .. }), "{:?}", none.listing);
    house.close().await;
}

#[tokio::test]
async fn a_credential_reaches_its_own_host_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let crowd = Crowd::with(&["shop/web"]).await;
    let house = House::open(folder.path()).await;
    let id = house.credential("Main", &crowd.url(), "deploy", "secret").await;
    let elsewhere =
        Place { host: "registry.example.com".parse().expect("a host"), ..place(Some(&id), &crowd, "shop/web") };
    for fetch in [false, true] {
        let refused = house.images.tags(&house.actor, &elsewhere, &TagSearch::default(), fetch).await;
        assert!(matches!(refused, Err(AppError::NotFound(_))), "{refused:?}");
        let refused = house.images.image(&house.actor, &elsewhere, "latest", fetch).await;
        assert!(matches!(refused, Err(AppError::NotFound(_))), "{refused:?}");
    }
    // As anybody nothing inside the network is reached.
    let anybody = tags(&house, &place(None, &crowd, "shop/web"), "", true).await;
    assert!(matches!(anybody.listing, Listing::Failed { at: None, .. }), "{:?}", anybody.listing);
    assert_eq!(crowd.counts().lists.load(Ordering::SeqCst), 0);
    house.close().await;
}

/// Many who wait cause one pass; a slow list is shown as far as it is.
#[tokio::test]
async fn those_who_wait_share_one_pass_and_see_the_first_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let crowd = Crowd::with(&["shop/web"]).await;
    let list = (0..60).map(|n| format!("1.{n:02}")).collect();
    crowd.world().repositories.insert("shop/web".into(), list);
    let house = House::open(folder.path()).await;
    let id = house.credential("Main", &crowd.url(), "deploy", "secret").await;
    {
        let mut world = crowd.world();
        world.page = Some(10);
        world.latency = Duration::from_millis(300);
    }
    let web = place(Some(&id), &crowd, "shop/web");
    let begun = Instant::now();
    let several = futures::future::join_all((0..5).map(|_| tags(&house, &web, "", true))).await;
    for seen in &several {
        assert!(seen.total >= 10 && seen.total < 60, "{}", seen.total);
        assert!(matches!(seen.listing, Listing::Reading { .. }), "{:?}", seen.listing);
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    loop {
        let seen = tags(&house, &web, "", false).await;
        if matches!(seen.listing, Listing::Complete { .. }) {
            assert_eq!((seen.total, seen.tags[0].tag.as_str()), (60, "1.59"));
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", seen.listing);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(crowd.counts().lists.load(Ordering::SeqCst), 6);
    house.close().await;
}
