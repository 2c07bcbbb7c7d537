//! What may be deleted from registries: rules that only ever keep, and why each tag stays or goes.

use super::glob;
use super::id::{DeploymentId, JobId, RegistryId, ServiceId};
use super::image_ref::{Digest, Repository};
use super::text;
use crate::error::FieldError;
use serde::{Deserialize, Serialize};

/// Most that "keep the last" may say.
const MOST_LAST: u32 = 10_000;
/// Most days.
const MOST_DAYS: u32 = 3_650;
/// Hours between runs that the form offers, with their words.
pub const EVERY: [(u32, &str); 4] = [(1, "Every hour"), (24, "Every day"), (168, "Every week"), (720, "Every 30 days")];
/// Days in the trash when nobody says anything else.
pub const USUAL_TRASH: u32 = 7;

/// What rules hold for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Scope {
    /// All repositories of a registry.
    Registry(RegistryId),
    /// What a service's builds pushed, in addition to its registry's rules.
    Service(ServiceId),
}

/// Rules that keep. A tag goes only when no rule keeps it and nothing protects it, so another rule never deletes more.
///
/// A registry without a policy loses nothing. What a service's policy says is in addition: it keeps more of what that
/// service's builds pushed, and its `foreign`, `trash_days` and `every_hours` mean nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// So many of the newest for each repository and branch.
    pub keep_last: Option<u32>,
    /// What was pushed in the last days.
    pub keep_days: Option<u32>,
    /// Tags that fit one of these patterns.
    pub keep_matching: Vec<String>,
    /// Whether tags that Slipway didn't push may go too.
    pub foreign: bool,
    /// Days in which a deleted tag can come back; 0: none.
    pub trash_days: u32,
    /// Hours between runs; none: by hand alone.
    pub every_hours: Option<u32>,
}

impl Policy {
    /// What is kept, a sentence for each rule. For a registry and for a service.
    pub fn keeps(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        if let Some(last) = self.keep_last {
            sentences.push(match last {
                1 => "Keep the newest of each branch.".into(),
                last => format!("Keep the last {last} per branch."),
            });
        }
        if let Some(days) = self.keep_days {
            sentences.push(format!("Keep everything younger than {}.", days_words(days)));
        }
        if !self.keep_matching.is_empty() {
            sentences.push(format!("Keep tags matching {}.", listed(&self.keep_matching)));
        }
        sentences
    }

    /// All that a registry's policy says.
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = self.keeps();
        sentences.push(if self.foreign {
            "What Slipway didn't push may go too.".into()
        } else {
            "Keep what Slipway didn't push.".into()
        });
        sentences.push(match self.trash_days {
            0 => "A tag that was deleted can't come back.".into(),
            days => format!("A tag that was deleted can come back for {}.", days_words(days)),
        });
        sentences.push(match self.every_hours {
            None => "Runs when somebody asks.".into(),
            Some(hours) => match EVERY.iter().find(|(known, _)| *known == hours) {
                Some((_, words)) => format!("Runs {}.", words.to_lowercase()),
                None => format!("Runs every {hours} hours."),
            },
        });
        sentences
    }

    /// Whether it keeps nothing by a rule of its own.
    pub fn is_empty(&self) -> bool {
        self.keep_last.is_none() && self.keep_days.is_none() && self.keep_matching.is_empty()
    }

    /// The first pattern that a tag fits.
    pub fn matching(&self, tag: &str) -> Option<&str> {
        self.keep_matching.iter().map(String::as_str).find(|pattern| glob::fits(pattern, tag))
    }
}

fn days_words(days: u32) -> String {
    if days == 1 { "1 day".into() } else { format!("{days} days") }
}

/// "a, b or c".
fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// What the form of rules sends, for a registry and for a service.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PolicyForm {
    /// A number, or nothing.
    #[serde(default)]
    pub keep_last: String,
    /// Days, or nothing.
    #[serde(default)]
    pub keep_days: String,
    /// Patterns, one a line or separated by commas.
    #[serde(default)]
    pub keep_matching: String,
    /// Ticked or not there. Registries alone.
    #[serde(default)]
    pub foreign: Option<String>,
    /// Days; nothing: the usual. Registries alone.
    #[serde(default)]
    pub trash_days: String,
    /// One of [`EVERY`], or nothing. Registries alone.
    #[serde(default)]
    pub every_hours: String,
}

