//! What of Slipway's own lies on nodes and may go: images and build cache.

use super::id::JobId;
use super::retention::Need;
use crate::error::{FieldError, Problem};
use serde::{Deserialize, Serialize};

/// Versions of each service that may be kept.
const KEEP: std::ops::RangeInclusive<u32> = 1..=100;
/// Gigabytes: up to a petabyte.
const GIGABYTES: std::ops::RangeInclusive<u32> = 1..=1_000_000;
/// Days that build cache may stay unused.
const DAYS: std::ops::RangeInclusive<u32> = 1..=3_650;
/// Hours between two runs.
const HOURS: std::ops::RangeInclusive<u32> = 1..=8_760;
/// Bytes of one.
const GB: u64 = 1_000_000_000;

/// Rules of the clean-up on nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CleanupRules {
    /// Versions of each service that stay on the nodes, so that going back is instant.
    pub keep_last: u32,
    /// Bytes that images of ours may take on a node before any go; none: all that may go, goes.
    pub budget: Option<u64>,
    /// Days after which build cache that nobody used goes; none: it stays.
    pub cache_days: Option<u32>,
    /// Whether that holds for the engine's own build cache too, which others use as well.
    pub engine_cache: bool,
    /// Hours between runs; none: by hand alone.
    pub every_hours: Option<u32>,
}

impl Default for CleanupRules {
    fn default() -> Self {
        Self { keep_last: 3, budget: None, cache_days: Some(30), engine_cache: false, every_hours: None }
    }
}

/// What the form of the rules sends.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CleanupRulesForm {
    /// A number.
    #[serde(default)]
    pub keep_last: String,
    /// Gigabytes, or nothing.
    #[serde(default)]
    pub budget: String,
    /// A number of days, or nothing.
    #[serde(default)]
    pub cache_days: String,
    /// Ticked or not there.
    #[serde(default)]
    pub engine_cache: Option<String>,
    /// A number of hours, or nothing.
    #[serde(default)]
    pub every_hours: String,
}

impl CleanupRulesForm {
    /// The rules, or what is wrong at which field.
    pub fn check(&self) -> Result<CleanupRules, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut number = |field: &str, text: &str, range: std::ops::RangeInclusive<u32>, advice: &str| {
            let text = text.trim();
            let number = text.parse().ok().filter(|number| range.contains(number));
            if number.is_none() && !text.is_empty() {
                errors.push(FieldError::new(field, advice));
            }
            number
        };
        let keep_last = number("keep_last", &self.keep_last, KEEP, "Give a number from 1 to 100.");
        let budget =
            number("budget", &self.budget, GIGABYTES, "Give a whole number of gigabytes, like 50, or leave it empty.");
        let cache_days =
            number("cache_days", &self.cache_days, DAYS, "Give a number of days from 1 to 3650, or leave it empty.");
        let every_hours = number(
            "every_hours",
            &self.every_hours,
            HOURS,
            "Give a number of hours from 1 to 8760, or leave it empty.",
        );
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(CleanupRules {
            keep_last: keep_last.unwrap_or(CleanupRules::default().keep_last),
            budget: budget.map(|gigabytes| u64::from(gigabytes) * GB),
            cache_days,
            engine_cache: self.engine_cache.is_some(),
            every_hours,
        })
    }
}

/// An image on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalImage {
    /// Docker's id.
    pub id: String,
    /// What it is called.
    pub names: Vec<String>,
    /// Bytes.
    pub size: u64,
    /// Bytes of it that no other image has: what comes free at least.
    pub frees: u64,
    /// Which node.
    pub node: String,
    /// The service it was made for; none: more than one, or none that is known.
    pub service: Option<String>,
    /// When it was last deployed or built, Unix seconds.
    pub at: i64,
    /// Why it stays; none: it goes.
    pub stays: Option<Stays>,
}

/// Why an image stays on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Stays {
    /// Slipway didn't make it, or somebody gave it a name of their own.
    Foreign,
    /// A container has it, running or stopped.
    InUse,
    /// A service needs it.
    Service {
        /// The service's name.
        name: String,
        /// What for.
        need: Need,
    },
    /// It was built or deployed just now, or is about to be.
    Fresh,
    /// The images are within the budget.
    Room,
}

