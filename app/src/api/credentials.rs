//! How to sign in at registry hosts.
#![expect(missing_docs, reason = "the server macro makes structs without documentation")]

use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::credential::{Credential, CredentialForm};
use crate::model::id::CredentialId;
use crate::{paths, request};
use async_trait::async_trait;
use leptos::prelude::*;

/// Credentials.
#[async_trait]
pub trait CredentialsApi: Send + Sync {
    /// All, by name.
    async fn list(&self, actor: &Actor) -> Result<Vec<Credential>, AppError>;
    /// One.
    async fn get(&self, actor: &Actor, id: &CredentialId) -> Result<Credential, AppError>;
    /// Tests it against the registry, and keeps it if it works; errors sit on the field that causes them.
    async fn create(&self, actor: &Actor, form: CredentialForm) -> Result<CredentialId, AppError>;
    /// Tests and changes it; an empty password keeps the old one. `version` is the one the form was filled from.
    async fn update(
        &self,
        actor: &Actor,
        id: &CredentialId,
        version: i64,
        form: CredentialForm,
    ) -> Result<(), AppError>;
    /// Tests it again and keeps what was found.
    async fn check(&self, actor: &Actor, id: &CredentialId) -> Result<Credential, AppError>;
    /// Deletes it, unless a registry uses it.
    async fn delete(&self, actor: &Actor, id: &CredentialId) -> Result<(), AppError>;
}

/// Creates a credential.
#[server(prefix = "/api", endpoint = "credentials/create")]
pub async fn create_credential(form: CredentialForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let id = backend.credentials.create(&actor, form).await?;
        request::see(paths::credential(&id), "Credential saved. The registry accepted it.")
    })
    .await
}

/// Changes a credential.
#[server(prefix = "/api", endpoint = "credentials/update")]
pub async fn update_credential(id: CredentialId, version: i64, form: CredentialForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.credentials.update(&actor, &id, version, form).await?;
        request::see(paths::credential(&id), "Credential saved. The registry accepted it.")
    })
    .await
}

/// Tests a credential again.
#[server(prefix = "/api", endpoint = "credentials/check")]
pub async fn check_credential(id: CredentialId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.credentials.check(&actor, &id).await?;
        request::see(paths::credential(&id), "Tested again.")
    })
    .await
}

/// Deletes a credential.
#[server(prefix = "/api", endpoint = "credentials/delete")]
pub async fn delete_credential(id: CredentialId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.credentials.delete(&actor, &id).await?;
        request::see(paths::CREDENTIALS, "Credential deleted.")
    })
    .await
}
