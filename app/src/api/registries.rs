//! Places images are pushed to.
#![expect(missing_docs, reason = "the server macro makes structs without documentation")]

use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::id::RegistryId;
use crate::model::registry::{Registry, RegistryForm};
use crate::{paths, request};
use async_trait::async_trait;
use leptos::prelude::*;

/// Registries.
#[async_trait]
pub trait RegistriesApi: Send + Sync {
    /// All; the default first, then by name.
    async fn list(&self, actor: &Actor) -> Result<Vec<Registry>, AppError>;
    /// One.
    async fn get(&self, actor: &Actor, id: &RegistryId) -> Result<Registry, AppError>;
    /// Creates an external one; the first becomes the default.
    async fn create(&self, actor: &Actor, form: RegistryForm) -> Result<RegistryId, AppError>;
    /// Changes it. `version` is the one the form was filled from.
    async fn update(&self, actor: &Actor, id: &RegistryId, version: i64, form: RegistryForm) -> Result<(), AppError>;
    /// Makes it the default one.
    async fn make_default(&self, actor: &Actor, id: &RegistryId) -> Result<(), AppError>;
    /// Deletes it, unless services push there or it is the default while others exist.
    async fn delete(&self, actor: &Actor, id: &RegistryId) -> Result<(), AppError>;
}

/// Creates an external registry.
#[server(prefix = "/api", endpoint = "registries/create")]
pub async fn create_registry(form: RegistryForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let id = backend.registries.create(&actor, form).await?;
        request::see(paths::registry(&id), "Registry saved.")
    })
    .await
}

/// Changes a registry.
#[server(prefix = "/api", endpoint = "registries/update")]
pub async fn update_registry(id: RegistryId, version: i64, form: RegistryForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.registries.update(&actor, &id, version, form).await?;
        request::see(paths::registry(&id), "Registry saved.")
    })
    .await
}

/// Makes a registry the default one.
#[server(prefix = "/api", endpoint = "registries/make-default")]
pub async fn make_default_registry(id: RegistryId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.registries.make_default(&actor, &id).await?;
        request::see(paths::registry(&id), "This is now the default registry.")
    })
    .await
}

/// Deletes a registry.
#[server(prefix = "/api", endpoint = "registries/delete")]
pub async fn delete_registry(id: RegistryId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.registries.delete(&actor, &id).await?;
        request::see(paths::REGISTRIES, "Registry deleted. Its images are untouched.")
    })
    .await
}
