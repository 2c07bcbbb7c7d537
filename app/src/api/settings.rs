//! What the machine can do, and Swarm mode.
#![expect(missing_docs, reason = "the server macro makes structs without documentation")]

use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::build_rules::{BuildRulesForm, RulesInForce};
use crate::model::settings::Host;
use crate::{paths, request};
use async_trait::async_trait;
use leptos::prelude::*;

/// Settings.
#[async_trait]
pub trait SettingsApi: Send + Sync {
    /// What was found when last looked; never asks Docker.
    async fn host(&self) -> Host;
    /// The settings in force, as name and value, without secrets.
    async fn configuration(&self, actor: &Actor) -> Result<Vec<(String, String)>, AppError>;
    /// The rules that hold for all builds.
    async fn build_rules(&self, actor: &Actor) -> Result<RulesInForce, AppError>;
    /// Changes them. A limit of builds counts at once, everything else from the next build on.
    async fn set_build_rules(&self, actor: &Actor, form: BuildRulesForm) -> Result<(), AppError>;
    /// Starts Swarm mode with this advertise address.
    async fn start_swarm(&self, actor: &Actor, advertise_address: &str) -> Result<(), AppError>;
}

/// Starts Swarm mode.
#[server(prefix = "/api", endpoint = "settings/start-swarm")]
pub async fn start_swarm(advertise_address: String) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.settings.start_swarm(&actor, &advertise_address).await?;
        request::see(paths::SETTINGS, "Swarm mode is on.")
    })
    .await
}

/// Changes the rules of builds.
#[server(prefix = "/api", endpoint = "settings/build-rules")]
pub async fn set_build_rules(form: BuildRulesForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.settings.set_build_rules(&actor, form).await?;
        request::see(paths::BUILD_RULES, "Rules saved.")
    })
    .await
}

/// Chooses light, dark, or (empty) the system's look for this browser.
#[server(prefix = "/api", endpoint = "settings/theme")]
pub async fn set_theme(#[server(default)] theme: String) -> Result<(), AppError> {
    request::answer(async {
        request::signed_in()?;
        let (value, age) = match theme.as_str() {
            "light" => ("light", 31_536_000),
            "dark" => ("dark", 31_536_000),
            _ => ("", 0),
        };
        let cookie = format!("theme={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax");
        if let (Some(response), Ok(cookie)) =
            (use_context::<leptos_axum::ResponseOptions>(), http::HeaderValue::from_str(&cookie))
        {
            response.append_header(http::header::SET_COOKIE, cookie);
        }
        request::see(request::page(), "")
    })
    .await
}
