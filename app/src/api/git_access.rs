//! How to sign in at git hosts.
#![expect(missing_docs, reason = "the server macro makes structs without documentation")]

use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::git_access::{GitAccess, GitAccessForm};
use crate::model::id::GitAccessId;
use crate::model::secret::Secret;
use crate::{paths, request};
use async_trait::async_trait;
use leptos::prelude::*;

/// Accesses to git hosts.
#[async_trait]
pub trait GitAccessApi: Send + Sync {
    /// All, by name.
    async fn list(&self, actor: &Actor) -> Result<Vec<GitAccess>, AppError>;
    /// One.
    async fn get(&self, actor: &Actor, id: &GitAccessId) -> Result<GitAccess, AppError>;
    /// Makes one; for a deploy key, the pair is made here and the host's keys are looked at.
    async fn create(&self, actor: &Actor, form: GitAccessForm) -> Result<GitAccessId, AppError>;
    /// Takes a new token.
    async fn replace_token(&self, actor: &Actor, id: &GitAccessId, token: Secret) -> Result<(), AppError>;
    /// Looks at the host's keys; they wait to be confirmed.
    async fn look(&self, actor: &Actor, id: &GitAccessId) -> Result<(), AppError>;
    /// Confirms the keys that were found; `seen` are their fingerprints as the page showed them.
    async fn trust(&self, actor: &Actor, id: &GitAccessId, seen: &str) -> Result<(), AppError>;
    /// Lists a repository's branches; how many there are.
    async fn test(&self, actor: &Actor, id: &GitAccessId, repository: &str) -> Result<u64, AppError>;
    /// Forgets it; refused while services use it.
    async fn delete(&self, actor: &Actor, id: &GitAccessId) -> Result<(), AppError>;
}

/// Makes an access.
#[server(prefix = "/api", endpoint = "git-accesses/create")]
pub async fn create_git_access(form: GitAccessForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let id = backend.git_accesses.create(&actor, form).await?;
        request::see(paths::git_access(&id), "Access saved.")
    })
    .await
}

/// Takes a new token.
#[server(prefix = "/api", endpoint = "git-accesses/replace-token")]
pub async fn replace_git_token(id: GitAccessId, #[server(default)] token: Secret) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.git_accesses.replace_token(&actor, &id, token).await?;
        request::see(paths::git_access(&id), "Token replaced. The next build uses it.")
    })
    .await
}

/// Looks at a host's keys.
#[server(prefix = "/api", endpoint = "git-accesses/look")]
pub async fn look_at_git_host(id: GitAccessId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.git_accesses.look(&actor, &id).await?;
        request::see(paths::git_access(&id), "")
    })
    .await
}

/// Confirms a host's keys.
#[server(prefix = "/api", endpoint = "git-accesses/trust")]
pub async fn trust_git_host(id: GitAccessId, seen: String) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.git_accesses.trust(&actor, &id, &seen).await?;
        request::see(paths::git_access(&id), "Keys confirmed. From now on the host has to show one of them.")
    })
    .await
}

/// Tries an access at a repository.
#[server(prefix = "/api", endpoint = "git-accesses/test")]
pub async fn test_git_access(id: GitAccessId, #[server(default)] repository: String) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let branches = backend.git_accesses.test(&actor, &id, &repository).await?;
        let branches = match branches {
            1 => "1 branch".to_owned(),
            n => format!("{n} branches"),
        };
        request::see(paths::git_access(&id), &format!("It works: the repository was read, and has {branches}."))
    })
    .await
}

/// Forgets an access.
#[server(prefix = "/api", endpoint = "git-accesses/delete")]
pub async fn delete_git_access(id: GitAccessId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.git_accesses.delete(&actor, &id).await?;
        request::see(paths::GIT_ACCESSES, "Access deleted. Take the token or key away at the host as well.")
    })
    .await
}
