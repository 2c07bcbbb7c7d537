//! Lists of repositories: page by page, over restarts and failures, each credential for itself.

use super::House;
use crate::crowd::Crowd;
use app::api::credentials::CredentialsApi as _;
use app::api::images::ImagesApi as _;
use app::error::AppError;
use app::model::credential::CredentialForm;
use app::model::image::{Listing, Search};
use app::model::secret::Secret;
use std::sync::atomic::Ordering;
use std::time::Duration;

const NAMES: [&str; 7] = ["a/one", "a/two", "b/one", "b/web", "c/web", "c/website", "deploy/x"];

#[tokio::test]
async fn a_list_comes_page_by_page_and_is_searched() {
    let folder = tempfile::tempdir().expect("a folder");
    let crowd = Crowd::with(&NAMES).await;
    crowd.world().page = Some(2);
    let house = House::watching(folder.path()).await;
    let id = house.credential("Main", &crowd.url(), "deploy", "secret").await;
    house.until_complete().await;
    assert_eq!(house.names("").await, NAMES);
    assert_eq!(house.names("web").await, ["b/web", "c/web", "c/website"]);
    assert_eq!(house.names(&format!("{}/c/web:1.2", crowd.host())).await, ["c/web", "c/website"]);
    let found = house.search("one").await;
    assert_eq!((found.total, found.hits[0].credential.as_ref(), found.hits[0].source.as_str()), (2, Some(&id), "Main"));
    let last = Search { text: "e".into(), offset: 4, limit: 2, ..Search::default() };
    let last = house.images.search(&house.actor, &last).await.expect("an answer");
    assert_eq!((last.hits.len(), last.total), (2, 6), "{last:?}");
    assert_eq!(house.count("SELECT count(*) FROM image_repositories").await, 7);
    // A host that isn't this one's has nothing.
    assert!(house.search("docker.io/web").await.hits.is_empty());
    house.close().await;
}

#[tokio::test]
async fn what_is_gone_goes_after_a_whole_pass_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let crowd = Crowd::with(&NAMES).await;
    crowd.world().page = Some(2);
    let house = House::watching(folder.path()).await;
    let id = house.credential("Main", &crowd.url(), "deploy", "secret").await;
    house.until_complete().await;

    // The second pass breaks off after its first page, with a refusal that isn't tried again.
    {
        let mut world = crowd.world();
        world.repositories.remove("a/one");
        world.repositories.insert("a/new".into(), Vec::new());
        world.script = [200, 400].into();
    }
    house.images.refresh(&house.actor, &id).await.expect("accepted");
    let failed = house.until("failed", |listing| matches!(listing, Listing::Failed { .. })).await;
    let Listing::Failed { problem, at: Some(_), count: 8 } = failed else { panic!("{failed:?}") };
    assert!(problem.details.is_none() || !problem.cause.is_empty(), "{problem:?}");
    assert!(problem.link.as_ref().is_some_and(|link| link.href.contains(id.as_str())), "{problem:?}");
    assert_eq!(house.names("a/").await, ["a/new", "a/one", "a/two"]);

    house.images.refresh(&house.actor, &id).await.expect("accepted");
    house.until_complete().await;
    assert_eq!(house.names("a/").await, ["a/new", "a/two"]);
    assert_eq!(house.count("SELECT count(*) FROM image_repositories").await, 7);
    house.close().await;
}

#[tokio::test]
async fn a_pass_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let crowd = Crowd::with(&NAMES).await;
    {
        let mut world = crowd.world();
        world.page = Some(2);
        // The third page hangs, as far as anybody can wait.
        world.script = [200, 200, 429, 429, 429, 429].into();
    }
    let house = House::watching(folder.path()).await;
    house.credential("Main", &crowd.url(), "deploy", "secret").await;
    house.until("at its third page", |listing| matches!(listing, Listing::Reading { found: 4 })).await;
    house.close().await;
    let before = crowd.counts().lists.load(Ordering::SeqCst);
    crowd.world().script.clear();

    let house = House::watching(folder.path()).await;
    house.until_complete().await;
    assert_eq!(house.names("").await, NAMES, "none was swept that the first half saw");
    // Pages 3 and 4; a whole pass has four.
    assert_eq!(crowd.counts().lists.load(Ordering::SeqCst) - before, 2);
    house.close().await;

    // Everything is there again without asking.
    let house = House::watching(folder.path()).await;
    house.until_complete().await;
    assert_eq!(house.names("").await, NAMES);
    assert_eq!(crowd.counts().lists.load(Ordering::SeqCst) - before, 2);
    house.close().await;
}

