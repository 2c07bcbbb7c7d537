//! The garbage of a registry that Slipway runs: when it is collected, and what came of it.

use super::Disk;
use crate::error::{AppError, FieldError};
use crate::model::id::JobId;
use crate::model::image_ref::Malformed;
use crate::model::job::JobState;
use serde::{Deserialize, Serialize};

/// The longest time between two runs: a year.
const MOST_HOURS: u32 = 24 * 366;
/// The most free space that can be asked for, in GB.
const MOST_GB: u64 = 1_000_000;
/// The most free space that can be asked for, in per cent.
const MOST_PERCENT: u64 = 90;

/// Why garbage is collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GarbageWhy {
    /// Somebody asked.
    Asked,
    /// It was time.
    Schedule,
    /// Space was short.
    Space,
}

impl GarbageWhy {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Schedule => "schedule",
            Self::Space => "space",
        }
    }

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Asked => "By hand",
            Self::Schedule => "By schedule",
            Self::Space => "Space was short",
        }
    }
}

impl std::str::FromStr for GarbageWhy {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        [Self::Asked, Self::Schedule, Self::Space]
            .into_iter()
            .find(|why| why.as_str() == text)
            .ok_or_else(|| Malformed("There is no such reason.".into()))
    }
}

/// How little free space is little.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Below {
    /// So many bytes.
    Bytes(u64),
    /// So many per cent of the disk.
    Percent(u8),
}

impl Below {
    /// Whether so little is free.
    pub fn holds(self, disk: Disk) -> bool {
        match self {
            Self::Bytes(bytes) => disk.free < bytes,
            Self::Percent(percent) => u128::from(disk.free) * 100 < u128::from(disk.total) * u128::from(percent),
        }
    }
}

/// When garbage is collected by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GarbageRule {
    /// Hours between two runs; None: not by time.
    pub every_hours: Option<u32>,
    /// When less than that is free where the images are; None: not by space.
    pub below: Option<Below>,
}

/// The rule as it is typed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct GarbageForm {
    /// Hours between two runs, or nothing.
    #[serde(default)]
    pub every: String,
    /// Free space, or nothing.
    #[serde(default)]
    pub below: String,
    /// `percent` or `gb`.
    #[serde(default)]
    pub unit: String,
}

impl GarbageForm {
    /// What is kept of it, filled in.
    pub fn of(rule: GarbageRule) -> Self {
        let (below, unit) = match rule.below {
            Some(Below::Bytes(bytes)) => ((bytes / 1_000_000_000).to_string(), "gb"),
            Some(Below::Percent(percent)) => (percent.to_string(), "percent"),
            None => (String::new(), "percent"),
        };
        Self { every: rule.every_hours.map(|hours| hours.to_string()).unwrap_or_default(), below, unit: unit.into() }
    }

    /// The rule, or what is wrong with its fields.
    pub fn validated(&self) -> Result<GarbageRule, AppError> {
        let mut errors = Vec::new();
        let mut number = |field: &str, text: &str, most: u64| -> Option<u64> {
            let text = text.trim();
            if text.is_empty() {
                return None;
            }
            match text.parse::<u64>() {
                Ok(number) if (1..=most).contains(&number) => Some(number),
                _ => {
                    errors.push(FieldError::new(field, format!("A whole number from 1 to {most}, or nothing.")));
                    None
                }
            }
        };
        let every = number("every", &self.every, u64::from(MOST_HOURS));
        let below = if self.unit == "gb" {
            number("below", &self.below, MOST_GB).map(|gb| Below::Bytes(gb * 1_000_000_000))
        } else {
            let percent = number("below", &self.below, MOST_PERCENT);
            percent.and_then(|percent| u8::try_from(percent).ok()).map(Below::Percent)
        };
        if !errors.is_empty() {
            return Err(errors.into());
        }
        Ok(GarbageRule { every_hours: every.and_then(|hours| u32::try_from(hours).ok()), below })
    }
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GarbageRun {
    /// The job.
    pub job: JobId,
    /// Where the job is; None: its record was cleared away.
    pub state: Option<JobState>,
    /// Why it began.
    pub why: GarbageWhy,
    /// Began, Unix seconds.
    pub started: i64,
    /// Ended, Unix seconds.
    pub ended: Option<i64>,
    /// From then on nothing could be pushed, Unix seconds; None: it didn't come so far.
    pub shut: Option<i64>,
    /// Blobs that were deleted.
    pub blobs: Option<u64>,
    /// What came free; None: it couldn't be seen, or it didn't come so far.
    pub bytes: Option<u64>,
}

/// All that the page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Garbage {
    /// Since when nothing can be pushed, Unix seconds; None: it can.
    pub shut_since: Option<i64>,
    /// The job that collects now, or waits to.
    pub job: Option<JobId>,
    /// When it is collected by itself.
    pub rule: GarbageRule,
    /// When it is due by time, Unix seconds.
    pub due: Option<i64>,
    /// Room where the images are; None: not known.
    pub disk: Option<Disk>,
    /// Newest first.
    pub runs: Vec<GarbageRun>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_becomes_a_rule_and_back() {
        let form = |every: &str, below: &str, unit: &str| GarbageForm {
            every: every.into(),
            below: below.into(),
            unit: unit.into(),
        };
        for (every, below, unit, hours, is) in [
            ("", "", "percent", None, None),
            (" 168 ", "10", "percent", Some(168), Some(Below::Percent(10))),
            ("1", "50", "gb", Some(1), Some(Below::Bytes(50_000_000_000))),
            ("", "90", "", None, Some(Below::Percent(90))),
        ] {
            let rule = form(every, below, unit).validated().expect("a rule");
            assert_eq!((rule.every_hours, rule.below), (hours, is), "{every} {below} {unit}");
            assert_eq!(GarbageForm::of(rule).validated().expect("the same"), rule);
        }
        for (every, below, unit, field) in [
            ("0", "", "percent", "every"),
            ("often", "", "percent", "every"),
            ("10000", "", "percent", "every"),
            ("", "91", "percent", "below"),
            ("", "-1", "gb", "below"),
            ("", "1.5", "gb", "below"),
        ] {
            match form(every, below, unit).validated() {
                Err(AppError::Invalid(errors)) => assert_eq!(errors[0].field, field),
                other => panic!("{every} {below}: {other:?}"),
            }
        }
    }

    #[test]
    fn little_is_what_was_said() {
        let disk = Disk { free: 9, total: 100 };
        assert!(Below::Percent(10).holds(disk) && !Below::Percent(9).holds(disk));
        assert!(Below::Bytes(10).holds(disk) && !Below::Bytes(9).holds(disk));
    }
}
