//! First run, signing in and out.
#![expect(missing_docs, reason = "the server macro makes structs without documentation")]

use crate::error::AppError;
use crate::model::account::{Actor, PasswordForm, SessionInfo, SetupForm, SignInForm};
use crate::{paths, request};
use async_trait::async_trait;
use leptos::prelude::*;

/// Where a request comes from, as far as limits and the record need it.
#[derive(Clone, Debug)]
pub struct Client {
    /// The peer's address.
    pub address: std::net::IpAddr,
    /// A random token that this browser got when it signed in before, or gets when it signs in now; limits on guessing
    /// count browsers apart that signed in before.
    pub known_device: Option<String>,
}

/// People and sign-in.
#[async_trait]
pub trait AccountsApi: Send + Sync {
    /// Whether nobody has been created yet, so that only the set-up page answers.
    async fn needs_setup(&self) -> Result<bool, AppError>;
    /// Creates the owner with the one-time token, once.
    async fn set_up(&self, client: &Client, form: SetupForm) -> Result<Actor, AppError>;
    /// Checks name and password; errors say how long to wait when there were too many tries.
    async fn sign_in(&self, client: &Client, form: SignInForm) -> Result<Actor, AppError>;
    /// Changes the own password; every other session ends.
    async fn change_password(&self, actor: &Actor, session: &str, form: PasswordForm) -> Result<(), AppError>;
    /// The sessions of this account.
    async fn sessions(&self, actor: &Actor, session: &str) -> Result<Vec<SessionInfo>, AppError>;
    /// Ends every session of this account, this one too.
    async fn sign_out_everywhere(&self, actor: &Actor) -> Result<(), AppError>;
}

/// Creates the owner and signs in.
#[server(prefix = "/api", endpoint = "accounts/set-up")]
pub async fn set_up(form: SetupForm) -> Result<(), AppError> {
    request::answer(async {
        let actor = request::backend().accounts.set_up(&request::client(), form).await?;
        request::sign_in(actor).await?;
        request::see(paths::OVERVIEW, "Welcome. You are signed in as the owner.")
    })
    .await
}

/// Signs in.
#[server(prefix = "/api", endpoint = "accounts/sign-in")]
pub async fn sign_in(form: SignInForm) -> Result<(), AppError> {
    request::answer(async {
        let actor = request::backend().accounts.sign_in(&request::client(), form).await?;
        request::sign_in(actor).await?;
        request::see(request::next_page().unwrap_or_else(|| paths::OVERVIEW.into()), "")
    })
    .await
}

/// Signs out here.
#[server(prefix = "/api", endpoint = "accounts/sign-out")]
pub async fn sign_out() -> Result<(), AppError> {
    request::answer(async {
        request::sign_out().await?;
        request::see(paths::SIGN_IN, "")
    })
    .await
}

/// Signs out on every browser.
#[server(prefix = "/api", endpoint = "accounts/sign-out-everywhere")]
pub async fn sign_out_everywhere() -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.accounts.sign_out_everywhere(&actor).await?;
        request::sign_out().await?;
        request::see(paths::SIGN_IN, "")
    })
    .await
}

/// Changes the own password.
#[server(prefix = "/api", endpoint = "accounts/change-password")]
pub async fn change_password(form: PasswordForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.accounts.change_password(&actor, &request::session_id()?, form).await?;
        request::sign_in(actor).await?;
        request::see(paths::SETTINGS, "Password changed. Other browsers are signed out.")
    })
    .await
}