#[tokio::test]
async fn passing_failures_are_tried_again_and_waits_are_obeyed() {
    let folder = tempfile::tempdir().expect("a folder");
    let crowd = Crowd::with(&NAMES).await;
    crowd.world().script = [503, 502, 429].into();
    let house = House::watching(folder.path()).await;
    let begun = std::time::Instant::now();
    house.credential("Main", &crowd.url(), "deploy", "secret").await;
    house.until_complete().await;
    assert!(begun.elapsed() >= Duration::from_secs(1), "Retry-After");
    assert_eq!(house.names("").await, NAMES);
    house.close().await;
}

#[tokio::test]
async fn a_registry_that_cant_list_is_no_empty_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let crowd = Crowd::with(&NAMES).await;
    crowd.world().script = [404].into();
    let house = House::watching(folder.path()).await;
    let id = house.credential("Main", &crowd.url(), "deploy", "secret").await;
    let listing = house.until("known", |listing| matches!(listing, Listing::CannotList { .. })).await;
    assert!(matches!(listing, Listing::CannotList { why } if !why.is_empty()));
    // It isn't asked again for hours, but when somebody wants it.
    house.clock.advance(Duration::from_secs(3_600));
    house.search("web").await;
    house.images.refresh(&house.actor, &id).await.expect("accepted");
    house.until_complete().await;
    assert_eq!(house.names("").await, NAMES);
    house.close().await;
}

#[tokio::test]
async fn old_lists_are_read_anew_when_somebody_looks() {
    let folder = tempfile::tempdir().expect("a folder");
    let crowd = Crowd::with(&NAMES).await;
    let house = House::watching(folder.path()).await;
    house.credential("Main", &crowd.url(), "deploy", "secret").await;
    house.until_complete().await;
    crowd.world().repositories.insert("d/new".into(), Vec::new());
    house.clock.advance(Duration::from_secs(301));
    // This answer is the old list; the look at it makes it new.
    let begun = std::time::Instant::now();
    while house.names("d/new").await.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "never read anew");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    house.close().await;
}

/// Two logins at the same host: each sees its own, and what one saw goes with it.
#[tokio::test]
async fn what_one_credential_sees_is_never_shown_through_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let crowd = Crowd::with(&NAMES).await;
    let house = House::watching(folder.path()).await;
    let all = house.credential("All", &crowd.url(), "deploy", "secret").await;
    let only_a = house.credential("Only a", &crowd.url(), "a", "secret").await;
    let complete = async || {
        loop {
            let sources = house.images.sources(&house.actor).await.expect("sources");
            let is_complete = |listing: &Listing| matches!(listing, Listing::Complete { is_refreshing: false, .. });
            if sources[..2].iter().all(|source| is_complete(&source.listing)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), complete()).await.expect("complete");
    let through = async |id: &app::model::id::CredentialId| {
        let search = Search { credential: Some(id.clone()), ..Search::default() };
        let found = house.images.search(&house.actor, &search).await.expect("an answer");
        assert!(found.hits.iter().all(|hit| hit.credential.as_ref() == Some(id)));
        found.hits.into_iter().map(|hit| String::from(hit.repository)).collect::<Vec<_>>()
    };
    assert_eq!(through(&only_a).await, ["a/one", "a/two"]);
    assert_eq!(through(&all).await, NAMES);
    let best = "b/web".parse().map(|repository| app::model::image_ref::ImageRef {
        host: crowd.host().parse().expect("a host"),
        repository,
        tag: None,
        digest: None,
    });
    let best = house.images.credential_for(&house.actor, &best.expect("a repository")).await.expect("an answer");
    assert_eq!(best, Some(all.clone()), "the one that sees it");

    // Another login of the same credential starts with nothing of the one before.
    let old = house.credentials.get(&house.actor, &all).await.expect("there");
    let form = CredentialForm {
        name: "All".into(),
        url: crowd.url(),
        username: "b".into(),
        password: Secret::new("secret".into()),
        internal: Some("on".into()),
        provider: "generic".into(),
        ..CredentialForm::default()
    };
    house.credentials.update(&house.actor, &all, old.version, form).await.expect("changed");
    assert!(!through(&all).await.iter().any(|name| !name.starts_with("b/")), "at once");
    tokio::time::timeout(Duration::from_secs(30), complete()).await.expect("complete");
    assert_eq!(through(&all).await, ["b/one", "b/web"]);

    house.credentials.delete(&house.actor, &only_a).await.expect("deleted");
    assert_eq!(house.names("").await, ["b/one", "b/web"]);
    assert_eq!(house.count("SELECT count(*) FROM image_repositories").await, 2);
    let gone = Search { credential: Some(only_a), ..Search::default() };
    let gone = house.images.search(&house.actor, &gone).await;
    assert!(matches!(gone, Err(AppError::NotFound(_))), "{gone:?}");
    house.close().await;
}
