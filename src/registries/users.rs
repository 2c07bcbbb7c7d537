//! Who uses a registry: services whose builds go there, and services that run what was pulled from there.

use super::{Registries, store};
use crate::problems;
use app::error::AppError;
use app::model::id::RegistryId;
use app::model::registry::RegistryUser;

impl Registries {
    /// By name.
    pub(super) async fn users_of(&self, id: &RegistryId) -> Result<Vec<RegistryUser>, AppError> {
        self.find(id).await?;
        store::users_of(self.parts.db.read(), id).await.map_err(problems::of)
    }
}
