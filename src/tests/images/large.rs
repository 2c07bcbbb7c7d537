//! Acceptance: 100,000 repositories and 50,000 tags behind 20 ms of latency and 1 % of errors. `make bench` measures the
//! same in a release; here the bounds are those that a build without optimisation can keep on a busy machine.

use super::{House, place};
use crate::crowd::Crowd;
use app::api::images::{ImagesApi as _, TagSearch};
use app::model::image::{Listing, TagOrder};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_repositories_are_read_and_searched() {
    let folder = tempfile::tempdir().expect("a folder");
    let crowd = Crowd::large().await;
    let mut house = House::open(folder.path()).await;
    let id = house.credential("Large", &crowd.url(), "deploy", "secret").await;
    let begun = Instant::now();
    house.watch();
    house.until("begun", |listing| matches!(listing, Listing::Reading { found } if *found > 0)).await;
    let first = begun.elapsed();
    assert!(!house.names("service").await.is_empty(), "the first rows are found while the rest is read");

    let huge = place(Some(&id), &crowd, "team-00/huge");
    let search = TagSearch { order: TagOrder::Version, limit: 50, ..TagSearch::default() };
    let (tags, ()) = tokio::join!(house.images.tags(&house.actor, &huge, &search, true), house.until_complete());
    let whole = begun.elapsed();
    assert!(tags.expect("an answer").total > 0);
    assert!(whole < Duration::from_secs(30), "{whole:?}");
    assert!(first < Duration::from_millis(1_500), "{first:?}");
    let counts = crowd.counts();
    assert!(counts.most.load(Ordering::SeqCst) <= 4, "{}", counts.most.load(Ordering::SeqCst));
    assert!(counts.largest.load(Ordering::SeqCst) <= 1_000);

    let found = house.search("ledger-service").await;
    assert_eq!((found.total, found.hits.len()), (12_500, 50));
    assert_eq!(house.search("team-42 gateway").await.total, 0, "word and team never meet");
    assert_eq!(house.names("team-00/huge").await, ["team-00/huge"]);
    let mut times = Vec::new();
    for text in ["s", "se", "ser", "serv", "service-0", "service-01234", "team-07 ser", "identity", "nowhere", "gtwsrv"]
    {
        let asked = Instant::now();
        house.search(text).await;
        times.push(asked.elapsed());
    }
    times.sort_unstable();
    assert!(times[8] < Duration::from_millis(500), "{times:?}");

    let tags = loop {
        let tags = house.images.tags(&house.actor, &huge, &search, false).await.expect("an answer");
        if matches!(tags.listing, Listing::Complete { .. }) {
            break tags;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", tags.listing);
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!((tags.total, tags.tags[0].tag.as_str(), tags.tags[1].tag.as_str()), (50_000, "19.49.49", "19.49.48"));
    let asked = Instant::now();
    let part = TagSearch { text: "12.3".into(), offset: 100, limit: 50, ..TagSearch::default() };
    let part = house.images.tags(&house.actor, &huge, &part, false).await.expect("an answer");
    assert!(part.total > 500 && part.tags.len() == 50, "{}", part.total);
    assert!(asked.elapsed() < Duration::from_millis(500), "{:?}", asked.elapsed());
    house.close().await;
}
