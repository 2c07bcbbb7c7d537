//! Places images are pushed to.

use super::id::{CredentialId, RegistryId};
use super::image_ref::{RegistryHost, Repository};
use super::text;
use crate::error::FieldError;
use serde::{Deserialize, Serialize};

/// What the registry form sends.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegistryForm {
    /// What people call it.
    pub name: String,
    /// The credential's id; it carries the host.
    #[serde(default)]
    pub credential: String,
    /// What comes before `<project>/<service>`; may be empty.
    #[serde(default)]
    pub base_path: String,
    /// Present when ticked.
    #[serde(default)]
    pub is_default: Option<String>,
}

/// A registry's fields, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryFields {
    /// What people call it.
    pub name: String,
    /// How to sign in there.
    pub credential: CredentialId,
    /// What comes before `<project>/<service>`.
    pub base_path: Option<Repository>,
    /// Builds use it when nothing else is chosen.
    pub is_default: bool,
}

impl RegistryForm {
    /// All broken rules at once, or the fields.
    pub fn validated(self) -> Result<RegistryFields, Vec<FieldError>> {
        let mut errors = Vec::new();
        let name = text::name("name", &self.name, 60).map_err(|error| errors.push(error)).ok();
        let credential = self
            .credential
            .parse()
            .map_err(|_| errors.push(FieldError::new("credential", "Choose a credential.")))
            .ok();
        let base_path = base_path("base_path", &self.base_path).map_err(|error| errors.push(error)).unwrap_or(None);
        match (name, credential) {
            (Some(name), Some(credential)) if errors.is_empty() => {
                Ok(RegistryFields { name, credential, base_path, is_default: self.is_default.is_some() })
            }
            _ => Err(errors),
        }
    }
}

/// An optional base path: slashes at the ends don't matter.
pub fn base_path(field: &str, text: &str) -> Result<Option<Repository>, FieldError> {
    let text = text.trim().trim_matches('/');
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|error: super::image_ref::Malformed| FieldError::new(field, error.0))
}

/// A registry as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registry {
    /// Its id.
    pub id: RegistryId,
    /// What people call it.
    pub name: String,
    /// Host of the credential.
    pub host: RegistryHost,
    /// How to sign in there.
    pub credential: CredentialId,
    /// The credential's name.
    pub credential_name: String,
    /// Whether the credential's last test succeeded.
    pub credential_works: bool,
    /// What comes before `<project>/<service>`.
    pub base_path: Option<Repository>,
    /// Builds use it when nothing else is chosen.
    pub is_default: bool,
    /// Created, Unix seconds.
    pub created_at: i64,
    /// Grows with every change.
    pub version: i64,
}
