//! Looking after the tag of an image service: whether it leads to another digest than what runs.

use super::id::ServiceId;
use super::image_ref::{Digest, ImageRef};
use crate::error::Problem;
use serde::{Deserialize, Serialize};

/// What happens when a tag leads to a new digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WatchMode {
    /// Nobody looks.
    #[default]
    Off,
    /// It is said.
    Notify,
    /// It is deployed.
    Deploy,
}

impl WatchMode {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Off, Self::Notify, Self::Deploy];

    /// As forms and the database have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Notify => "notify",
            Self::Deploy => "deploy",
        }
    }
}

impl std::str::FromStr for WatchMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or_else(|| "Choose what happens.".into())
    }
}

/// Why a new digest isn't deployed by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Waits {
    /// It is only said.
    Notify,
    /// Somebody went back, and new versions wait until they are wanted again.
    Paused,
    /// It was deployed and didn't come up.
    Failed {
        /// The deployment's number.
        number: i64,
    },
}

/// A digest that the tag leads to and that doesn't run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// Which.
    pub digest: Digest,
    /// Why it isn't deployed by itself.
    pub waits: Waits,
}

/// What is known about a watched tag, from the last look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagWatch {
    /// Whose.
    pub service: ServiceId,
    /// What happens when it leads to a new digest.
    pub mode: WatchMode,
    /// The image, by tag.
    pub image: ImageRef,
    /// The digest that the tag led to.
    pub seen: Option<Digest>,
    /// When the registry was last asked, Unix seconds.
    pub looked: Option<i64>,
    /// When it is asked next, Unix seconds.
    pub next: i64,
    /// Why the last look found nothing out.
    pub problem: Option<Problem>,
    /// A digest that doesn't run.
    pub news: Option<News>,
}
