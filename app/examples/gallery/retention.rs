//! Samples of what may be deleted from registries.

use super::Samples;
use app::api::retention::RetentionApi;
use app::error::AppError;
use app::model::account::Actor;
use app::model::id::RegistryId;
use app::model::retention::{Policy, Preview, Scope, Trashed};
use async_trait::async_trait;

/// All pages there are of it.
pub fn paths() -> Vec<String> {
    Vec::new()
}

#[async_trait]
impl RetentionApi for Samples {
    async fn policy(&self, _: &Actor, _: &Scope) -> Result<Option<Policy>, AppError> {
        Ok(None)
    }

    async fn preview(&self, _: &Actor, _: &RegistryId) -> Result<Preview, AppError> {
        Ok(Preview::default())
    }

    async fn trash(&self, _: &Actor, _: &RegistryId) -> Result<Vec<Trashed>, AppError> {
        Ok(Vec::new())
    }
}
