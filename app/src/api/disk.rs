//! Room on disks: what there is, and what is done when it gets tight.

use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::disk::Space;
use async_trait::async_trait;

/// Room on disks.
#[async_trait]
pub trait DiskApi: Send + Sync {
    /// The places that matter, from the last look.
    async fn spaces(&self, actor: &Actor) -> Result<Vec<Space>, AppError>;
}
