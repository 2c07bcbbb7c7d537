//! Registries that Slipway runs: what is asked for, and the jobs that do it.

use super::Registries;
use crate::jobs::Handler;
use app::error::{AppError, Problem};
use app::model::account::Actor;
use app::model::id::{JobId, RegistryId};
use app::model::registry::{ManagedForm, Suggestions};
use app::model::secret::Secret;
use std::sync::Arc;

/// All jobs about managed registries.
pub(super) fn handlers(registries: &Registries) -> Vec<Arc<dyn Handler>> {
    let _ = registries;
    Vec::new()
}

fn not_yet() -> AppError {
    Problem::new("registry.not_yet", "This isn't there yet.", "Wait for the next version.").into()
}

impl Registries {
    pub(super) async fn suggest(&self) -> Result<Suggestions, AppError> {
        Ok(Suggestions::default())
    }

    pub(super) async fn ask_for_creation(&self, _: &Actor, _: ManagedForm) -> Result<(RegistryId, JobId), AppError> {
        Err(not_yet())
    }

    pub(super) async fn ask_for_change(
        &self,
        _: &Actor,
        _: &RegistryId,
        _: i64,
        _: ManagedForm,
    ) -> Result<Option<JobId>, AppError> {
        Err(not_yet())
    }

    pub(super) async fn ask_for_retry(&self, _: &Actor, _: &RegistryId) -> Result<JobId, AppError> {
        Err(not_yet())
    }

    pub(super) async fn ask_for_restart(&self, _: &Actor, _: &RegistryId) -> Result<JobId, AppError> {
        Err(not_yet())
    }

    pub(super) async fn ask_for_rotation(&self, _: &Actor, _: &RegistryId) -> Result<JobId, AppError> {
        Err(not_yet())
    }

    /// Brings the Swarm back to what should be. `why` is what was found, for the job's log and title.
    pub(super) async fn ask_for_repair(&self, _: &RegistryId, why: &str) -> Result<JobId, AppError> {
        let _ = why;
        Err(not_yet())
    }

    pub(super) async fn reveal_login(&self, _: &Actor, _: &RegistryId) -> Result<(String, Secret), AppError> {
        Err(not_yet())
    }
}
