//! The trash: what was deleted comes back by its old tag (acceptance 5), and what was there for long enough goes, with nothing
//! that anybody shares.

use super::house::House;
use app::error::AppError;
use app::model::job::JobState;
use app::model::trash::{EmptyForm, Outcome, TAG_TAKEN, TrashState};
use std::time::Duration;

/// Blobs of an image of these tests: three manifests with a configuration and two layers each.
const BLOBS: usize = 9;

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_tag_comes_back_and_pulls_by_its_name() {
    let Some(house) = House::ready().await else { return };
    let (one, two, kept) = (house.image("one").await, house.image("two").await, house.image("keep").await);
    house.tag("one-too", &one).await;
    house.keep("keep", "").await;

    let report = house.ran().await;
    assert_eq!((report.summary.deleted, report.summary.skipped), (3, 0), "{report:#?}");
    assert!(report.summary.frees > 0 && report.summary.judged == 4, "{report:#?}");
    for tag in ["one", "one-too", "two"] {
        assert_eq!(house.leads_to(tag).await, None, "{tag}");
    }
    // Everything is still there by digest, and what stays is as it was.
    for digest in [&one, &two, &kept] {
        assert_eq!(house.pull(digest.as_str()).await, BLOBS, "{digest}");
    }
    assert_eq!(house.leads_to("keep").await, Some(kept.clone()));
    let trash = house.trash().await;
    assert_eq!(trash.len(), 3, "{trash:#?}");
    assert!(trash.iter().all(|entry| entry.state == TrashState::Kept && entry.until - entry.at == 7 * 86_400));

    // Back by its old name; the other tag of the same digest stays in the trash.
    let backend = &house.slipway().backend;
    let find = |tag: &str| trash.iter().find(|entry| entry.tag == tag).expect("in the trash").id.clone();
    let job = backend.trash.restore(&house.actor, &find("one"), false).await.expect("asked for");
    house.succeeded(&job).await;
    assert_eq!(house.leads_to("one").await, Some(one.clone()));
    assert_eq!(house.pull("one").await, BLOBS);
    assert_eq!(house.leads_to("one-too").await, None);
    assert!(house.trash().await.iter().all(|entry| entry.tag != "one"));

    // Somebody took the tag meanwhile.
    let other = house.image("two").await;
    let job = backend.trash.restore(&house.actor, &find("two"), false).await.expect("asked for");
    let (state, problem) = house.ended(&job).await;
    assert_eq!((state, problem.map(|problem| problem.code)), (JobState::Failed, Some(TAG_TAKEN.into())));
    assert_eq!(house.leads_to("two").await, Some(other.clone()));
    let entry = house.trash().await.into_iter().find(|entry| entry.tag == "two").expect("it stays");
    assert_eq!(entry.trouble.map(|problem| problem.code), Some(TAG_TAKEN.into()));
    let job = backend.trash.restore(&house.actor, &find("two"), true).await.expect("asked for");
    house.succeeded(&job).await;
    assert_eq!(house.leads_to("two").await, Some(two));
    assert_eq!(house.pull("two").await, BLOBS);
    assert_eq!(house.pull(other.as_str()).await, BLOBS);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_thrown_out_takes_nothing_that_others_share() {
    let Some(house) = House::ready().await else { return };
    let base = house.blob(b"a layer").await;
    let (shared, lonely, other) = (
        house.platform(&base, "amd64").await,
        house.platform(&base, "arm64").await,
        house.platform(&base, "arm64").await,
    );
    let doomed = house.index("old", &[shared.clone(), lonely.clone()]).await;
    let kept = house.index("keep", &[shared.clone(), other]).await;
    house.keep("keep", "").await;
    assert_eq!(house.ran().await.summary.deleted, 1);

    // Nobody empties it by accident.
    let refused = house.slipway().backend.trash.empty(&house.actor, &house.registry, EmptyForm::default()).await;
    assert!(matches!(refused, Err(AppError::Invalid(_))), "{refused:?}");
    // Somebody deployed it meanwhile: it stays, whoever empties the trash.
    let deployment = house.pinned(&doomed).await;
    let report = house.emptied().await;
    assert_eq!((report.summary.expired, report.summary.stayed), (0, 1), "{report:#?}");
    assert!(report.lines[0].note.contains("Web needs it: its deployment 1 is pinned"), "{report:#?}");
    assert_eq!(house.pull(doomed.as_str()).await, 6);
    house.unpinned(&deployment).await;

    let report = house.emptied().await;
    assert_eq!((report.summary.expired, report.summary.stayed), (1, 0), "{report:#?}");
    assert!(report.lines[0].note.starts_with("One of its manifests stays"), "{report:#?}");
    let is_there = async |of: &serde_json::Value| house.leads_to(of["digest"].as_str().expect("text")).await.is_some();
    assert_eq!(house.leads_to(doomed.as_str()).await, None);
    assert!(!is_there(&lonely).await && is_there(&shared).await);
    assert_eq!(house.pull(kept.as_str()).await, 6);
    assert_eq!(house.pull("keep").await, 6);
    assert_eq!(house.trash().await, []);
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM trash_manifests")
        .fetch_one(house.slipway().db.read())
        .await
        .expect("asked");
    assert_eq!(rows, 0, "bytes of manifests go with the last row that has them");
}

#[tokio::test(flavor = "multi_thread")]
async fn time_does_what_the_rules_say_once() {
    let Some(house) = House::ready().await else { return };
    let digest = house.image("old").await;
    house.image("keep").await;
    house.keep("keep", "24").await;
    let retention = &house.slipway().retention;
    assert_eq!(retention.start_due().await.expect("looked"), [], "the first run comes after a day");
    house.clock.advance(Duration::from_secs(3 * 86_400));
    let started = retention.start_due().await.expect("looked");
    assert_eq!(started.len(), 1, "three missed runs are one");
    house.succeeded(&started[0]).await;
    assert_eq!(house.report(&started[0]).await.summary.deleted, 1);
    assert_eq!(house.report(&started[0]).await.summary.by, "slipway");
    assert_eq!(retention.start_due().await.expect("looked"), []);
    // No rule asks for a run any more; what is in the trash is thrown out all the same.
    house.keep("keep", "").await;
    house.clock.advance(Duration::from_secs(8 * 86_400));
    let started = retention.start_due().await.expect("looked");
    assert_eq!(started.len(), 1);
    house.succeeded(&started[0]).await;
    let report = house.report(&started[0]).await;
    assert_eq!(report.lines.iter().map(|line| line.outcome).collect::<Vec<_>>(), [Outcome::Expired], "{report:#?}");
    assert_eq!(house.leads_to(digest.as_str()).await, None);
    assert_eq!(retention.start_due().await.expect("looked"), []);
}
