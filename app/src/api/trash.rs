//! Runs of retention, and what they deleted and can bring back.
#![expect(missing_docs, reason = "the server macro makes structs without documentation")]

use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::id::{JobId, RegistryId, TrashId};
use crate::model::trash::{EmptyForm, RunReport, RunSummary, Trashed};
use crate::{paths, request};
use async_trait::async_trait;
use leptos::prelude::*;

/// Runs and trash.
#[async_trait]
pub trait TrashApi: Send + Sync {
    /// What was deleted from a registry and may come back, newest first.
    async fn trash(&self, actor: &Actor, registry: &RegistryId) -> Result<Vec<Trashed>, AppError>;
    /// The last runs at a registry, newest first.
    async fn runs(&self, actor: &Actor, registry: &RegistryId) -> Result<Vec<RunSummary>, AppError>;
    /// What a run did.
    async fn report(&self, actor: &Actor, registry: &RegistryId, run: &JobId) -> Result<RunReport, AppError>;
    /// Deletes what the rules don't keep, and throws out what was in the trash for long enough. The job says what it did.
    async fn run(&self, actor: &Actor, registry: &RegistryId) -> Result<JobId, AppError>;
    /// Gives a tag back what it led to. `over`: also when it leads to something else by now.
    async fn restore(&self, actor: &Actor, id: &TrashId, over: bool) -> Result<JobId, AppError>;
    /// Throws out all that is in the trash of a registry now.
    async fn empty(&self, actor: &Actor, registry: &RegistryId, form: EmptyForm) -> Result<JobId, AppError>;
}

/// Runs the rules of a registry now.
#[server(prefix = "/api", endpoint = "retention/run")]
pub async fn run_retention(id: RegistryId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let job = backend.trash.run(&actor, &id).await?;
        request::see(paths::retention_run(&id, &job), "The rules run now.")
    })
    .await
}

/// Brings a deleted tag back.
#[server(prefix = "/api", endpoint = "retention/restore")]
pub async fn restore_tag(id: TrashId, #[server(default)] over: Option<String>) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let job = backend.trash.restore(&actor, &id, over.is_some()).await?;
        request::see(paths::job(&job), "The tag is being brought back.")
    })
    .await
}

/// Throws out all that is in the trash.
#[server(prefix = "/api", endpoint = "retention/empty-trash")]
pub async fn empty_trash(id: RegistryId, #[server(default)] form: EmptyForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let job = backend.trash.empty(&actor, &id, form).await?;
        request::see(paths::retention_run(&id, &job), "The trash is being emptied.")
    })
    .await
}
