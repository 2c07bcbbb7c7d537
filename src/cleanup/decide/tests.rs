use super::*;
use app::model::id::DeploymentId;
use proptest::prelude::*;
use std::collections::HashMap;

const NOW: i64 = 1_800_000_000;
const OLD: i64 = NOW - 1_000_000;

fn service(n: u8) -> ServiceId {
    ServiceId::from_random([n; 8])
}

fn digest(n: u8) -> String {
    format!("sha256:{}", format!("{n:02x}").repeat(32))
}

/// `r.example/shop/web:<n>` with the digest of `n`.
fn reference(n: u8) -> ImageRef {
    format!("r.example/shop/web:{n}@{}", digest(n)).parse().expect("a reference")
}

fn version(n: u8, place: Option<u32>) -> Version {
    Version {
        service: service(1),
        name: "Web".into(),
        is_live: true,
        image: reference(n),
        place,
        at: OLD + i64::from(n),
        is_open: false,
    }
}

fn built(n: u8) -> EngineImage {
    EngineImage {
        id: digest(n),
        names: vec![format!("r.example/shop/web:{n}"), reference(n).to_string()],
        digests: vec![format!("r.example/shop/web@{}", digest(n))],
        labels: [(LABEL.to_owned(), service(1).to_string())].into(),
        size: 100,
        shared: 40,
        created: OLD,
    }
}

fn pulled(n: u8) -> EngineImage {
    EngineImage { names: vec![reference(n).to_string()], labels: HashMap::new(), ..built(n) }
}

fn kept(n: u8, need: Need) -> Kept {
    Kept {
        service: service(1),
        name: "Web".into(),
        deployment: DeploymentId::from_random([n; 8]),
        number: i64::from(n),
        image: reference(n),
        registry: None,
        credential: None,
        need,
    }
}

/// Versions 1 to 5; 5 is the newest.
fn facts() -> Facts {
    Facts {
        versions: (1..=5).map(|n| version(n, Some(u32::from(6 - n)))).collect(),
        kept: vec![kept(5, Need::Runs), kept(4, Need::Window), kept(1, Need::Pinned)],
        services: HashSet::from([service(1).to_string()]),
        keep_last: 2,
        now: NOW,
    }
}

fn stays(facts: &Facts, image: &EngineImage) -> Option<Option<Stays>> {
    facts.judge(image, &ImagesInUse::default()).map(|judged| judged.stays)
}

#[test]
fn what_a_service_needs_stays_and_the_rest_goes() {
    let needs = |need| Some(Some(Stays::Service { name: "Web".into(), need }));
    for make in [built, pulled] {
        for (n, expected) in [
            (1, needs(Need::Pinned)),
            (2, Some(None)),
            (3, Some(None)),
            (4, needs(Need::Window)),
            (5, needs(Need::Runs)),
            (6, if make(6).labels.is_empty() { None } else { Some(Some(Stays::Foreign)) }),
        ] {
            assert_eq!(stays(&facts(), &make(n)), expected, "{n} {:?}", make(n).names);
        }
    }
    // The window of a service may be larger than what stays on nodes.
    let more = Facts { kept: vec![kept(3, Need::Window)], ..facts() };
    assert_eq!(stays(&more, &built(3)), Some(None));
}

#[test]
fn names_of_others_make_it_theirs() {
    let with = |name: &str| {
        let mut image = built(2);
        image.names.push(name.into());
        stays(&facts(), &image)
    };
    for name in ["mine:1", "r.example/shop/web:stable", "other.example/shop/web:2", "r.example/shop/other:2", "ÄÖ"] {
        assert_eq!(with(name), Some(Some(Stays::Foreign)), "{name}");
    }
    assert_eq!(with("r.example/shop/web:2"), Some(None));
    // Pulled by hand: the tag alone.
    let by_hand = EngineImage { names: vec!["r.example/shop/web:2".into()], ..pulled(2) };
    assert_eq!(stays(&facts(), &by_hand), Some(Some(Stays::Foreign)));
    let digests = EngineImage { digests: vec![format!("mirror.example/web@{}", digest(2))], ..built(2) };
    assert_eq!(stays(&facts(), &digests), Some(Some(Stays::Foreign)));
}

