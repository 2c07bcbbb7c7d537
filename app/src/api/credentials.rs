//! How to sign in at registry hosts.
#![expect(missing_docs, reason = "the server macro makes structs without documentation")]

use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::credential::{Credential, CredentialForm, ImportForm, ImportLine, ImportPick, ImportText};
use crate::model::id::{CredentialId, ImportId};
use crate::model::text;
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
    /// Examines it in full and keeps what was found, light by light.
    async fn check(&self, actor: &Actor, id: &CredentialId) -> Result<Credential, AppError>;
    /// Deletes it, unless a registry or a service uses it.
    async fn delete(&self, actor: &Actor, id: &CredentialId) -> Result<(), AppError>;
    /// Finds the logins in a `docker login` command line or a `config.json`; they wait, sealed, for half an hour.
    async fn read_logins(&self, actor: &Actor, text: ImportText) -> Result<ImportId, AppError>;
    /// The logins that were found, and what became of each.
    async fn found_logins(&self, actor: &Actor, id: &ImportId) -> Result<Vec<ImportLine>, AppError>;
    /// Tests and keeps those that are ticked. One that fails doesn't stop the others; how many became credentials.
    async fn import_logins(&self, actor: &Actor, id: &ImportId, picks: Vec<ImportPick>) -> Result<usize, AppError>;
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

/// Finds the logins in a pasted text or an uploaded file.
#[server(prefix = "/api", endpoint = "credentials/read")]
pub async fn read_logins(form: ImportText) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let id = backend.credentials.read_logins(&actor, form).await?;
        request::see(paths::import(&id), "")
    })
    .await
}

/// Imports what is ticked.
#[server(prefix = "/api", endpoint = "credentials/import")]
pub async fn import_logins(id: ImportId, form: ImportForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let done = backend.credentials.import_logins(&actor, &id, form.lines).await?;
        let done = text::count(u64::try_from(done).unwrap_or_default(), "credential");
        request::see(paths::import(&id), &format!("{done} imported."))
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
