//! The judge on made-up registries: shared layers, nested indexes, several tags of one image, caches, signatures, what others
//! pushed, what isn't known; against the rules said in another way, and a mark and sweep over the plain graph.

use super::*;
use app::model::id::DeploymentId;
use app::model::retention::Need;
use app::model::text::hex;
use proptest::prelude::*;
use std::collections::BTreeSet;

const DAY: i64 = 86_400;
const NOW: i64 = 1_000 * DAY;
const MANIFESTS: usize = 10;
const BLOBS: usize = 12;

fn digest(n: usize) -> Digest {
    format!("sha256:{}", hex(&[u8::try_from(n).expect("small"); 32])).parse().expect("a digest")
}

fn mark(n: usize) -> Mark {
    Mark::repeated(u8::try_from(n).expect("small"))
}

fn service(n: u8) -> ServiceId {
    ServiceId::from_random([n; 8])
}

/// Bytes that a world is made from, so that a failure shrinks; nothing but zeros when they are used up.
struct Tape<'a>(std::slice::Iter<'a, u8>);

impl Tape<'_> {
    fn below(&mut self, n: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % n
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }
}

/// A registry as a plain graph beside the world that the judge sees.
#[derive(Debug)]
struct Made {
    world: World,
    /// What each manifest leads to: manifests, blobs.
    graph: Vec<(BTreeSet<usize>, BTreeSet<usize>)>,
    closures: Vec<BTreeSet<usize>>,
    /// Decides what else is tried.
    die: usize,
}

impl Made {
    /// A manifest and all below it.
    fn closure(&self, n: usize) -> &BTreeSet<usize> {
        &self.closures[n]
    }

    fn number(&self, wanted: Mark) -> Option<usize> {
        (0..MANIFESTS).find(|n| mark(*n) == wanted)
    }
}

fn closure(graph: &[(BTreeSet<usize>, BTreeSet<usize>)], n: usize) -> BTreeSet<usize> {
    let mut all = BTreeSet::from([n]);
    for child in &graph[n].0 {
        all.extend(closure(graph, *child));
    }
    all
}

fn manifest_size(n: usize) -> u64 {
    100 + u64::try_from(n).expect("small")
}

fn blob_size(n: usize) -> u64 {
    1_000 << n
}

fn policy(tape: &mut Tape<'_>) -> Policy {
    Policy {
        keep_last: tape.one_in(3).then(|| 1 + u32::try_from(tape.below(3)).expect("small")),
        keep_days: tape.one_in(3).then(|| 1 + u32::try_from(tape.below(12)).expect("small")),
        keep_matching: if tape.one_in(4) { vec!["v*".into()] } else { Vec::new() },
        foreign: tape.one_in(2),
        ..Policy::default()
    }
}