#[test]
fn what_has_the_label_of_an_unknown_service_is_foreign() {
    let other = EngineImage { labels: [(LABEL.to_owned(), service(9).to_string())].into(), ..built(2) };
    assert_eq!(stays(&facts(), &other), None);
    let unlabelled = EngineImage { labels: HashMap::new(), ..built(7) };
    assert_eq!(stays(&facts(), &unlabelled), None);
}

#[test]
fn an_image_of_ours_without_a_name_goes_unless_a_container_has_it() {
    let dangling = EngineImage { id: digest(9), names: Vec::new(), digests: Vec::new(), ..built(2) };
    assert_eq!(stays(&facts(), &dangling), Some(None));
    assert_eq!(removals(&dangling), [digest(9)]);
    let used = ImagesInUse(HashSet::from([digest(9)]));
    assert_eq!(facts().judge(&dangling, &used).and_then(|judged| judged.stays), Some(Stays::InUse));
}

#[test]
fn what_was_just_built_or_is_about_to_be_stays() {
    let with = |change: fn(&mut Version)| {
        let mut facts = facts();
        change(&mut facts.versions[1]);
        stays(&facts, &built(2))
    };
    assert_eq!(with(|version| version.at = NOW - 10), Some(Some(Stays::Fresh)));
    assert_eq!(with(|version| version.is_open = true), Some(Some(Stays::Fresh)));
    assert_eq!(with(|version| version.is_live = false), Some(None));
}

#[test]
fn nothing_of_a_deleted_service_is_in_a_window() {
    let mut facts = facts();
    facts.kept.clear();
    facts.versions.iter_mut().for_each(|version| version.is_live = false);
    for n in 1..=5 {
        assert_eq!(stays(&facts, &built(n)), Some(None), "{n}");
    }
}

#[test]
fn an_older_store_knows_what_was_pulled_by_digest_without_a_name() {
    let classic = EngineImage { id: digest(99), names: Vec::new(), ..pulled(2) };
    assert_eq!(stays(&facts(), &classic), Some(None));
    assert_eq!(removals(&classic), [format!("r.example/shop/web@{}", digest(2))]);
}

fn local(at: i64, frees: u64, stays: Option<Stays>) -> LocalImage {
    LocalImage {
        id: at.to_string(),
        names: Vec::new(),
        size: frees,
        frees,
        node: String::new(),
        service: None,
        at,
        stays,
    }
}

#[test]
fn a_budget_lets_the_newest_stay() {
    let all = || vec![local(3, 10, None), local(1, 10, None), local(2, 10, None), local(0, 100, Some(Stays::InUse))];
    let gone = |budget| {
        let mut images = all();
        within(&mut images, budget);
        let mut gone: Vec<_> = images.iter().filter(|image| image.stays.is_none()).map(|image| image.at).collect();
        gone.sort_unstable();
        gone
    };
    assert_eq!(gone(None), [1, 2, 3]);
    assert_eq!(gone(Some(130)), Vec::<i64>::new());
    assert_eq!(gone(Some(129)), [1]);
    assert_eq!(gone(Some(110)), [1, 2]);
    assert_eq!(gone(Some(1)), [1, 2, 3]);
}

#[test]
fn plain_names_are_taken_away_first() {
    assert_eq!(
        removals(&EngineImage { names: vec![reference(2).to_string(), "r.example/shop/web:2".into()], ..built(2) }),
        ["r.example/shop/web:2".to_owned(), reference(2).to_string()]
    );
}

