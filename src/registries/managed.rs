//! What isn't there yet.

use super::Registries;
use app::error::{AppError, Problem};
use app::model::account::Actor;
use app::model::id::{JobId, RegistryId};
use app::model::secret::Secret;

fn not_yet() -> AppError {
    Problem::new("registry.not_yet", "This isn't there yet.", "Wait for the next version.").into()
}

impl Registries {
    pub(super) async fn ask_for_rotation(&self, _: &Actor, _: &RegistryId) -> Result<JobId, AppError> {
        Err(not_yet())
    }

    pub(super) async fn reveal_login(&self, _: &Actor, _: &RegistryId) -> Result<(String, Secret), AppError> {
        Err(not_yet())
    }
}