impl PolicyForm {
    /// The policy, or what is wrong at which field.
    pub fn check(&self, scope: &Scope) -> Result<Policy, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut number = |field: &str, typed: &str, most: u32, advice: String| -> Option<u32> {
            let typed = typed.trim();
            if typed.is_empty() {
                return None;
            }
            let number = typed.parse().ok().filter(|number| (1..=most).contains(number));
            if number.is_none() {
                errors.push(FieldError::new(field, advice));
            }
            number
        };
        let keep_last = number(
            "keep_last",
            &self.keep_last,
            MOST_LAST,
            format!("Give a number from 1 to {MOST_LAST}, or leave it empty."),
        );
        let keep_days = number(
            "keep_days",
            &self.keep_days,
            MOST_DAYS,
            format!("Give a number of days from 1 to {MOST_DAYS}, or leave it empty."),
        );
        let is_registry = matches!(scope, Scope::Registry(_));
        let (trash_days, every_hours) = match self.trash_days.trim() {
            _ if !is_registry => (None, None),
            // Someone who wants no trash says so.
            "0" => (Some(0), self.every(&mut errors)),
            typed => {
                let advice = format!("Give a number of days from 0 to {MOST_DAYS}; 0: nothing comes back.");
                let mut days = None;
                if !typed.is_empty() {
                    days = typed.parse().ok().filter(|days| (1..=MOST_DAYS).contains(days));
                    if days.is_none() {
                        errors.push(FieldError::new("trash_days", advice));
                    }
                }
                (days, self.every(&mut errors))
            }
        };
        let keep_matching = glob::read("keep_matching", &self.keep_matching).unwrap_or_else(|error| {
            errors.push(error);
            Vec::new()
        });
        let policy = Policy {
            keep_last,
            keep_days,
            keep_matching,
            foreign: is_registry && self.foreign.is_some(),
            trash_days: trash_days.unwrap_or(if is_registry { USUAL_TRASH } else { 0 }),
            every_hours,
        };
        if errors.is_empty() && policy.is_empty() {
            let words = "Say what is kept: a number, days or a pattern. Without any rule everything that isn't needed would go.";
            errors.push(FieldError::new("keep_last", words));
        }
        if errors.is_empty() { Ok(policy) } else { Err(errors) }
    }

    fn every(&self, errors: &mut Vec<FieldError>) -> Option<u32> {
        let typed = self.every_hours.trim();
        if typed.is_empty() {
            return None;
        }
        let hours = typed.parse().ok().filter(|hours| EVERY.iter().any(|(known, _)| known == hours));
        if hours.is_none() {
            errors.push(FieldError::new("every_hours", "Choose one of the list."));
        }
        hours
    }
}

/// Why something stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Why {
    /// A deployment needs it, by digest: the tag's own, or that of a platform inside.
    Deployment {
        /// Whose.
        service: ServiceId,
        /// The service's name.
        name: String,
        /// Which.
        deployment: DeploymentId,
        /// Its number.
        number: i64,
        /// What for.
        need: Need,
    },
    /// An index that stays leads to it.
    ChildOf {
        /// Which.
        index: Digest,
    },
    /// What it says something about (a signature, for example) stays.
    About {
        /// What.
        subject: Digest,
    },
    /// Another tag of the same image stays. Registries delete by digest, and that takes all tags of it.
    SameImage {
        /// Which.
        tag: String,
    },
    /// Builds keep their cache there.
    Cache,
    /// Somebody else pushed it.
    Foreign,
    /// A build is pushing it, or has pushed it since the last look at the registry.
    Fresh,
    /// Among the newest of its branch.
    Newest {
        /// Of which branch; none: not known.
        branch: Option<String>,
        /// Its place, from 1.
        place: u32,
    },
    /// Younger than the rule says.
    Young {
        /// Whole days.
        days: u32,
    },
    /// It fits a pattern.
    Matches {
        /// Which.
        pattern: String,
    },
    /// It couldn't be read, and what isn't known is never deleted.
    Unknown,
    /// Something else in its repository isn't known, and may lead to it.
    Unsure,
    /// The registry has no rules.
    NoRules,
}

