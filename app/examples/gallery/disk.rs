//! Samples of room on disks.

use super::Samples;
use app::api::disk::DiskApi;
use app::error::AppError;
use app::model::account::Actor;
use app::model::disk::Space;
use async_trait::async_trait;

/// All pages there are of it.
pub fn paths() -> Vec<String> {
    Vec::new()
}

#[async_trait]
impl DiskApi for Samples {
    async fn spaces(&self, _: &Actor) -> Result<Vec<Space>, AppError> {
        Ok(Vec::new())
    }
}
