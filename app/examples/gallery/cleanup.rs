//! Samples of what of our own lies on nodes.

use super::Samples;
use app::api::cleanup::CleanupApi;
use app::error::AppError;
use app::model::account::Actor;
use app::model::cleanup::{CleanupPlan, CleanupRules};
use async_trait::async_trait;

/// All pages there are of it.
pub fn paths() -> Vec<String> {
    Vec::new()
}

#[async_trait]
impl CleanupApi for Samples {
    async fn rules(&self, _: &Actor) -> Result<CleanupRules, AppError> {
        Ok(CleanupRules::default())
    }

    async fn plan(&self, _: &Actor) -> Result<CleanupPlan, AppError> {
        Ok(CleanupPlan::default())
    }
}
