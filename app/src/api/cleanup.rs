//! What of our own lies on nodes and may go.
#![expect(missing_docs, reason = "the server macro makes structs without documentation")]

use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::cleanup::{CleanupPlan, CleanupRules, CleanupRulesForm, CleanupRun};
use crate::model::id::JobId;
use crate::{paths, request};
use async_trait::async_trait;
use leptos::prelude::*;

/// The clean-up on nodes.
#[async_trait]
pub trait CleanupApi: Send + Sync {
    /// The rules.
    async fn rules(&self, actor: &Actor) -> Result<CleanupRules, AppError>;
    /// Changes them.
    async fn set_rules(&self, actor: &Actor, form: CleanupRulesForm) -> Result<(), AppError>;
    /// What a run would do: the last look.
    async fn plan(&self, actor: &Actor) -> Result<CleanupPlan, AppError>;
    /// Has nodes looked at now; doesn't wait.
    async fn look(&self, actor: &Actor) -> Result<(), AppError>;
    /// Asks for a job that cleans up.
    async fn run(&self, actor: &Actor) -> Result<JobId, AppError>;
    /// The last runs, newest first.
    async fn runs(&self, actor: &Actor) -> Result<Vec<CleanupRun>, AppError>;
}

/// Changes the rules of the clean-up.
#[server(prefix = "/api", endpoint = "cleanup/rules")]
pub async fn set_cleanup_rules(form: CleanupRulesForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.cleanup.set_rules(&actor, form).await?;
        request::see(paths::CLEANUP, "Rules saved.")
    })
    .await
}

/// Has nodes looked at.
#[server(prefix = "/api", endpoint = "cleanup/look")]
pub async fn look_at_nodes() -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.cleanup.look(&actor).await?;
        request::see(paths::CLEANUP, "Slipway looks now.")
    })
    .await
}

/// Cleans up.
#[server(prefix = "/api", endpoint = "cleanup/run")]
pub async fn run_cleanup() -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let job = backend.cleanup.run(&actor).await?;
        request::see(paths::job(&job), "")
    })
    .await
}
