//! What may be deleted from registries.
#![expect(missing_docs, reason = "the server macro makes structs without documentation")]

use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::id::{JobId, RegistryId, ServiceId};
use crate::model::retention::{Policy, PolicyForm, PreviewPage, PreviewSearch, Scope};
use crate::{paths, request};
use async_trait::async_trait;
use leptos::prelude::*;

/// Retention.
#[async_trait]
pub trait RetentionApi: Send + Sync {
    /// The rules of a registry or service; none: nothing is ever deleted.
    async fn policy(&self, actor: &Actor, scope: &Scope) -> Result<Option<Policy>, AppError>;
    /// Sets the rules of a registry or service. A registry that was never looked at is looked at by a job.
    async fn set_policy(&self, actor: &Actor, scope: &Scope, form: PolicyForm) -> Result<(), AppError>;
    /// Takes the rules of a registry or service away.
    async fn remove_policy(&self, actor: &Actor, scope: &Scope) -> Result<(), AppError>;
    /// A part of what a run at a registry would do with the rules as they are, from what is known.
    async fn preview(
        &self,
        actor: &Actor,
        registry: &RegistryId,
        search: &PreviewSearch,
    ) -> Result<PreviewPage, AppError>;
    /// Looks at a registry anew; the job does it.
    async fn look(&self, actor: &Actor, registry: &RegistryId) -> Result<JobId, AppError>;
}

/// Sets the rules of a registry.
#[server(prefix = "/api", endpoint = "retention/registry-rules")]
pub async fn set_registry_rules(id: RegistryId, form: PolicyForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.retention.set_policy(&actor, &Scope::Registry(id.clone()), form).await?;
        request::see(paths::registry_retention(&id), "Rules saved.")
    })
    .await
}

/// Takes the rules of a registry away.
#[server(prefix = "/api", endpoint = "retention/remove-registry-rules")]
pub async fn remove_registry_rules(id: RegistryId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.retention.remove_policy(&actor, &Scope::Registry(id.clone())).await?;
        request::see(paths::registry_retention(&id), "Rules removed. Nothing is deleted from this registry any more.")
    })
    .await
}

/// Sets what a service keeps in addition.
#[server(prefix = "/api", endpoint = "retention/service-rules")]
pub async fn set_service_rules(id: ServiceId, form: PolicyForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.retention.set_policy(&actor, &Scope::Service(id.clone()), form).await?;
        request::see(paths::service_retention(&id), "Rules saved.")
    })
    .await
}

/// Takes away what a service keeps in addition.
#[server(prefix = "/api", endpoint = "retention/remove-service-rules")]
pub async fn remove_service_rules(id: ServiceId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.retention.remove_policy(&actor, &Scope::Service(id.clone())).await?;
        request::see(paths::service_retention(&id), "Rules removed. The registry's rules alone count now.")
    })
    .await
}

/// Looks at a registry anew.
#[server(prefix = "/api", endpoint = "retention/look")]
pub async fn look_at_registry(id: RegistryId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let job = backend.retention.look(&actor, &id).await?;
        let _ = job;
        request::see(paths::registry_retention(&id), "Slipway looks at the registry.")
    })
    .await
}
