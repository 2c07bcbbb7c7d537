//! Logins that were found in a text and wait to be imported. The passwords aren't in here.

use super::RegistryUrl;
use crate::model::id::CredentialId;
use crate::model::secret::Secret;
use serde::{Deserialize, Serialize};

/// What somebody pasted or uploaded.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ImportText {
    /// Pasted: a `docker login` command line or a `config.json`.
    #[serde(default)]
    pub secret_text: Secret,
    /// A file's content; used when nothing was pasted.
    #[serde(default)]
    pub secret_file: Secret,
}

/// What is to be done with one line.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ImportPick {
    /// Present when ticked: import it.
    #[serde(default)]
    pub pick: Option<String>,
    /// What the credential will be called.
    #[serde(default)]
    pub name: String,
    /// Present when ticked: see [`super::Trust::internal`].
    #[serde(default)]
    pub internal: Option<String>,
    /// Present when ticked: the host looks like a well-known one, and is meant all the same.
    #[serde(default)]
    pub sure: Option<String>,
}

/// Which lines are imported, in the list's order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ImportForm {
    /// One for each line.
    #[serde(default)]
    pub lines: Vec<ImportPick>,
}

/// What became of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// Can be imported.
    Waiting,
    /// Was tried, and why it didn't work; can be tried again.
    Refused(String),
    /// Is a credential now.
    Imported(CredentialId),
    /// There is a credential for this host and user: which, and its name.
    There(CredentialId, String),
    /// The same host and user stand in a line above.
    Duplicate,
    /// Can't be imported, and why.
    Skipped(String),
}

impl ImportState {
    /// Whether it can be imported now.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Waiting | Self::Refused(_))
    }
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportLine {
    /// The address, or what stood there if it is none.
    pub what: String,
    /// The same as an address.
    pub url: Option<RegistryUrl>,
    /// The user.
    pub username: String,
    /// What the credential may be called.
    pub name: String,
    /// Whether the network has to be marked as internal, as far as the address says.
    pub wants_internal: bool,
    /// The well-known host that this one looks like.
    pub looks_like: Option<String>,
    /// What became of it.
    pub state: ImportState,
}