fn made(bytes: &[u8]) -> Made {
    let tape = &mut Tape(bytes.iter());
    let mut graph: Vec<(BTreeSet<usize>, BTreeSet<usize>)> = Vec::new();
    for n in 0..MANIFESTS {
        let (mut manifests, mut blobs) = (BTreeSet::new(), BTreeSet::new());
        if n < 5 {
            blobs.extend((0..1 + tape.below(3)).map(|_| tape.below(BLOBS)));
        } else {
            manifests.extend((0..1 + tape.below(3)).map(|_| tape.below(n)));
        }
        graph.push((manifests, blobs));
    }
    let content = |n: usize| {
        let below = closure(&graph, n);
        let manifests = std::iter::once(n).chain(below.iter().copied().filter(|it| *it != n));
        let manifests = manifests.map(|n| (mark(n), manifest_size(n)));
        let manifests: Vec<_> = manifests.collect();
        let blobs: BTreeSet<usize> = below.iter().flat_map(|n| graph[*n].1.iter().copied()).collect();
        let blobs: Vec<_> = blobs.into_iter().map(|n| (mark(100 + n), blob_size(n))).collect();
        Known::Content(Content::new(&manifests, &blobs))
    };
    let signature = format!("sha256-{}.sig", hex(&[7; 32]));
    let names = ["a", "b", "c", "d", "e", "v1", "v2", CACHE_TAG, &signature];
    let mut repositories = Vec::new();
    for repo in 0..1 + tape.below(3) {
        let (mut tags, mut images, mut pushes) = (Vec::new(), HashMap::new(), Vec::new());
        for (index, name) in names.iter().enumerate() {
            if tape.one_in(3) {
                continue;
            }
            let n = tape.below(MANIFESTS);
            let seconds = i64::try_from(index + 16 * repo).expect("small");
            let first_seen = NOW - i64::try_from(tape.below(15)).expect("small") * DAY - seconds;
            let is_unread = tape.one_in(60);
            tags.push(Listed { tag: (*name).into(), digest: (!is_unread).then(|| digest(n)), first_seen });
            images.entry(mark(n)).or_insert_with(|| if tape.one_in(60) { Known::Unread } else { content(n) });
            for push in 0..tape.below(3) {
                let is_same = !tape.one_in(5);
                pushes.push(Push {
                    tag: (*name).into(),
                    mark: Some(if is_same { mark(n) } else { mark(tape.below(MANIFESTS)) }),
                    at: first_seen - i64::try_from(push).expect("small") * 100,
                    branch: [None, Some("main".into()), Some("next".into())][tape.below(3)].clone(),
                    service: service(u8::try_from(tape.below(2)).expect("small")),
                    is_fresh: tape.one_in(20),
                    is_others: tape.one_in(20),
                });
            }
        }
        for n in 0..MANIFESTS {
            if tape.one_in(8) {
                images.entry(mark(n)).or_insert_with(|| content(n));
            }
        }
        // What builds pushed and isn't tagged any more was looked for.
        for push in &pushes {
            if let Some(mark) = push.mark.filter(|_| !tape.one_in(30)) {
                images.entry(mark).or_insert(Known::Gone);
            }
        }
        repositories.push(Repo {
            name: format!("team/r{repo}").parse().expect("a repository"),
            unread: tape.one_in(40).then(|| "It said no.".into()),
            tags,
            images,
            pushes,
        });
    }
    let needs = (0..tape.below(4)).map(|number| Needed {
        repository: tape.one_in(3).then(|| "team/r0".parse().expect("a repository")),
        tag: None,
        mark: Some(mark(tape.below(MANIFESTS))),
        why: Why::Deployment {
            service: service(1),
            name: "web".into(),
            deployment: DeploymentId::from_random([1; 8]),
            number: i64::try_from(number).expect("small"),
            need: [Need::Runs, Need::UnderWay, Need::Pinned, Need::Window][tape.below(4)],
        },
    });
    let needs = needs.collect();
    let mut services = BTreeMap::new();
    if tape.one_in(2) {
        services.insert(service(0), policy(tape));
    }
    let policy = (!tape.one_in(20)).then(|| policy(tape));
    let closures = (0..MANIFESTS).map(|n| closure(&graph, n)).collect();
    let world = World { now: NOW, as_of: Some(NOW), policy, services, repositories, needs };
    Made { world, graph, closures, die: bytes.iter().map(|byte| usize::from(*byte)).sum() }
}

fn going(preview: &Preview) -> BTreeSet<(String, String)> {
    let going = preview.tags.iter().filter(|tag| tag.goes());
    going.map(|tag| (tag.repository.to_string(), tag.tag.clone())).collect()
}

/// The place of a tag among those of its branch, counted anew: how many are newer.
fn place(repo: &Repo, tag: &Listed, of: Option<&ServiceId>) -> Option<usize> {
    let newest = |tag: &Listed| {
        let mark = tag.digest.as_ref().map(Mark::of)?;
        let pushes = repo.pushes.iter().filter(|push| push.tag == tag.tag && push.mark == Some(mark));
        let pushes = pushes.filter(|push| of.is_none_or(|of| push.service == *of));
        pushes.max_by_key(|push| push.at).map(|push| (push.branch.clone(), push.at))
    };
    let all: Vec<_> = repo.tags.iter().filter_map(|tag| Some((tag.tag.clone(), newest(tag)?))).collect();
    if let Some((branch, at)) = newest(tag) {
        let newer = all
            .iter()
            .filter(|(name, (other, then))| *other == branch && (*then, name.as_str()) > (at, tag.tag.as_str()));
        return Some(1 + newer.count());
    }
    let others = repo.tags.iter().filter(|other| newest(other).is_none());
    let newer = others.filter(|it| (it.first_seen, it.tag.as_str()) > (tag.first_seen, tag.tag.as_str()));
    of.is_none().then(|| 1 + newer.count())
}

