//! What may be deleted from registries, and what comes back.

use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::id::RegistryId;
use crate::model::retention::{Policy, Preview, Scope, Trashed};
use async_trait::async_trait;

/// Retention, trash.
#[async_trait]
pub trait RetentionApi: Send + Sync {
    /// The rules of a registry or service; none: nothing is ever deleted.
    async fn policy(&self, actor: &Actor, scope: &Scope) -> Result<Option<Policy>, AppError>;
    /// What a run at a registry would do with the rules as they are, from what is known.
    async fn preview(&self, actor: &Actor, registry: &RegistryId) -> Result<Preview, AppError>;
    /// What was deleted from a registry and may come back, newest first.
    async fn trash(&self, actor: &Actor, registry: &RegistryId) -> Result<Vec<Trashed>, AppError>;
}
