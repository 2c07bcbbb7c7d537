//! What starts a service's builds and deployments from outside: pushes that git hosts tell of, and the signed deploy hook.

use super::glob;
use super::id::{BuildId, DeploymentId, ServiceId, TriggerId};
use crate::error::FieldError;
use serde::{Deserialize, Serialize};

/// Deliveries that a page lists.
pub const SHOWN: u32 = 50;
/// How far the time of a signed request may be from ours, in seconds.
pub const WINDOW: i64 = 300;
/// The header by which a deploy hook is signed: `t=<unix time>,v1=<hex HMAC-SHA256 of "t.body">`.
pub const SIGNATURE: &str = "X-Slipway-Signature";

/// A service's trigger. The secret isn't among what is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// Its id, which is its address as well.
    pub id: TriggerId,
    /// Of which service.
    pub service: ServiceId,
    /// Whether it does anything.
    pub enabled: bool,
    /// Whether what is built is deployed.
    pub deploys: bool,
    /// Branches that are built; empty: the service's own.
    pub branches: Vec<String>,
    /// Paths of which one has to be changed; empty: any.
    pub paths: Vec<String>,
    /// Created, Unix seconds.
    pub created_at: i64,
    /// Requests with a wrong signature since the start, and when the last one came (Unix seconds).
    pub refused: Option<(u64, i64)>,
}

impl Trigger {
    /// Whether a push to the branch is built; `own` is the service's.
    pub fn wants_branch(&self, branch: &str, own: &str) -> bool {
        if self.branches.is_empty() {
            return branch == own;
        }
        self.branches.iter().any(|pattern| glob::fits(pattern, branch))
    }

    /// Whether one of these paths is watched.
    pub fn wants_paths<'a>(&self, mut changed: impl Iterator<Item = &'a str>) -> bool {
        self.paths.is_empty() || changed.any(|path| self.paths.iter().any(|pattern| glob::fits(pattern, path)))
    }
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A build or deployment began.
    Started,
    /// Nothing was to be done.
    Ignored,
    /// It couldn't begin; sent again, it is tried again.
    Failed,
}

impl Outcome {
    /// As stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Ignored => "ignored",
            Self::Failed => "failed",
        }
    }
}

impl std::str::FromStr for Outcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = [Self::Started, Self::Ignored, Self::Failed].into_iter().find(|outcome| outcome.as_str() == text);
        found.ok_or_else(|| format!("unknown outcome {text:?}"))
    }
}

/// Something that came and was signed rightly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The sender's id of it.
    pub id: String,
    /// When it came, Unix milliseconds.
    pub at: i64,
    /// Who sent it: GitHub, GitLab, …, or the deploy hook.
    pub host: String,
    /// What it tells of.
    pub event: String,
    /// What became of it.
    pub outcome: Outcome,
    /// What happened and why, in words.
    pub reason: String,
    /// The build that began, with its number.
    pub build: Option<(BuildId, i64)>,
    /// The deployment that began, with its number.
    pub deployment: Option<(DeploymentId, i64)>,
}

/// What the form sends.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TriggerForm {
    /// A checkbox.
    pub enabled: Option<String>,
    /// A checkbox.
    pub deploys: Option<String>,
    /// Patterns, one a line.
    pub branches: String,
    /// Patterns, one a line.
    pub paths: String,
}

/// The fields, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerFields {
    /// Whether it does anything.
    pub enabled: bool,
    /// Whether what is built is deployed.
    pub deploys: bool,
    /// Branches that are built; empty: the service's own.
    pub branches: Vec<String>,
    /// Paths of which one has to be changed; empty: any.
    pub paths: Vec<String>,
}

impl TriggerForm {
    /// All broken rules at once, or the fields.
    pub fn validated(self) -> Result<TriggerFields, Vec<FieldError>> {
        let branches = glob::read("branches", &self.branches);
        let paths = glob::read("paths", &self.paths);
        match (branches, paths) {
            (Ok(branches), Ok(paths)) => {
                Ok(TriggerFields { enabled: self.enabled.is_some(), deploys: self.deploys.is_some(), branches, paths })
            }
            (branches, paths) => Err(branches.err().into_iter().chain(paths.err()).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_wants_the_services_branch_unless_it_names_others() {
        let mut trigger = Trigger {
            id: TriggerId::from_random([1; 8]),
            service: ServiceId::from_random([1; 8]),
            enabled: true,
            deploys: true,
            branches: Vec::new(),
            paths: Vec::new(),
            created_at: 0,
            refused: None,
        };
        assert!(trigger.wants_branch("main", "main") && !trigger.wants_branch("dev", "main"));
        assert!(trigger.wants_paths(["x"].into_iter()) && trigger.wants_paths(std::iter::empty()));
        trigger.branches = vec!["release/*".into()];
        assert!(trigger.wants_branch("release/1", "main") && !trigger.wants_branch("main", "main"));
        trigger.paths = vec!["api/".into(), "*.toml".into()];
        assert!(trigger.wants_paths(["README.md", "api/x/y.rs"].into_iter()));
        assert!(!trigger.wants_paths(["README.md", "web/Cargo.toml"].into_iter()));
    }

    #[test]
    fn the_form_tells_all_that_is_wrong() {
        let form = TriggerForm { branches: "/a".into(), paths: "b c".into(), ..TriggerForm::default() };
        let errors = form.validated().expect_err("refused");
        assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), ["branches", "paths"]);
    }
}
