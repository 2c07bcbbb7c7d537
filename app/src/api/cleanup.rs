//! What of our own lies on nodes and may go.

use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::cleanup::{CleanupPlan, CleanupRules};
use async_trait::async_trait;

/// The clean-up on nodes.
#[async_trait]
pub trait CleanupApi: Send + Sync {
    /// The rules.
    async fn rules(&self, actor: &Actor) -> Result<CleanupRules, AppError>;
    /// What a run would do: the last look.
    async fn plan(&self, actor: &Actor) -> Result<CleanupPlan, AppError>;
}
