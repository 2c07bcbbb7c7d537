//! Runs that turn commits into images.
#![expect(missing_docs, reason = "the server macro makes structs without documentation")]

use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::build::Build;
use crate::model::id::{BuildId, ServiceId};
use crate::{paths, request};
use async_trait::async_trait;
use leptos::prelude::*;

/// Builds.
#[async_trait]
pub trait BuildsApi: Send + Sync {
    /// The newest, of all services or of one.
    async fn list(&self, actor: &Actor, of: Option<&ServiceId>, limit: u32) -> Result<Vec<Build>, AppError>;
    /// One.
    async fn get(&self, actor: &Actor, id: &BuildId) -> Result<Build, AppError>;
    /// Queues a build of the branch's newest commit. Refused at once when there is no registry to push to.
    async fn start(&self, actor: &Actor, service: &ServiceId, deploy: bool) -> Result<BuildId, AppError>;
    /// Stops it; ends within 15 s.
    async fn cancel(&self, actor: &Actor, id: &BuildId) -> Result<(), AppError>;
}

/// Queues a build, and a deployment of what it makes when `deploy` is `yes`.
#[server(prefix = "/api", endpoint = "builds/start")]
pub async fn start_build(service: ServiceId, #[server(default)] deploy: String) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let id = backend.builds.start(&actor, &service, deploy == "yes").await?;
        request::see(paths::build(&id), "")
    })
    .await
}

/// Stops a build.
#[server(prefix = "/api", endpoint = "builds/cancel")]
pub async fn cancel_build(id: BuildId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.builds.cancel(&actor, &id).await?;
        request::see(paths::build(&id), "Stopping the build.")
    })
    .await
}
