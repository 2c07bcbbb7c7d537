//! One run that turns a commit into an image digest.

use super::build_record::{BuildRecord, Trigger};
use super::id::{BuildId, DeploymentId, JobId, RegistryId, ServiceId};
use super::image_ref::{Digest, ImageRef, Malformed, text_type};
use super::job::JobState;
use super::source::Branch;
use crate::error::Problem;
use serde::{Deserialize, Serialize};

/// A git commit's full object name: 40 (SHA-1) or 64 (SHA-256) hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitSha(String);
text_type!(CommitSha);

impl CommitSha {
    /// The first 8 digits, for people.
    pub fn brief(&self) -> &str {
        &self.0[..8]
    }
}

impl std::str::FromStr for CommitSha {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if matches!(text.len(), 40 | 64) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed("This is not a full commit id.".into()))
        }
    }
}

/// A build as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Its id.
    pub id: BuildId,
    /// Counts within the service, from 1.
    pub number: i64,
    /// What is built.
    pub service: ServiceId,
    /// Its name.
    pub service_name: String,
    /// The work behind it: log and steps.
    pub job: JobId,
    /// Where it is.
    pub state: JobState,
    /// Why it failed.
    pub problem: Option<Problem>,
    /// Where it is pushed; chosen when the build is asked for.
    pub registry: RegistryId,
    /// What the push is called; known once the commit is.
    pub reference: Option<ImageRef>,
    /// What is built; known after the branch was resolved.
    pub commit: Option<CommitSha>,
    /// The branch it was found on; known with the commit.
    pub branch: Option<Branch>,
    /// First line of its message.
    pub commit_subject: Option<String>,
    /// The author's name.
    pub commit_author: Option<String>,
    /// As the registry has it.
    pub digest: Option<Digest>,
    /// Whether it is deployed when it is done.
    pub deploys: bool,
    /// The deployment it became.
    pub deployment: Option<DeploymentId>,
    /// Who asked.
    pub asked_by: String,
    /// Why it began.
    pub trigger: Trigger,
    /// Whether nothing is taken from the cache.
    pub no_cache: bool,
    /// What builds it, as people call it; known once it is chosen.
    pub builder: Option<String>,
    /// The line of the log that tells why it failed.
    pub telling_line: Option<u64>,
    /// What came out.
    pub record: Option<BuildRecord>,
    /// Unix milliseconds.
    pub created: i64,
    /// Unix milliseconds.
    pub started: Option<i64>,
    /// Unix milliseconds.
    pub finished: Option<i64>,
}