/// Nothing that goes may be protected, said anew.
fn nothing_protected_goes(made: &Made, preview: &Preview) -> Result<(), TestCaseError> {
    let gone = going(preview);
    let needed: BTreeSet<usize> =
        made.world.needs.iter().filter_map(|need| need.mark).filter_map(|mark| made.number(mark)).collect();
    let known = |n: usize| {
        made.world.repositories.iter().any(|repo| matches!(repo.images.get(&mark(n)), Some(Known::Content(_))))
    };
    for repo in &made.world.repositories {
        let goes = |tag: &Listed| gone.contains(&(repo.name.to_string(), tag.tag.clone()));
        for tag in repo.tags.iter().filter(|tag| goes(tag)) {
            let policy = made.world.policy.as_ref();
            prop_assert!(policy.is_some(), "without rules");
            let policy = policy.expect("there is one");
            prop_assert!(tag.digest.is_some() && repo.unread.is_none(), "unread");
            let n = tag.digest.as_ref().and_then(|digest| made.number(Mark::of(digest))).expect("a manifest");
            prop_assert!(matches!(repo.images.get(&mark(n)), Some(Known::Content(_))), "unread");
            prop_assert!(tag.tag != CACHE_TAG, "the cache");
            prop_assert!(made.closure(n).is_disjoint(&needed), "needed, or leads to what is");
            for index in needed.iter().filter(|index| known(**index)) {
                prop_assert!(!made.closure(*index).contains(&n), "part of what is needed");
            }
            for other in &repo.tags {
                prop_assert!(other.digest.is_some(), "what isn't known may lead to it");
                let m = other.digest.as_ref().and_then(|digest| made.number(Mark::of(digest))).expect("a manifest");
                prop_assert!(goes(other) || !made.closure(m).contains(&n), "{} stays", other.tag);
            }
            for (index, _) in repo.contents() {
                let index = made.number(index).expect("a manifest");
                let is_tagged = repo.tags.iter().any(|tag| tag.digest == Some(digest(index)));
                prop_assert!(is_tagged || !made.closure(index).contains(&n) || index == n, "part of what has no tag");
            }
            let pushes = || repo.pushes.iter().filter(|push| push.tag == tag.tag);
            let mut ours = pushes().filter(|push| push.mark == Some(mark(n)));
            prop_assert!(policy.foreign || ours.clone().next().is_some(), "somebody else's");
            prop_assert!(!pushes().any(|push| push.is_others || push.is_fresh), "another registry's, or fresh");
            let is_fresh = repo.pushes.iter().any(|push| push.is_fresh && push.mark == Some(mark(n)));
            prop_assert!(!is_fresh, "fresh under another tag");
            let at = ours.clone().map(|push| push.at).max().unwrap_or(tag.first_seen);
            let is_kept = |policy: &Policy, place: Option<usize>| {
                policy.keep_days.is_some_and(|days| NOW - at < i64::from(days) * DAY)
                    || (!policy.keep_matching.is_empty() && tag.tag.starts_with('v'))
                    || policy
                        .keep_last
                        .zip(place)
                        .is_some_and(|(last, place)| place <= usize::try_from(last).expect("small"))
            };
            prop_assert!(!is_kept(policy, place(repo, tag, None)), "the registry keeps it");
            let by_service = ours.any(|push| {
                let policy = made.world.services.get(&push.service);
                policy.is_some_and(|policy| is_kept(policy, place(repo, tag, Some(&push.service))))
            });
            prop_assert!(!by_service, "its service keeps it");
            if let Some(subject) = subject(&tag.tag).and_then(|subject| made.number(Mark::of(&subject))) {
                let stays = repo.tags.iter().filter(|tag| !goes(tag)).filter_map(|tag| tag.digest.as_ref());
                let mut stays = stays.filter_map(|digest| made.number(Mark::of(digest)));
                prop_assert!(!stays.any(|it| made.closure(it).contains(&subject)), "signs what stays");
            }
        }
    }
    Ok(())
}

/// Manifests and blobs that are reachable from roots, by repository.
fn reachable(made: &Made, is_root: impl Fn(&Repo, Mark) -> bool) -> (Vec<BTreeSet<usize>>, BTreeSet<usize>) {
    let (mut all, mut blobs) = (Vec::new(), BTreeSet::new());
    for repo in &made.world.repositories {
        let mut manifests = BTreeSet::new();
        for (mark, _) in repo.contents().filter(|(mark, _)| is_root(repo, *mark)) {
            manifests.extend(made.closure(made.number(mark).expect("a manifest")).iter().copied());
        }
        blobs.extend(manifests.iter().flat_map(|n| made.graph[*n].1.iter().copied()));
        all.push(manifests);
    }
    (all, blobs)
}

