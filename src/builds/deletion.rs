//! Notices that the registry of a build is deleted while the build waits or runs: the build ends at once, and says so.
//!
//! What must always hold: nothing waits for a registry that is going away, neither the build nor the deletion.

use super::Builds;
use crate::jobs::JobError;
use crate::problems;
use app::error::Problem;
use app::model::id::RegistryId;
use app::model::image_ref::ImageRef;
use app::paths;
use std::time::Duration;

/// Between two looks while buildx runs.
const EVERY: Duration = Duration::from_millis(500);

impl Builds {
    /// Whether the registry is gone or going. A database that fails now says so at its next use.
    pub(super) async fn is_deleted(&self, registry: &RegistryId) -> bool {
        match self.inner.registries.is_deleted(registry).await {
            Ok(is_deleted) => is_deleted,
            Err(error) => {
                tracing::warn!(registry.id = %registry, cause = %problems::chain(&error), "a registry can't be looked up");
                false
            }
        }
    }

    /// Ends when the registry is gone or going.
    pub(super) async fn deletion(&self, registry: &RegistryId) {
        while !self.is_deleted(registry).await {
            tokio::time::sleep(EVERY).await;
        }
    }

    /// What went wrong at a registry, or that it was deleted, which explains it better. `name` is what people call it.
    pub(super) async fn unless_deleted(&self, registry: &RegistryId, name: &str, error: JobError) -> JobError {
        match error {
            JobError::Fail(problem) if self.is_deleted(registry).await => {
                JobError::Fail(told(name).with_details(problem.to_string()))
            }
            error => error,
        }
    }
}

/// For people.
pub(super) fn told(name: &str) -> Problem {
    Problem::new(
        "registry.deleted",
        format!("{name} was deleted while this build waited or ran, so its image has nowhere to go."),
        "Build again: the registry is then chosen anew, by the service or the default.",
    )
    .with_link(paths::REGISTRIES, "See the registries")
}

/// What to call a registry whose name is known.
pub(super) fn called(name: &str) -> String {
    format!("The registry {name}")
}

/// What to call one whose name is gone with it.
pub(super) fn at(reference: Option<&ImageRef>) -> String {
    reference.map_or_else(|| "The registry".into(), |reference| format!("The registry at {}", reference.host))
}
