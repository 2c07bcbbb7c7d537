//! Places images are pushed to: external ones, which somebody else runs, and managed ones, which Slipway runs.

mod delete;
mod external;
mod garbage;
mod log;
mod managed;
mod managed_form;
mod s3_form;
mod status;

pub use delete::DeleteForm;
pub use external::{RegistryFields, RegistryForm, base_path};
pub use garbage::{Below, Garbage, GarbageForm, GarbageRule, GarbageRun, GarbageWhy};
pub use log::{LogEntry, LogView, MOST_LINES, Severity};
pub use managed::{Managed, Phase, Reach, S3Place, Storage};
pub use managed_form::{ManagedFields, ManagedForm, S3Fields, StorageFields, Suggestions};
pub use s3_form::is_region;
pub use status::{Disk, ManagedState, ManagedStatus, ProbeReport, ProbeStep, TaskLine, UptimeSlot, Usage};

use super::id::{CredentialId, RegistryId, ServiceId};
use super::image_ref::{RegistryHost, Repository};
use super::platform::Platform;
use super::provider::Provider;
use crate::error::FieldError;
use serde::{Deserialize, Serialize};

/// A registry as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registry {
    /// Its id.
    pub id: RegistryId,
    /// What people call it.
    pub name: String,
    /// Host of the credential.
    pub host: RegistryHost,
    /// Whose rules it follows, as the credential says.
    pub provider: Provider,
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
    /// Platforms that builds to it produce; empty: the one of the engine that builds.
    pub platforms: Vec<Platform>,
    /// What there is to know of one that Slipway runs; None: somebody else runs it.
    pub managed: Option<Managed>,
    /// Created, Unix seconds.
    pub created_at: i64,
    /// Grows with every change.
    pub version: i64,
}

/// A service that uses a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryUser {
    /// Which.
    pub service: ServiceId,
    /// Its name.
    pub name: String,
    /// Its builds are pushed there, by its own choice or because it is the default.
    pub builds: bool,
    /// What runs was pulled from there.
    pub runs: bool,
}

/// A list of platforms with commas or spaces between them.
pub fn platforms(field: &str, text: &str) -> Result<Vec<Platform>, FieldError> {
    let mut found: Vec<Platform> = Vec::new();
    for item in text.split([',', ' ', '\n']).map(str::trim).filter(|item| !item.is_empty()) {
        let platform = Platform::try_from(item.to_owned()).map_err(|error| FieldError::new(field, error.0))?;
        if !found.contains(&platform) {
            found.push(platform);
        }
    }
    Ok(found)
}