/// Mark and sweep over the plain graph.
fn bytes_are_right(made: &Made, preview: &Preview) -> Result<(), TestCaseError> {
    let doomed = |repo: &Repo, mark: Mark| {
        preview.goes.iter().any(|it| it.repository == repo.name && Mark::of(&it.digest) == mark)
    };
    let size = |(manifests, blobs): &(Vec<BTreeSet<usize>>, BTreeSet<usize>)| {
        let manifests: BTreeSet<usize> = manifests.iter().flatten().copied().collect();
        manifests.into_iter().map(manifest_size).chain(blobs.iter().copied().map(blob_size)).sum::<u64>()
    };
    let before = reachable(made, |_, _| true);
    let after = reachable(made, |repo, mark| !doomed(repo, mark));
    prop_assert_eq!(preview.frees, size(&before) - size(&after));
    let needed = made.world.needs.iter().filter_map(|need| need.mark);
    let needed: BTreeSet<usize> = needed.filter_map(|mark| made.number(mark)).collect();
    for (repo, left) in made.world.repositories.iter().zip(&after.0) {
        for it in preview.goes.iter().filter(|it| it.repository == repo.name) {
            for below in it.below.iter().chain([&it.digest]) {
                let n = made.number(Mark::of(below)).expect("a manifest");
                prop_assert!(!left.contains(&n) && !needed.contains(&n), "{n} is deleted and needed");
            }
        }
    }
    // Images go as a whole, and exactly those whose tags go.
    let by_image: BTreeSet<(String, String)> =
        preview.goes.iter().flat_map(|it| it.tags.iter().map(|tag| (it.repository.to_string(), tag.clone()))).collect();
    prop_assert_eq!(by_image, going(preview));
    Ok(())
}

/// The same rules and one more, or a larger number: nothing goes that stayed.
fn more_rules_keep_more(made: &mut Made, preview: &Preview) -> Result<(), TestCaseError> {
    let gone = going(preview);
    let Some(policy) = made.world.policy.clone() else {
        prop_assert!(gone.is_empty(), "no rules");
        return Ok(());
    };
    let mut more = policy.clone();
    match made.die % 4 {
        0 => more.keep_days = Some(policy.keep_days.map_or(5, |days| days + 3)),
        1 => more.keep_last = Some(policy.keep_last.map_or(1, |last| last + 1)),
        2 => more.keep_matching.push("a".into()),
        _ => more.foreign = false,
    }
    made.world.policy = Some(more);
    let fewer = going(&judge(&made.world));
    prop_assert!(fewer.is_subset(&gone), "{:?} and {fewer:?} instead of {gone:?}", made.world.policy);
    made.world.policy = Some(policy);
    let of_service = made.world.services.entry(service(0)).or_default();
    of_service.keep_last = Some(of_service.keep_last.unwrap_or(0) + 1);
    prop_assert!(going(&judge(&made.world)).is_subset(&gone), "a service's rule");
    Ok(())
}

