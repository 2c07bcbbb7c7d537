//! What runs in the Swarm, and its versions.
#![expect(missing_docs, reason = "the server macro makes structs without documentation")]

use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::build_form::BuildForm;
use crate::model::diff::Change;
use crate::model::id::{DeploymentId, ServiceId};
use crate::model::platform::Platform;
use crate::model::service::{Deployment, Service, ServiceForm, ServiceSummary, Task};
use crate::model::standing::{Back, Readiness, Standing};
use crate::model::tag_watch::TagWatch;
use crate::{paths, request};
use async_trait::async_trait;
use leptos::prelude::*;

/// Services and deployments.
#[async_trait]
pub trait ServicesApi: Send + Sync {
    /// All, by project and name.
    async fn list(&self, actor: &Actor) -> Result<Vec<ServiceSummary>, AppError>;
    /// The names of the projects that exist.
    async fn projects(&self, actor: &Actor) -> Result<Vec<String>, AppError>;
    /// One.
    async fn get(&self, actor: &Actor, id: &ServiceId) -> Result<Service, AppError>;
    /// Creates it, and its project when that is new.
    async fn create(&self, actor: &Actor, form: ServiceForm) -> Result<ServiceId, AppError>;
    /// Changes it; takes effect with the next deployment that isn't a way back. It keeps its kind of source. `version` is the one the form was filled from.
    async fn update(&self, actor: &Actor, id: &ServiceId, version: i64, form: ServiceForm) -> Result<(), AppError>;
    /// Changes how its images are built; takes effect with the next build.
    async fn change_build(&self, actor: &Actor, id: &ServiceId, version: i64, form: BuildForm) -> Result<(), AppError>;
    /// Removes its Swarm service and keeps its history.
    async fn delete(&self, actor: &Actor, id: &ServiceId) -> Result<(), AppError>;
    /// Its tasks as Docker has them now, from the last look; with the age of that look in seconds.
    async fn tasks(&self, actor: &Actor, id: &ServiceId) -> Result<(Vec<Task>, i64), AppError>;
    /// Platforms of nodes that never run it, because its image isn't for them; from the last look.
    async fn uncovered(&self, actor: &Actor, id: &ServiceId) -> Result<Vec<Platform>, AppError>;
    /// Its versions, newest first.
    async fn deployments(&self, actor: &Actor, id: &ServiceId) -> Result<Vec<Deployment>, AppError>;
    /// One version.
    async fn deployment(&self, actor: &Actor, id: &DeploymentId) -> Result<Deployment, AppError>;
    /// Deploys the image of a service that isn't built here: by the digest that its tag leads to now. Asks the registry.
    async fn deploy_image(&self, actor: &Actor, id: &ServiceId) -> Result<DeploymentId, AppError>;
    /// Starts what runs anew: the same image, the same settings.
    async fn restart(&self, actor: &Actor, id: &ServiceId) -> Result<DeploymentId, AppError>;
    /// Changes the number of copies of what runs, as typed, and of what is deployed later. Tasks that stay go on.
    async fn scale(&self, actor: &Actor, id: &ServiceId, replicas: &str) -> Result<DeploymentId, AppError>;
    /// What is different between two versions; values of variables and secrets are compared and never told.
    async fn changes(
        &self,
        actor: &Actor,
        before: &DeploymentId,
        after: &DeploymentId,
    ) -> Result<Vec<Change>, AppError>;
    /// What each of the newest versions changed against the one before it, newest first.
    async fn histories(&self, actor: &Actor, id: &ServiceId) -> Result<Vec<(DeploymentId, Vec<Change>)>, AppError>;
    /// What is known about the tag of its image; None: nobody looks after it.
    async fn tag_watch(&self, actor: &Actor, id: &ServiceId) -> Result<Option<TagWatch>, AppError>;
    /// Asks the registry now which digest the tag leads to. The deployment that follows, if one does.
    async fn look_at_tag(&self, actor: &Actor, id: &ServiceId) -> Result<Option<DeploymentId>, AppError>;
    /// Goes back to a version: a new deployment of the same digest, with its settings or those of now, without clone and
    /// build. Pushes are built but not deployed from then on. Refused when it is known that it can't come up.
    async fn roll_back(&self, actor: &Actor, to: &DeploymentId, what: Back) -> Result<DeploymentId, AppError>;
    /// Stops a deployment that is under way and restores what was before.
    async fn cancel_deployment(&self, actor: &Actor, id: &DeploymentId) -> Result<(), AppError>;
    /// What is known of a service's versions: which could come back, which are pinned, whether pushes are deployed. From
    /// memory and the database.
    async fn standing(&self, actor: &Actor, id: &ServiceId) -> Result<Standing, AppError>;
    /// The services that don't deploy pushes now, each with since when (Unix seconds).
    async fn paused(&self, actor: &Actor) -> Result<Vec<(ServiceId, i64)>, AppError>;
    /// Looks now whether a deployment could come up. Asks the registry.
    async fn check_readiness(&self, actor: &Actor, id: &DeploymentId) -> Result<Readiness, AppError>;
    /// Keeps a deployment for ever, or no longer.
    async fn pin(&self, actor: &Actor, id: &DeploymentId, on: bool) -> Result<(), AppError>;
    /// How many deployments stay ready, from [`crate::model::standing::KEEP_LEAST`] to
    /// [`crate::model::standing::KEEP_MOST`].
    async fn set_keep(&self, actor: &Actor, id: &ServiceId, keep: u32) -> Result<(), AppError>;
    /// Pushes are deployed again; with `deploy` also the newest build that waits, whose deployment comes back.
    async fn resume(&self, actor: &Actor, id: &ServiceId, deploy: bool) -> Result<Option<DeploymentId>, AppError>;
}