impl Why {
    /// As a sentence.
    pub fn words(&self) -> String {
        match self {
            Self::Deployment { name, number, need, .. } => match need {
                Need::Runs => format!("{name} runs it (deployment {number})."),
                Need::UnderWay => format!("{name} is about to run it (deployment {number})."),
                Need::Pinned => format!("Deployment {number} of {name} is pinned."),
                Need::Window => format!("{name} can go back to it (deployment {number})."),
            },
            Self::ChildOf { index } => format!("It is a part of {}, which stays.", index.brief()),
            Self::About { subject } => format!("It belongs to {}, which stays.", subject.brief()),
            Self::SameImage { tag } => format!("It is the same image as {tag}, which stays."),
            Self::Cache => "Builds keep their cache here.".into(),
            Self::Foreign => "Slipway didn't push it.".into(),
            Self::Fresh => "A build has pushed it since the last look, or is about to.".into(),
            Self::Newest { branch, place } => {
                let of = branch.as_ref().map(|branch| format!(" of {branch}")).unwrap_or_default();
                if *place == 1 { format!("The newest{of}.") } else { format!("Number {place} of the newest{of}.") }
            }
            Self::Young { days: 0 } => "Younger than a day.".into(),
            Self::Young { days } => format!("{} old.", days_words(*days)),
            Self::Matches { pattern } => format!("It matches {pattern}."),
            Self::Unknown => "It couldn't be read; what isn't known stays.".into(),
            Self::Unsure => "Something in this repository isn't known yet and may need it.".into(),
            Self::NoRules => "There are no rules, so nothing goes.".into(),
        }
    }
}

/// What a deployment needs its image for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// It runs.
    Runs,
    /// It is on its way.
    UnderWay,
    /// Somebody pinned it.
    Pinned,
    /// It is within the rollback window.
    Window,
}

/// A tag, with all that keeps it. Nothing keeps it: it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Where.
    pub repository: Repository,
    /// Which tag.
    pub tag: String,
    /// What it leads to; none: not known.
    pub digest: Option<Digest>,
    /// When it was pushed by a build, or first seen when somebody else pushed it; Unix seconds.
    pub at: Option<i64>,
    /// What it takes by itself, bytes; shared layers count here too.
    pub size: Option<u64>,
    /// Why it stays.
    pub keeps: Vec<Why>,
}

impl Judged {
    /// Whether it goes.
    pub fn goes(&self) -> bool {
        self.keeps.is_empty()
    }
}

/// An image that goes: all of its tags do, and nothing that stays leads to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doomed {
    /// Where.
    pub repository: Repository,
    /// What is deleted, by digest.
    pub digest: Digest,
    /// All its tags, in order.
    pub tags: Vec<String>,
    /// Manifests below it that nothing which stays leads to: platforms, attestations. Other images that go may share them.
    pub below: Vec<Digest>,
}

/// What a run would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// All tags, by repository, newest first.
    pub tags: Vec<Judged>,
    /// The images behind the tags that go, by repository and digest: what a run deletes.
    pub goes: Vec<Doomed>,
    /// Bytes that come free once the trash is emptied and garbage collected; what others share isn't counted.
    pub frees: u64,
    /// What couldn't be read, in words; that is never deleted.
    pub unread: Vec<String>,
    /// When the registry was looked at, Unix seconds; none: never, and then nothing goes.
    pub as_of: Option<i64>,
}

/// Which tags somebody wants to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// All.
    #[default]
    Any,
    /// Those that go.
    Goes,
    /// Those that stay.
    Stays,
}

/// A part of a preview that somebody wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewSearch {
    /// A part of a repository's name or of a tag.
    pub text: String,
    /// Which.
    pub fate: Fate,
    /// Where it begins.
    pub offset: u64,
    /// How many.
    pub limit: u64,
}

/// A part of a preview, with what counts for all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewPage {
    /// The part.
    pub tags: Vec<Judged>,
    /// How many fit the search.
    pub found: u64,
    /// How many tags there are.
    pub total: u64,
    /// How many of them go.
    pub goes: u64,
    /// See [`Preview`].
    pub frees: u64,
    /// See [`Preview`].
    pub unread: Vec<String>,
    /// See [`Preview`].
    pub as_of: Option<i64>,
    /// The look that is under way.
    pub looking: Option<JobId>,
}

impl PreviewPage {
    /// "412 of 1,204 tags go, 18.3 GB come free."
    pub fn summary(&self) -> String {
        let goes = text::figure(self.goes);
        let verb = if self.goes == 1 { "goes" } else { "go" };
        if self.goes == 0 {
            let verb = if self.total == 1 { "stays" } else { "stay" };
            return format!("Nothing goes; {} {verb}.", text::tags(self.total));
        }
        format!("{goes} of {} {verb}, {} come free.", text::tags(self.total), text::bytes(self.frees))
    }
}

#[cfg(test)]
mod tests;
