//! Tokens for programs.
#![expect(missing_docs, reason = "the server macro makes structs without documentation")]

use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::id::TokenId;
use crate::model::secret::Secret;
use crate::model::token::{Token, TokenForm};
use crate::{paths, request};
use async_trait::async_trait;
use leptos::prelude::*;

/// A program that showed a good token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// Which token.
    pub token: TokenId,
    /// In whose name it acts: its owner, or a reader when the token is for reading.
    pub actor: Actor,
}

/// Why a token isn't accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenRefusal {
    /// It isn't one, or none that is known.
    Unknown,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
    /// Too many were refused from this address, or we failed.
    Other(AppError),
}

/// API tokens of accounts.
#[async_trait]
pub trait TokensApi: Send + Sync {
    /// Those of this account: the good ones by name, then the others.
    async fn list(&self, actor: &Actor) -> Result<Vec<Token>, AppError>;
    /// Makes one. Its text is known now and never again.
    async fn create(&self, actor: &Actor, form: TokenForm) -> Result<(TokenId, Secret), AppError>;
    /// Keeps the text of a new one in memory, for the one look of the page that follows.
    async fn show_once(&self, actor: &Actor, id: &TokenId, text: Secret);
    /// That look. None: it was taken, its time is over, or it is somebody else's.
    async fn take_shown(&self, actor: &Actor, id: &TokenId) -> Option<Secret>;
    /// From now on it isn't accepted any more.
    async fn revoke(&self, actor: &Actor, id: &TokenId) -> Result<(), AppError>;
    /// Who shows this token. Those who show wrong ones have to wait; good ones never do.
    async fn authenticate(&self, from: std::net::IpAddr, text: &Secret) -> Result<Bearer, TokenRefusal>;
    /// Whether a token is still accepted; open streams ask this every few seconds.
    async fn is_good(&self, id: &TokenId) -> Result<bool, AppError>;
}

/// Makes a token; the page shows its text once.
#[server(prefix = "/api", endpoint = "tokens/create")]
pub async fn create_token(form: TokenForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let (id, text) = backend.tokens.create(&actor, form).await?;
        backend.tokens.show_once(&actor, &id, text).await;
        request::see(paths::new_token(&id), "")
    })
    .await
}

/// Revokes a token.
#[server(prefix = "/api", endpoint = "tokens/revoke")]
pub async fn revoke_token(id: TokenId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.tokens.revoke(&actor, &id).await?;
        request::see(paths::TOKENS, "Token revoked. Programs that use it are refused from now on.")
    })
    .await
}
