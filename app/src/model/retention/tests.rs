//! Forms of rules, and sentences.

use super::*;

fn registry() -> Scope {
    Scope::Registry(RegistryId::from_random([1; 8]))
}

fn service() -> Scope {
    Scope::Service(ServiceId::from_random([1; 8]))
}

fn digest() -> Digest {
    format!("sha256:{}", "ab".repeat(32)).parse().expect("a digest")
}

/// The fields of a form that are wrong.
fn wrong(form: &PolicyForm, scope: &Scope) -> Vec<String> {
    form.check(scope).expect_err("it is wrong").into_iter().map(|error| error.field).collect()
}

#[test]
fn a_form_says_what_is_kept() {
    let form = PolicyForm {
        keep_last: " 10 ".into(),
        keep_days: "30".into(),
        keep_matching: "v*\r\n release-*, v*".into(),
        foreign: Some("on".into()),
        trash_days: " 14".into(),
        every_hours: "168".into(),
    };
    let policy = Policy {
        keep_last: Some(10),
        keep_days: Some(30),
        keep_matching: vec!["v*".into(), "release-*".into()],
        foreign: true,
        trash_days: 14,
        every_hours: Some(168),
    };
    assert_eq!(form.check(&registry()), Ok(policy.clone()));
    // A service only keeps more; what else a form sends for it means nothing.
    let in_addition = Policy { foreign: false, trash_days: 0, every_hours: None, ..policy };
    assert_eq!(form.check(&service()), Ok(in_addition.clone()));
    let odd = PolicyForm { trash_days: "soon".into(), every_hours: "5".into(), ..form };
    assert_eq!(odd.check(&service()), Ok(in_addition));
}

#[test]
fn empty_fields_are_the_usual() {
    let form = PolicyForm { keep_days: "1".into(), ..PolicyForm::default() };
    let policy = form.check(&registry()).expect("it is right");
    assert_eq!(policy, Policy { keep_days: Some(1), trash_days: USUAL_TRASH, ..Policy::default() });
    assert!(!policy.foreign && policy.every_hours.is_none() && !policy.is_empty());
    let none = PolicyForm { trash_days: "0".into(), ..form };
    assert_eq!(none.check(&registry()).map(|policy| policy.trash_days), Ok(0));
}

#[test]
fn all_that_is_wrong_is_said_at_its_field() {
    let form = PolicyForm {
        keep_last: "0".into(),
        keep_days: "3651".into(),
        keep_matching: "/v*".into(),
        trash_days: "-1".into(),
        every_hours: "2".into(),
        ..PolicyForm::default()
    };
    let mut fields = wrong(&form, &registry());
    fields.sort();
    assert_eq!(fields, ["every_hours", "keep_days", "keep_last", "keep_matching", "trash_days"]);
    for typed in ["ten", "-1", "1.5", "10001", "99999999999"] {
        let form = PolicyForm { keep_last: typed.into(), ..PolicyForm::default() };
        assert_eq!(wrong(&form, &registry()), ["keep_last"], "{typed}");
    }
    let most = PolicyForm { keep_last: "10000".into(), keep_days: "3650".into(), trash_days: "3650".into(), ..form };
    assert_eq!(wrong(&most, &registry()), ["every_hours", "keep_matching"]);
}

#[test]
fn rules_that_keep_nothing_are_refused() {
    for scope in [registry(), service()] {
        let form = PolicyForm { foreign: Some("on".into()), keep_matching: " ,\n".into(), ..PolicyForm::default() };
        let errors = form.check(&scope).expect_err("nothing is kept");
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].field, "keep_last");
        assert!(errors[0].message.starts_with("Say what is kept"), "{errors:?}");
    }
}

