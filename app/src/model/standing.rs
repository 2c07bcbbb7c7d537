//! What is known of a service's versions beside what they are: whether one could go back to them now, which are pinned, and
//! whether pushes are deployed.

use super::id::{BuildId, DeploymentId};
use super::job::JobState;
use super::report::Lamp;
use super::retention::Need;
use super::service::Deployment;
use crate::error::Link;
use serde::{Deserialize, Serialize};

/// The fewest deployments of a service that stay ready.
pub const KEEP_LEAST: u32 = 1;
/// The most deployments of a service that stay ready.
pub const KEEP_MOST: u32 = 100;

/// Whether a deployment could come up now, as last looked at in the background.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// Green: nothing stands in the way. Amber: it may work. Red: it can't.
    pub lamp: Lamp,
    /// Why, in a sentence or two.
    pub reason: String,
    /// Where that can be put right.
    #[serde(default)]
    pub link: Option<Link>,
    /// Whether the image lies on this node already; none: not known.
    #[serde(default)]
    pub is_here: Option<bool>,
    /// What a node would have to fetch, in bytes; none: not known.
    #[serde(default)]
    pub pull_bytes: Option<u64>,
    /// When it was looked at, Unix seconds.
    pub at: i64,
}

impl Readiness {
    /// The lamp in a word.
    pub fn word(&self) -> &'static str {
        match self.lamp {
            Lamp::Green => "Ready",
            Lamp::Amber => "Perhaps",
            Lamp::Red => "Can't come back",
            Lamp::Dark => "Not checked",
        }
    }
}

/// Who keeps a deployment for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Who.
    pub by: String,
    /// Since when, Unix seconds.
    pub at: i64,
}

/// What runs again after a deployment failed or was cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutBack {
    /// Which deployment.
    pub id: DeploymentId,
    /// Its number.
    pub number: i64,
    /// Since when, Unix seconds; none: it is being put back.
    pub at: Option<i64>,
}

/// What is known of one deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Which.
    pub id: DeploymentId,
    /// What its image is kept for; none: it isn't.
    pub need: Option<Need>,
    /// Whether it could come up now; none: nobody looked yet, or it isn't kept.
    pub readiness: Option<Readiness>,
    /// Who keeps it for ever.
    pub pin: Option<Pin>,
    /// What was put back when it failed.
    pub put_back: Option<PutBack>,
}

impl Version {
    /// Why one can't go back to it, where that is known.
    pub fn obstacle(&self) -> Option<&Readiness> {
        self.readiness.as_ref().filter(|readiness| readiness.lamp == Lamp::Red)
    }
}

/// A build that would have been deployed but for the pause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Which.
    pub build: BuildId,
    /// Its number.
    pub number: i64,
    /// First line of the commit's message.
    pub subject: Option<String>,
}

/// Pushes and new digests aren't deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Since when, Unix seconds.
    pub since: i64,
    /// Who went back; empty: not known.
    pub by: String,
    /// To which deployment.
    pub to: Option<(DeploymentId, i64)>,
    /// The newest build that waits.
    pub next: Option<Held>,
}

/// What is known of a service's versions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Set: pushes and new digests aren't deployed.
    pub pause: Option<Pause>,
    /// So many of the newest deployments that ran well stay ready.
    pub keep: u32,
    /// One for each deployment.
    pub versions: Vec<Version>,
}

impl Standing {
    /// What is known of one.
    pub fn of(&self, id: &DeploymentId) -> Option<&Version> {
        self.versions.iter().find(|version| version.id == *id)
    }

    /// Why a deployment isn't checked, in words; none: it is.
    pub fn unchecked(&self, deployment: &Deployment) -> Option<String> {
        if self.of(&deployment.id).is_some_and(|version| version.need.is_some()) {
            return None;
        }
        Some(match deployment.state {
            state if !state.is_final() => "Not checked: it is on its way.".into(),
            JobState::Succeeded => format!(
                "Not kept and not checked: it is older than the last {} that ran well. Its image may be cleaned up.",
                self.keep
            ),
            _ => "Not kept and not checked: it never ran well.".into(),
        })
    }
}

/// What comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Back {
    /// The image with the settings it ran with.
    #[default]
    All,
    /// The image, with the settings of what runs now.
    Image,
}

impl Back {
    /// As forms send it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Image => "image",
        }
    }

    /// What a form sent; nothing is all.
    pub fn read(text: &str) -> Option<Self> {
        match text {
            "" | "all" => Some(Self::All),
            "image" => Some(Self::Image),
            _ => None,
        }
    }
}

/// How many deployments stay ready, as typed.
pub fn keep_of(text: &str) -> Result<u32, crate::error::AppError> {
    let keep = text.trim().parse().ok().filter(|keep| (KEEP_LEAST..=KEEP_MOST).contains(keep));
    keep.ok_or_else(|| {
        crate::error::AppError::field("keep", format!("Type a number from {KEEP_LEAST} to {KEEP_MOST}."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_a_number_within_its_borders() {
        assert_eq!(keep_of(" 10 "), Ok(10));
        for wrong in ["", "0", "101", "-1", "ten"] {
            assert!(keep_of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_comes_back_is_read_as_it_is_written() {
        for back in [Back::All, Back::Image] {
            assert_eq!(Back::read(back.as_str()), Some(back));
        }
        assert_eq!(Back::read(""), Some(Back::All));
        assert_eq!(Back::read("x"), None);
    }
}
