//! What people ask for around the way back: pins, the window, the pause.
#![expect(missing_docs, reason = "the server macro makes structs without documentation")]

use crate::error::AppError;
use crate::model::id::{DeploymentId, ServiceId};
use crate::model::standing::{Back, keep_of};
use crate::{paths, request};
use leptos::prelude::*;

/// Goes back to a deployment; `what` is `all` or `image`.
#[server(prefix = "/api", endpoint = "services/roll-back")]
pub async fn roll_back(to: DeploymentId, #[server(default)] what: String) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let what = Back::read(&what).ok_or_else(|| AppError::field("what", "Choose what comes back."))?;
        let id = backend.services.roll_back(&actor, &to, what).await?;
        request::see(paths::deployment(&id), "")
    })
    .await
}

/// Looks now whether a deployment could come back.
#[server(prefix = "/api", endpoint = "services/check-readiness")]
pub async fn check_readiness(id: DeploymentId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let found = backend.services.check_readiness(&actor, &id).await?;
        request::see(paths::roll_back(&id), &format!("{}. {}", found.word(), found.reason))
    })
    .await
}

/// Keeps a deployment for ever, or no longer: `on` is `yes` or nothing.
#[server(prefix = "/api", endpoint = "services/pin")]
pub async fn pin(id: DeploymentId, #[server(default)] on: String) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let on = on == "yes";
        backend.services.pin(&actor, &id, on).await?;
        let said = if on { "Pinned: its image is kept for ever." } else { "No longer pinned." };
        request::see(paths::deployment(&id), said)
    })
    .await
}

/// How many deployments of a service stay ready.
#[server(prefix = "/api", endpoint = "services/keep")]
pub async fn set_keep(service: ServiceId, #[server(default)] keep: String) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.services.set_keep(&actor, &service, keep_of(&keep)?).await?;
        request::see(paths::service(&service), "Saved. That many deployments stay ready.")
    })
    .await
}

/// Pushes are deployed again; with `deploy` = `yes` also the build that waits.
#[server(prefix = "/api", endpoint = "services/resume")]
pub async fn resume(service: ServiceId, #[server(default)] deploy: String) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        match backend.services.resume(&actor, &service, deploy == "yes").await? {
            Some(deployment) => request::see(paths::deployment(&deployment), ""),
            None => request::see(paths::service(&service), "Pushes are deployed again, from the next one on."),
        }
    })
    .await
}