#[test]
fn older_rules_are_read() {
    let policy: Policy = serde_json::from_str(r#"{"keep_matching":["v*"]}"#).expect("rules");
    assert_eq!(policy, Policy { keep_matching: vec!["v*".into()], ..Policy::default() });
    assert!(Policy::default().is_empty());
}

#[test]
fn rules_are_sentences() {
    let policy = Policy {
        keep_last: Some(10),
        keep_days: Some(1),
        keep_matching: vec!["v*".into(), "stable".into(), "rc-?".into()],
        foreign: false,
        trash_days: 7,
        every_hours: Some(24),
    };
    assert_eq!(
        policy.sentences(),
        [
            "Keep the last 10 per branch.",
            "Keep everything younger than 1 day.",
            "Keep tags matching v*, stable or rc-?.",
            "Keep what Slipway didn't push.",
            "A tag that was deleted can come back for 7 days.",
            "Runs every day.",
        ]
    );
    let other = Policy {
        keep_last: Some(1),
        keep_days: None,
        keep_matching: vec!["v*".into()],
        foreign: true,
        trash_days: 0,
        every_hours: None,
    };
    assert_eq!(
        other.sentences(),
        [
            "Keep the newest of each branch.",
            "Keep tags matching v*.",
            "What Slipway didn't push may go too.",
            "A tag that was deleted can't come back.",
            "Runs when somebody asks.",
        ]
    );
    let odd = Policy { every_hours: Some(5), trash_days: 1, ..Policy::default() };
    assert_eq!(odd.keeps(), [""; 0]);
    assert!(odd.sentences().contains(&"Runs every 5 hours.".into()));
    assert!(odd.sentences().contains(&"A tag that was deleted can come back for 1 day.".into()));
    for (hours, words) in EVERY {
        let sentences = Policy { every_hours: Some(hours), ..Policy::default() }.sentences();
        assert_eq!(sentences.last(), Some(&format!("Runs {}.", words.to_lowercase())));
    }
}

#[test]
fn the_first_pattern_that_fits_is_named() {
    let policy = Policy { keep_matching: vec!["v1.*".into(), "v*".into()], ..Policy::default() };
    assert_eq!(policy.matching("v1.2"), Some("v1.*"));
    assert_eq!(policy.matching("v2.0"), Some("v*"));
    assert_eq!(policy.matching("nv2"), None);
}

#[test]
fn reasons_are_sentences() {
    let deployment = |need| Why::Deployment {
        service: ServiceId::from_random([2; 8]),
        name: "Web".into(),
        deployment: DeploymentId::from_random([3; 8]),
        number: 4,
        need,
    };
    let newest = |branch: Option<&str>, place| Why::Newest { branch: branch.map(str::to_owned), place };
    let brief = "sha256:abababababab…";
    for (why, words) in [
        (deployment(Need::Runs), "Web runs it (deployment 4).".to_owned()),
        (deployment(Need::UnderWay), "Web is about to run it (deployment 4).".into()),
        (deployment(Need::Pinned), "Deployment 4 of Web is pinned.".into()),
        (deployment(Need::Window), "Web can go back to it (deployment 4).".into()),
        (Why::ChildOf { index: digest() }, format!("It is a part of {brief}, which stays.")),
        (Why::About { subject: digest() }, format!("It belongs to {brief}, which stays.")),
        (Why::SameImage { tag: "v1".into() }, "It is the same image as v1, which stays.".into()),
        (newest(None, 1), "The newest.".into()),
        (newest(Some("main"), 1), "The newest of main.".into()),
        (newest(Some("main"), 3), "Number 3 of the newest of main.".into()),
        (newest(None, 2), "Number 2 of the newest.".into()),
        (Why::Young { days: 0 }, "Younger than a day.".into()),
        (Why::Young { days: 1 }, "1 day old.".into()),
        (Why::Young { days: 12 }, "12 days old.".into()),
        (Why::Matches { pattern: "v*".into() }, "It matches v*.".into()),
    ] {
        assert_eq!(why.words(), words);
    }
    for why in [Why::Cache, Why::Foreign, Why::Fresh, Why::Unknown, Why::Unsure, Why::NoRules] {
        assert!(why.words().ends_with('.'), "{why:?}");
    }
}

#[test]
fn a_page_is_summed_up() {
    let page = |goes, total, frees| PreviewPage { goes, total, frees, ..PreviewPage::default() }.summary();
    assert_eq!(page(412, 1_204, 18_300_000_000), "412 of 1,204 tags go, 18.3 GB come free.");
    assert_eq!(page(1, 2, 900), "1 of 2 tags goes, 900 B come free.");
    assert_eq!(page(1, 1, 0), "1 of 1 tag goes, 0 B come free.");
    assert_eq!(page(0, 1_204, 0), "Nothing goes; 1,204 tags stay.");
    assert_eq!(page(0, 1, 0), "Nothing goes; 1 tag stays.");
}
