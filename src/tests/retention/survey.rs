//! Looks: what a list leaves out, what can't be read, and a death in the middle; against the lab's registry and one that lies.

use super::house::{House, IMAGE, digest_of};
use super::run::dies_at;
use crate::lab::internal;
use crate::liar::{Heard, Liar, Reply};
use app::model::image_ref::Digest;
use app::model::retention::{Preview, Why};
use serde_json::json;
use slipway::oci::Access;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a faulty registry has and does wrong; its faults are switched while it runs.
#[derive(Default)]
struct State {
    tags: BTreeMap<String, Vec<u8>>,
    /// Tags that its list doesn't have, although they are there.
    left_out: BTreeSet<String>,
    /// Tags whose manifests it can't read.
    unreadable: BTreeSet<String>,
    /// Whether it can't list.
    list_fails: bool,
}

impl State {
    fn answer(&self, heard: &Heard) -> Reply {
        let path = heard.path();
        if path == "/v2/" {
            return Reply::json(200, "{}");
        }
        if path.ends_with("/tags/list") {
            if self.list_fails {
                return Reply::status(500);
            }
            let tags: Vec<&String> = self.tags.keys().filter(|tag| !self.left_out.contains(*tag)).collect();
            return Reply::json(200, &json!({ "name": "any", "tags": tags }).to_string());
        }
        let Some((_, reference)) = path.rsplit_once("/manifests/") else { return Reply::status(404) };
        let found = self.tags.iter().find(|(tag, bytes)| *tag == reference || digest_of(bytes).as_str() == reference);
        match found {
            None => Reply::status(404),
            Some((tag, _)) if heard.method == "GET" && self.unreadable.contains(tag) => Reply::status(500),
            Some((_, bytes)) => Reply::Answer(200, vec![("content-type", IMAGE.into())], bytes.clone())
                .with("docker-content-digest", digest_of(bytes).to_string()),
        }
    }
}

struct Faulty {
    state: Arc<Mutex<State>>,
    liar: Liar,
}

impl Faulty {
    async fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let script = Arc::clone(&state);
        let liar = Liar::start(move |heard| script.lock().unwrap_or_else(PoisonError::into_inner).answer(heard)).await;
        Self { state, liar }
    }

    /// A Slipway in front of it; None where no lab runs. Jobs wait.
    async fn house(&self) -> Option<House> {
        House::at(Access { url: self.liar.url(), login: None, trust: internal() }).await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A tag of an image of that name.
    fn put(&self, tag: &str, image: &str) -> Digest {
        let blob = |of: &str| json!({ "mediaType": "application/octet-stream", "digest": digest_of(of.as_bytes()), "size": 7 });
        let layers = [blob("shared"), blob(image)];
        let manifest =
            json!({ "schemaVersion": 2, "mediaType": IMAGE, "config": blob("configuration"), "layers": layers });
        let bytes = manifest.to_string().into_bytes();
        let digest = digest_of(&bytes);
        self.state().tags.insert(tag.into(), bytes);
        digest
    }

    /// How often it was asked where a tag leads to.
    fn asked(&self, tag: &str) -> usize {
        let end = format!("/manifests/{tag}");
        self.liar.heard().iter().filter(|heard| heard.method == "HEAD" && heard.path().ends_with(&end)).count()
    }
}

async fn looked(house: &House) -> Preview {
    let backend = &house.slipway().backend;
    let job = backend.retention.look(&house.actor, &house.registry).await.expect("asked for");
    house.succeeded(&job).await;
    known(house).await
}

async fn known(house: &House) -> Preview {
    house.slipway().retention.select(&house.registry).await.expect("a preview")
}

/// Why each tag stays.
fn fates(preview: &Preview) -> BTreeMap<&str, Vec<Why>> {
    preview.tags.iter().map(|tag| (tag.tag.as_str(), tag.keeps.clone())).collect()
}

fn matches(pattern: &str) -> Vec<Why> {
    vec![Why::Matches { pattern: pattern.into() }]
}

