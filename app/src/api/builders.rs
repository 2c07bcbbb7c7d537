//! What runs builds.
#![expect(missing_docs, reason = "the server macro makes structs without documentation")]

use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::builder::{Builder, BuilderForm, NodeForm, WhichBuilder};
use crate::model::id::{BuilderId, JobId};
use crate::{paths, request};
use async_trait::async_trait;
use leptos::prelude::*;

/// What runs builds.
#[async_trait]
pub trait BuildersApi: Send + Sync {
    /// The engine's own, then those that were added, by name; as they were when last looked at.
    async fn list(&self, actor: &Actor) -> Result<Vec<Builder>, AppError>;
    /// One, as it was when last looked at.
    async fn get(&self, actor: &Actor, which: &WhichBuilder) -> Result<Builder, AppError>;
    /// Adds one. Whether it builds shows when it was looked at, which begins at once.
    async fn create(&self, actor: &Actor, form: BuilderForm) -> Result<BuilderId, AppError>;
    /// Changes it. `version` is the one the form was filled from. The engine's has a limit alone.
    async fn update(
        &self,
        actor: &Actor,
        which: &WhichBuilder,
        version: i64,
        form: BuilderForm,
    ) -> Result<(), AppError>;
    /// Adds a machine to one that is elsewhere.
    async fn add_node(&self, actor: &Actor, id: &BuilderId, form: NodeForm) -> Result<(), AppError>;
    /// Takes a machine from it.
    async fn remove_node(&self, actor: &Actor, id: &BuilderId, number: u32) -> Result<(), AppError>;
    /// Has it looked at now; doesn't wait.
    async fn check(&self, actor: &Actor, which: &WhichBuilder) -> Result<(), AppError>;
    /// Asks for a job that empties its cache, and no other builder's.
    async fn clear_cache(&self, actor: &Actor, which: &WhichBuilder) -> Result<JobId, AppError>;
    /// Forgets it; its containers go. Refused while it builds.
    async fn delete(&self, actor: &Actor, id: &BuilderId) -> Result<(), AppError>;
}

/// Adds a builder.
#[server(prefix = "/api", endpoint = "builders/create")]
pub async fn create_builder(form: BuilderForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let id = backend.builders.create(&actor, form).await?;
        request::see(paths::builder(&WhichBuilder::Added(id)), "Builder saved. Slipway looks now whether it builds.")
    })
    .await
}

/// Changes a builder.
#[server(prefix = "/api", endpoint = "builders/update")]
pub async fn update_builder(id: WhichBuilder, version: i64, form: BuilderForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.builders.update(&actor, &id, version, form).await?;
        request::see(paths::builder(&id), "Builder saved.")
    })
    .await
}

/// Adds a machine to a builder.
#[server(prefix = "/api", endpoint = "builders/add-machine")]
pub async fn add_builder_machine(id: BuilderId, form: NodeForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.builders.add_node(&actor, &id, form).await?;
        request::see(paths::builder(&WhichBuilder::Added(id)), "Machine added. Slipway looks now whether it builds.")
    })
    .await
}

/// Takes a machine from a builder.
#[server(prefix = "/api", endpoint = "builders/remove-machine")]
pub async fn remove_builder_machine(id: BuilderId, number: u32) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.builders.remove_node(&actor, &id, number).await?;
        request::see(paths::builder(&WhichBuilder::Added(id)), "Machine removed.")
    })
    .await
}

/// Has a builder looked at.
#[server(prefix = "/api", endpoint = "builders/check")]
pub async fn check_builder(id: WhichBuilder) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.builders.check(&actor, &id).await?;
        request::see(paths::builder(&id), "Slipway looks now.")
    })
    .await
}

/// Empties a builder's cache.
#[server(prefix = "/api", endpoint = "builders/clear-cache")]
pub async fn clear_builder_cache(id: WhichBuilder) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let job = backend.builders.clear_cache(&actor, &id).await?;
        request::see(paths::job(&job), "")
    })
    .await
}

/// Forgets a builder.
#[server(prefix = "/api", endpoint = "builders/delete")]
pub async fn delete_builder(id: BuilderId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.builders.delete(&actor, &id).await?;
        request::see(paths::BUILDERS, "Builder deleted.")
    })
    .await
}
