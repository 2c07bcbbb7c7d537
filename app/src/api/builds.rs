//! Runs that turn commits into images.
#![expect(missing_docs, reason = "the server macro makes structs without documentation")]

use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::build::Build;
use crate::model::id::{BuildId, ServiceId};
use crate::model::push_name::{Named, Typed};
use crate::model::queue::{Move, QueuedBuild};
use crate::model::service_form::ServiceForm;
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
    /// Those that wait, in their order.
    async fn queue(&self, actor: &Actor) -> Result<Vec<QueuedBuild>, AppError>;
    /// An attestation of its record, as it was pushed; None: it isn't kept.
    async fn statement(&self, actor: &Actor, id: &BuildId, position: usize) -> Result<Option<String>, AppError>;
    /// Queues a build of the branch's newest commit. Refused at once when there is no registry to push to.
    async fn start(
        &self,
        actor: &Actor,
        service: &ServiceId,
        deploy: bool,
        no_cache: bool,
    ) -> Result<BuildId, AppError>;
    /// Queues a build of the same commit as one that is over.
    async fn again(&self, actor: &Actor, id: &BuildId, no_cache: bool) -> Result<BuildId, AppError>;
    /// Moves one among those that wait.
    async fn reorder(&self, actor: &Actor, id: &BuildId, to: Move) -> Result<(), AppError>;
    /// Proves the right to push under the name that is typed: opens an upload session there and cancels it.
    async fn check_push(&self, actor: &Actor, typed: &Typed) -> Result<Named, AppError>;
    /// Stops it; ends within 15 s.
    async fn cancel(&self, actor: &Actor, id: &BuildId) -> Result<(), AppError>;
}

/// Queues a build, and a deployment of what it makes when `deploy` is `yes`.
#[server(prefix = "/api", endpoint = "builds/start")]
pub async fn start_build(
    service: ServiceId,
    #[server(default)] deploy: String,
    #[server(default)] no_cache: String,
) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let id = backend.builds.start(&actor, &service, deploy == "yes", no_cache == "yes").await?;
        request::see(paths::build(&id), "")
    })
    .await
}

/// Queues a build of the same commit, with nothing from the cache when `no_cache` is `yes`.
#[server(prefix = "/api", endpoint = "builds/again")]
pub async fn build_again(id: BuildId, #[server(default)] no_cache: String) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let id = backend.builds.again(&actor, &id, no_cache == "yes").await?;
        request::see(paths::build(&id), "")
    })
    .await
}

/// Moves a build among those that wait; `to` is `front`, `up` or `down`.
#[server(prefix = "/api", endpoint = "builds/move")]
pub async fn move_build(id: BuildId, to: String) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let to = to.parse().map_err(|_| AppError::field("to", "Choose front, up or down."))?;
        backend.builds.reorder(&actor, &id, to).await?;
        request::see(request::page(), "")
    })
    .await
}

/// Stops a build.
#[server(prefix = "/api", endpoint = "builds/cancel")]
pub async fn cancel_build(id: BuildId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.builds.cancel(&actor, &id).await?;
        request::see(request::page(), "Stopping the build.")
    })
    .await
}

/// Proves the right to push a service's images, before any build.
#[server(prefix = "/api", endpoint = "builds/check-push")]
pub async fn check_push(service: ServiceId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let service = backend.services.get(&actor, &service).await?;
        let source = service.source.git().ok_or_else(|| AppError::NotFound("build".into()))?;
        let named = backend.builds.check_push(&actor, &Typed::of(&service, source)).await?;
        request::see(paths::service(&service.id), &may_push(&named))
    })
    .await
}

/// The same for what is typed into the service form, which stays as it is. `id`: the service that is edited.
#[server(prefix = "/api", endpoint = "builds/check-form")]
pub async fn check_form(form: ServiceForm, #[server(default)] id: String) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let named = backend.builds.check_push(&actor, &Typed::of_form(&form, id.parse().ok())).await?;
        request::stay(&may_push(&named))
    })
    .await
}

/// What is said when the right to push was proved.
pub fn may_push(named: &Named) -> String {
    format!("Slipway may push to {}: an upload was opened there, and cancelled.", named.repository_shown())
}
