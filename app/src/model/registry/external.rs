//! What is typed for a registry that somebody else runs.

use super::platforms;
use crate::error::FieldError;
use crate::model::id::CredentialId;
use crate::model::image_ref::{Malformed, Repository};
use crate::model::platform::Platform;
use crate::model::text;
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
    /// Platforms that builds to it produce, with commas; empty: the one of the engine that builds.
    #[serde(default)]
    pub platforms: String,
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
    /// Platforms that builds to it produce; empty: the one of the engine that builds.
    pub platforms: Vec<Platform>,
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
        let platforms = platforms("platforms", &self.platforms).map_err(|error| errors.push(error)).unwrap_or_default();
        match (name, credential) {
            (Some(name), Some(credential)) if errors.is_empty() => {
                Ok(RegistryFields { name, credential, base_path, is_default: self.is_default.is_some(), platforms })
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
    text.parse().map(Some).map_err(|error: Malformed| FieldError::new(field, error.0))
}