/// How an image came to be on the node.
#[derive(Clone, Copy, Debug)]
struct Draw {
    n: u8,
    has_label: bool,
    is_of_unknown: bool,
    has_tag: bool,
    has_own_name: bool,
    is_used: bool,
}

fn draws() -> impl Strategy<Value = Draw> {
    (0_u8..12, any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), prop::bool::weighted(0.2)).prop_map(
        |(n, has_label, is_of_unknown, has_tag, has_own_name, is_used)| Draw {
            n,
            has_label,
            is_of_unknown,
            has_tag,
            has_own_name,
            is_used,
        },
    )
}

fn needs() -> impl Strategy<Value = Vec<(u8, Need)>> {
    let need = prop_oneof![Just(Need::Runs), Just(Need::UnderWay), Just(Need::Pinned), Just(Need::Window)];
    prop::collection::vec((0_u8..12, need), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// Nothing protected and nothing foreign is ever selected.
    #[test]
    fn nothing_protected_or_foreign_goes(
        images in prop::collection::vec(draws(), 0..8),
        needs in needs(),
        keep_last in 1_u32..6,
        known in 0_u8..12,
        open in prop::collection::vec(any::<bool>(), 12),
        budget in prop::option::of(0_u64..600),
    ) {
        let versions: Vec<Version> = (0..known)
            .map(|n| Version { is_open: open[usize::from(n)] && n % 3 == 0, ..version(n, (n % 2 == 0).then_some(u32::from(n / 2) + 1)) })
            .collect();
        let facts = Facts {
            versions: versions.clone(),
            kept: needs.iter().map(|(n, need)| kept(*n, *need)).collect(),
            keep_last,
            ..facts()
        };
        let mut used = ImagesInUse::default();
        let made: Vec<(Draw, EngineImage)> = images
            .iter()
            .map(|draw| {
                let mut image = if draw.has_tag { built(draw.n) } else { pulled(draw.n) };
                image.labels.clear();
                if draw.has_label {
                    let of = if draw.is_of_unknown { service(9) } else { service(1) };
                    image.labels.insert(LABEL.into(), of.to_string());
                }
                if draw.has_own_name {
                    image.names.push(format!("mine:{}", draw.n));
                }
                if draw.is_used {
                    used.0.insert(image.id.clone());
                }
                (*draw, image)
            })
            .collect();
        let judged: Vec<(Draw, Option<Judged>)> =
            made.iter().map(|(draw, image)| (*draw, facts.judge(image, &used))).collect();
        let mut locals: Vec<(Draw, LocalImage)> = judged
            .into_iter()
            .filter_map(|(draw, judged)| judged.map(|judged| (draw, local(judged.at, 60, judged.stays))))
            .collect();
        let mut alone: Vec<LocalImage> = locals.iter().map(|(_, image)| image.clone()).collect();
        within(&mut alone, budget);
        for ((_, image), after) in locals.iter_mut().zip(alone) {
            // A budget keeps more, never less.
            prop_assert!(image.stays.is_none() || image.stays == after.stays);
            *image = after;
        }
        for (draw, _) in locals.iter().filter(|(_, image)| image.stays.is_none()) {
            let Draw { n, has_label, is_of_unknown, has_tag, has_own_name, .. } = *draw;
            prop_assert!(!used.0.contains(&digest(n)), "a container has {n}");
            prop_assert!(!has_own_name, "somebody gave {n} a name");
            prop_assert!(!(has_label && is_of_unknown), "another Slipway built {n}");
            prop_assert!(has_label || !has_tag, "somebody pulled {n} by its tag");
            prop_assert!(n < known, "nobody knows {n}");
            prop_assert!(!versions[usize::from(n)].is_open, "{n} is on its way");
            prop_assert!(!needs.iter().any(|(of, need)| *of == n && *need != Need::Window), "a service needs {n}");
            let place = versions[usize::from(n)].place;
            prop_assert!(place.is_none_or(|place| place > keep_last), "{n} is in the window");
        }
    }
}