/// Creates a service, and deploys its image when `deploy` is `yes`.
#[server(prefix = "/api", endpoint = "services/create")]
pub async fn create_service(form: ServiceForm, #[server(default)] deploy: String) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let is_built = form.kind != "image";
        let id = backend.services.create(&actor, form).await?;
        if deploy == "yes" {
            return match backend.services.deploy_image(&actor, &id).await {
                Ok(deployment) => request::see(paths::deployment(&deployment), ""),
                // It is there now: sent again, the form would make another one.
                Err(error) => request::see(paths::service(&id), &format!("Service saved, but not deployed. {error}")),
            };
        }
        let next = if is_built { "Build" } else { "Deploy" };
        request::see(paths::service(&id), &format!("Service saved. {next} it to bring it up."))
    })
    .await
}

/// Deploys the image of a service that isn't built here.
#[server(prefix = "/api", endpoint = "services/deploy")]
pub async fn deploy_image(service: ServiceId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let id = backend.services.deploy_image(&actor, &service).await?;
        request::see(paths::deployment(&id), "")
    })
    .await
}

/// Changes a service.
#[server(prefix = "/api", endpoint = "services/update")]
pub async fn update_service(id: ServiceId, version: i64, form: ServiceForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.services.update(&actor, &id, version, form).await?;
        request::see(paths::service(&id), "Service saved. The next deployment uses it.")
    })
    .await
}

/// Changes how a service's images are built.
#[server(prefix = "/api", endpoint = "services/build-settings")]
pub async fn change_build(id: ServiceId, version: i64, form: BuildForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.services.change_build(&actor, &id, version, form).await?;
        request::see(paths::build_settings(&id), "Build settings saved. The next build uses them.")
    })
    .await
}

/// Removes a service; `confirm` is its name, typed.
#[server(prefix = "/api", endpoint = "services/delete")]
pub async fn delete_service(id: ServiceId, #[server(default)] confirm: String) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        if confirm.trim() != backend.services.get(&actor, &id).await?.name {
            return Err(AppError::field("confirm", "Type the service's name exactly."));
        }
        backend.services.delete(&actor, &id).await?;
        request::see(paths::SERVICES, "Service removed from the Swarm. Its history is kept.")
    })
    .await
}

/// Starts what runs anew.
#[server(prefix = "/api", endpoint = "services/restart")]
pub async fn restart_service(service: ServiceId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let id = backend.services.restart(&actor, &service).await?;
        request::see(paths::deployment(&id), "")
    })
    .await
}

/// Changes the number of copies of what runs.
#[server(prefix = "/api", endpoint = "services/scale")]
pub async fn scale_service(service: ServiceId, #[server(default)] replicas: String) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let id = backend.services.scale(&actor, &service, &replicas).await?;
        request::see(paths::deployment(&id), "")
    })
    .await
}

/// Asks the registry now which digest a watched tag leads to.
#[server(prefix = "/api", endpoint = "services/look-at-tag")]
pub async fn look_at_tag(service: ServiceId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        match backend.services.look_at_tag(&actor, &service).await? {
            Some(deployment) => request::see(paths::deployment(&deployment), "The tag leads to a new digest."),
            None => request::see(paths::service(&service), "Looked at the tag."),
        }
    })
    .await
}

/// Stops a deployment.
#[server(prefix = "/api", endpoint = "services/cancel-deployment")]
pub async fn cancel_deployment(id: DeploymentId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.services.cancel_deployment(&actor, &id).await?;
        request::see(paths::deployment(&id), "Stopping the deployment.")
    })
    .await
}