/// The cache of a builder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheSeen {
    /// What people call the builder.
    pub builder: String,
    /// Whether nobody but Slipway builds there.
    pub is_ours: bool,
    /// Bytes; none: not known.
    pub size: Option<u64>,
    /// Whether a run takes what is old from it.
    pub is_trimmed: bool,
}

/// What a clean-up would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CleanupPlan {
    /// All images of ours that were seen, and why they stay; what goes first.
    pub images: Vec<LocalImage>,
    /// Images that others made: how many, and their bytes.
    pub foreign: (u64, u64),
    /// The caches of builders.
    pub caches: Vec<CacheSeen>,
    /// Nodes that couldn't be asked, and why.
    pub unreached: Vec<(String, String)>,
    /// When that was looked at, Unix seconds; 0: not yet.
    pub at: i64,
    /// Why it couldn't be looked at.
    pub problem: Option<Problem>,
}

impl CleanupPlan {
    /// The images that go.
    pub fn goes(&self) -> impl Iterator<Item = &LocalImage> {
        self.images.iter().filter(|image| image.stays.is_none())
    }

    /// Bytes that come free at least.
    pub fn frees(&self) -> u64 {
        self.goes().map(|image| image.frees).sum()
    }
}

/// An image that a run removed, or wasn't allowed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handled {
    /// What it was called; its id where it had no name.
    pub name: String,
    /// Which node.
    pub node: String,
    /// Bytes that came free at least.
    pub freed: u64,
    /// Why it is still there; none: it is gone.
    pub refused: Option<String>,
}

/// What a run did so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CleanupReport {
    /// What happened to images that were to go.
    pub images: Vec<Handled>,
    /// Builders whose cache was trimmed, with the bytes that came free or why not.
    pub caches: Vec<(String, Result<u64, String>)>,
    /// Nodes that couldn't be asked, and why.
    pub unreached: Vec<(String, String)>,
}

impl CleanupReport {
    /// Bytes that came free at least.
    pub fn freed(&self) -> u64 {
        let images: u64 = self.images.iter().map(|image| image.freed).sum();
        images + self.caches.iter().filter_map(|(_, freed)| freed.as_ref().ok()).sum::<u64>()
    }

    /// How many images are gone, and how many had to stay.
    pub fn counts(&self) -> (usize, usize) {
        let refused = self.images.iter().filter(|image| image.refused.is_some()).count();
        (self.images.len() - refused, refused)
    }
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanupRun {
    /// Its job.
    pub job: JobId,
    /// When it began, Unix milliseconds.
    pub created: i64,
    /// Who asked.
    pub asked_by: String,
    /// How the job is.
    pub state: super::job::JobState,
    /// What it did.
    pub report: CleanupReport,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_becomes_rules() {
        let form = CleanupRulesForm {
            keep_last: " 5 ".into(),
            budget: "50".into(),
            cache_days: String::new(),
            engine_cache: Some("on".into()),
            every_hours: "24".into(),
        };
        let rules = CleanupRules {
            keep_last: 5,
            budget: Some(50_000_000_000),
            cache_days: None,
            engine_cache: true,
            every_hours: Some(24),
        };
        assert_eq!(form.check(), Ok(rules));
        assert_eq!(CleanupRulesForm::default().check().map(|rules| rules.keep_last), Ok(3));
    }

    #[test]
    fn what_is_wrong_is_said_at_its_field() {
        for (field, form) in [
            ("keep_last", CleanupRulesForm { keep_last: "0".into(), ..CleanupRulesForm::default() }),
            ("budget", CleanupRulesForm { budget: "1.5".into(), ..CleanupRulesForm::default() }),
            ("cache_days", CleanupRulesForm { cache_days: "-1".into(), ..CleanupRulesForm::default() }),
            ("every_hours", CleanupRulesForm { every_hours: "daily".into(), ..CleanupRulesForm::default() }),
        ] {
            let errors = form.check().expect_err(field);
            assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), [field]);
        }
    }

    #[test]
    fn rules_of_an_older_version_keep_what_they_say() {
        let rules: CleanupRules = serde_json::from_str(r#"{"keep_last":7}"#).expect("read");
        assert_eq!(rules, CleanupRules { keep_last: 7, ..CleanupRules::default() });
    }
}