fn same_as(tag: &str) -> Vec<Why> {
    vec![Why::SameImage { tag: tag.into() }]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_the_list_leaves_out_is_asked_for_before_it_counts_as_gone() {
    let faulty = Faulty::start().await;
    let Some(house) = faulty.house().await else { return };
    house.work();
    house.keep("keep*", "").await;
    for (tag, image) in [("a", "a"), ("b", "b"), ("keep", "keep"), ("keep-b", "b")] {
        faulty.put(tag, image);
    }
    let whole = BTreeMap::from([
        ("a", vec![]),
        ("b", same_as("keep-b")),
        ("keep", matches("keep*")),
        ("keep-b", matches("keep*")),
    ]);
    assert_eq!(fates(&looked(&house).await), whole);

    // Deletion by digest would take the tag that isn't listed too.
    faulty.state().left_out.extend(["a", "keep-b"].map(String::from));
    let before = (faulty.asked("a"), faulty.asked("keep-b"));
    assert_eq!(fates(&looked(&house).await), whole);
    assert_eq!((faulty.asked("a"), faulty.asked("keep-b")), (before.0 + 1, before.1 + 1));

    // The registry says so itself.
    faulty.state().tags.retain(|tag, _| !["a", "keep-b"].contains(&tag.as_str()));
    let preview = looked(&house).await;
    assert_eq!(fates(&preview), BTreeMap::from([("b", vec![]), ("keep", matches("keep*"))]));
    assert!(preview.unread.is_empty() && preview.goes.len() == 1, "{preview:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_no_list_ever_had_is_known_from_its_build() {
    let faulty = Faulty::start().await;
    let Some(house) = faulty.house().await else { return };
    house.work();
    house.keep("first", "").await;
    let digest = faulty.put("moved", "shared");
    faulty.put("first", "shared");
    faulty.state().left_out.insert("first".into());
    let mut tx = house.slipway().db.write().await.expect("a transaction");
    sqlx::query("UPDATE builds SET digest = ?").bind(digest.as_str()).execute(&mut *tx).await.expect("a build");
    tx.commit().await.expect("committed");
    let preview = looked(&house).await;
    let fates = fates(&preview);
    assert!(fates["first"].contains(&Why::Matches { pattern: "first".into() }), "{fates:?}");
    assert_eq!(fates["moved"], same_as("first"));
    assert_eq!(preview.goes, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_keeps_its_repository() {
    let faulty = Faulty::start().await;
    let Some(house) = faulty.house().await else { return };
    house.work();
    house.keep("keep", "").await;
    for tag in ["a", "odd", "keep"] {
        faulty.put(tag, tag);
    }
    faulty.state().unreadable.insert("odd".into());
    let preview = looked(&house).await;
    assert_eq!(
        fates(&preview),
        BTreeMap::from([("a", vec![Why::Unsure]), ("keep", matches("keep")), ("odd", vec![Why::Unknown])])
    );
    assert_eq!(preview.unread, [format!("{}: 1 tag couldn't be read.", house.repository)]);
    assert_eq!((preview.goes.len(), preview.frees), (0, 0));

    faulty.state().unreadable.clear();
    let well = looked(&house).await;
    let goes = BTreeMap::from([("a", vec![]), ("keep", matches("keep")), ("odd", vec![])]);
    assert_eq!((fates(&well), well.unread.len(), well.goes.len()), (goes, 0, 2));

    // A list that fails takes nothing away, and nothing goes on its word.
    faulty.state().list_fails = true;
    faulty.put("new", "new");
    let preview = looked(&house).await;
    assert_eq!(
        fates(&preview),
        BTreeMap::from([("a", vec![Why::Unsure]), ("keep", matches("keep")), ("odd", vec![Why::Unsure])])
    );
    assert_eq!((preview.unread.len(), preview.goes.len()), (1, 0), "{preview:#?}");
    assert!(preview.unread[0].starts_with(house.repository.as_str()), "{preview:#?}");

    faulty.state().list_fails = false;
    assert_eq!(fates(&looked(&house).await).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_goes_on_after_a_death_and_asks_no_tag_twice() {
    let faulty = Faulty::start().await;
    let Some(mut house) = faulty.house().await else { return };
    house.keep("keep", "").await;
    for tag in ["a", "b", "keep"] {
        faulty.put(tag, tag);
    }
    let backend = &house.slipway().backend;
    let job = backend.retention.look(&house.actor, &house.registry).await.expect("asked for");
    house.close().await;
    // All tags are kept, but nothing says yet that they are.
    dies_at(&house, "survey_registry.look.tags.done").await;
    assert_eq!(["a", "b", "keep"].map(|tag| faulty.asked(tag)), [1, 1, 1]);
    house.reopen().await;
    house.succeeded(&job).await;
    assert_eq!(["a", "b", "keep"].map(|tag| faulty.asked(tag)), [1, 1, 1]);
    let preview = known(&house).await;
    assert_eq!(fates(&preview), BTreeMap::from([("a", vec![]), ("b", vec![]), ("keep", matches("keep"))]));
    assert!(preview.as_of.is_some() && preview.goes.len() == 2, "{preview:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_anywhere_in_a_look_leaves_a_whole_one() {
    let Some(mut house) = House::open().await else { return };
    house.keep("keep", "").await;
    house.image("keep").await;
    let points = ["look.done", "look.repositories.done", "look.tags.before", "look.images.done", "look.end.done"];
    for (before, point) in points.into_iter().enumerate() {
        house.image(&format!("t{before}")).await;
        let backend = &house.slipway().backend;
        let job = backend.retention.look(&house.actor, &house.registry).await.expect("asked for");
        house.close().await;
        dies_at(&house, &format!("survey_registry.{point}")).await;
        house.reopen().await;
        house.succeeded(&job).await;
        let preview = known(&house).await;
        assert_eq!((preview.tags.len(), preview.goes.len()), (before + 2, before + 1), "{point}: {preview:#?}");
        // Each with two platforms and what was said about one of them.
        assert!(preview.goes.iter().all(|doomed| doomed.below.len() == 3), "{point}: {preview:#?}");
        assert!(preview.unread.is_empty() && preview.frees > 0, "{point}: {preview:#?}");
        house.close().await;
        house.slipway = Some(super::house::slipway(house.folder.path(), &house.lab, &house.clock).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_delete_is_gone_at_the_next_look() {
    let Some(house) = House::ready().await else { return };
    house.keep("keep", "").await;
    let (old, keep) = (house.image("old").await, house.image("keep").await);
    house.image("other").await;
    let deployment = house.pinned(&old).await;
    let before = looked(&house).await;
    assert!(matches!(fates(&before)["old"][..], [Why::Deployment { .. }]), "{before:#?}");
    assert_eq!((before.tags.len(), before.goes.len()), (3, 1));

    assert!(house.oci.delete_manifest(&house.access, &house.repository, &old).await.expect("an answer"));
    // A deployment needs what isn't there; that protects nothing else.
    let after = looked(&house).await;
    assert_eq!(fates(&after).into_keys().collect::<Vec<_>>(), ["keep", "other"]);
    assert_eq!((after.goes.len(), &after.goes[0].tags[..]), (1, &["other".to_owned()][..]), "{after:#?}");
    assert_eq!(house.leads_to("keep").await, Some(keep));
    house.unpinned(&deployment).await;
}