#[test]
fn nothing_protected_is_ever_selected() {
    let config = ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let selected = std::cell::Cell::new(0);
    let outcome = runner.run(&proptest::collection::vec(any::<u8>(), 160..320), |bytes| {
        let mut made = made(&bytes);
        let preview = judge(&made.world);
        selected.set(selected.get() + usize::from(!preview.goes.is_empty()));
        nothing_protected_goes(&made, &preview)?;
        bytes_are_right(&made, &preview)?;
        more_rules_keep_more(&mut made, &preview)
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(selected.get() > 1_500, "in {} of 10,000 cases something goes", selected.get());
}

/// One repository with ordinary tags.
fn simple(tags: &[(&str, usize)], images: &[(usize, Vec<usize>)]) -> World {
    let images = images.iter().map(|(n, below)| {
        let manifests: Vec<_> = std::iter::once(n).chain(below).map(|n| (mark(*n), 10)).collect();
        (mark(*n), Known::Content(Content::new(&manifests, &[(mark(100 + n), 1_000)])))
    });
    let listed =
        tags.iter().map(|(tag, n)| Listed { tag: (*tag).into(), digest: Some(digest(*n)), first_seen: NOW - 50 * DAY });
    let pushes = tags.iter().enumerate().map(|(index, (tag, n))| Push {
        tag: (*tag).into(),
        mark: Some(mark(*n)),
        at: NOW - 50 * DAY + i64::try_from(index).expect("small"),
        branch: Some("main".into()),
        service: service(0),
        is_fresh: false,
        is_others: false,
    });
    World {
        now: NOW,
        as_of: Some(NOW),
        policy: Some(Policy { keep_last: Some(1), ..Policy::default() }),
        services: BTreeMap::new(),
        repositories: vec![Repo {
            name: "team/web".parse().expect("a repository"),
            unread: None,
            tags: listed.collect(),
            images: images.collect(),
            pushes: pushes.collect(),
        }],
        needs: Vec::new(),
    }
}

fn kept(world: &World, tag: &str) -> Vec<Why> {
    judge(world).tags.into_iter().find(|it| it.tag == tag).expect("the tag").keeps
}

#[test]
fn each_reason_is_told() {
    let mut world = simple(&[("old", 1), ("same", 2), ("new", 3)], &[(1, vec![11, 12]), (2, vec![12]), (3, vec![12])]);
    let preview = judge(&world);
    assert_eq!(kept(&world, "new"), [Why::Newest { branch: Some("main".into()), place: 1 }]);
    assert_eq!(preview.frees, 10 + 10 + 1_000 + 10 + 1_000, "what is shared with “new” isn't free");
    let old = preview.goes.iter().find(|it| it.tags == ["old"]).expect("it goes");
    assert_eq!(old.below, [digest(11)], "a child of what stays is left alone");

    let why = Why::Deployment {
        service: service(0),
        name: "web".into(),
        deployment: DeploymentId::from_random([1; 8]),
        number: 3,
        need: Need::Runs,
    };
    // By the digest of a platform inside, from any registry.
    world.needs = vec![Needed { repository: None, tag: None, mark: Some(mark(11)), why: why.clone() }];
    assert_eq!(kept(&world, "old"), std::slice::from_ref(&why));
    // An image that nothing is known of keeps its whole repository, and no other.
    world.needs = vec![Needed { repository: None, tag: None, mark: Some(mark(99)), why: why.clone() }];
    assert_eq!(kept(&world, "old"), []);
    let here = Some("team/web".parse().expect("a repository"));
    world.needs = vec![Needed { repository: here, tag: None, mark: Some(mark(99)), why }];
    assert_eq!(kept(&world, "old"), [Why::Unsure]);
    world.needs.clear();

    world.repositories[0].tags[0].digest = None;
    let first = Why::Newest { branch: None, place: 1 };
    assert_eq!(
        kept(&world, "old"),
        [Why::Unknown, Why::Foreign, first],
        "no build's digest is there, so it isn't ours"
    );
    assert_eq!(kept(&world, "same"), [Why::Unsure]);
}

#[test]
fn an_image_goes_with_all_its_tags_or_not_at_all() {
    let mut world = simple(&[("old", 1), ("also", 1), ("new", 3)], &[(1, vec![]), (3, vec![])]);
    assert_eq!(judge(&world).goes.iter().map(|it| it.tags.clone()).collect::<Vec<_>>(), [["also", "old"]]);
    world.policy = Some(Policy { keep_last: Some(2), ..Policy::default() });
    assert_eq!(kept(&world, "old"), [Why::SameImage { tag: "also".into() }]);
    // What somebody else tagged keeps ours with it.
    let mut world = simple(&[("old", 1), ("stable", 1), ("new", 3)], &[(1, vec![]), (3, vec![])]);
    world.repositories[0].pushes.retain(|push| push.tag != "stable");
    assert_eq!(kept(&world, "old"), [Why::SameImage { tag: "stable".into() }]);
}

#[test]
fn caches_parts_and_signatures_stay() {
    let signature = format!("sha256-{}.sig", hex(&[3; 32]));
    let tags = [("inner", 1), (CACHE_TAG, 2), (signature.as_str(), 4), ("old", 5), ("new", 3)];
    let world = simple(&tags, &[(1, vec![]), (2, vec![1]), (3, vec![]), (4, vec![]), (5, vec![])]);
    assert_eq!(kept(&world, "inner"), [Why::ChildOf { index: digest(2) }]);
    assert_eq!(kept(&world, CACHE_TAG), [Why::Cache]);
    assert_eq!(kept(&world, &signature), [Why::About { subject: digest(3) }]);
    assert_eq!(kept(&world, "old"), []);
}

#[test]
fn a_services_rules_keep_more_of_its_own() {
    let mut world = simple(&[("v1", 1), ("b", 2), ("new", 3)], &[(1, vec![]), (2, vec![]), (3, vec![])]);
    world.services.insert(service(0), Policy { keep_matching: vec!["v*".into()], ..Policy::default() });
    assert_eq!((kept(&world, "v1"), kept(&world, "b")), (vec![Why::Matches { pattern: "v*".into() }], vec![]));
    world.services = BTreeMap::from([(service(1), Policy { keep_matching: vec!["**".into()], ..Policy::default() })]);
    assert_eq!(kept(&world, "v1"), [], "another service's rules");
    world.policy = None;
    assert_eq!(kept(&world, "b"), [Why::NoRules]);
}
