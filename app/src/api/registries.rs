//! Places images are pushed to.
#![expect(missing_docs, reason = "the server macro makes structs without documentation")]

use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::id::{JobId, RegistryId};
use crate::model::registry::{
    DeleteForm, Garbage, GarbageForm, LogEntry, LogView, ManagedForm, ManagedStatus, Registry, RegistryForm,
    RegistryUser, Suggestions,
};
use crate::model::secret::Secret;
use crate::{paths, request};
use async_trait::async_trait;
use leptos::prelude::*;

/// Lines of a log as they are printed; ends when Docker goes away.
#[cfg(feature = "ssr")]
pub type LogLines = std::pin::Pin<Box<dyn futures::Stream<Item = Result<LogEntry, AppError>> + Send>>;

/// Registries.
#[async_trait]
pub trait RegistriesApi: Send + Sync {
    /// All; the default first, then by name.
    async fn list(&self, actor: &Actor) -> Result<Vec<Registry>, AppError>;
    /// One.
    async fn get(&self, actor: &Actor, id: &RegistryId) -> Result<Registry, AppError>;
    /// Creates an external one; the first becomes the default.
    async fn create(&self, actor: &Actor, form: RegistryForm) -> Result<RegistryId, AppError>;
    /// Changes an external one. `version` is the one the form was filled from.
    async fn update(&self, actor: &Actor, id: &RegistryId, version: i64, form: RegistryForm) -> Result<(), AppError>;
    /// Makes it the default one.
    async fn make_default(&self, actor: &Actor, id: &RegistryId) -> Result<(), AppError>;
    /// Deletes it, unless services push there or run from it, or it is the default and none takes over. An external one is
    /// gone at once; the job takes a managed one out of the Swarm.
    async fn delete(&self, actor: &Actor, id: &RegistryId, form: DeleteForm) -> Result<Option<JobId>, AppError>;
    /// The services that build to it or run from it, by name.
    async fn users(&self, actor: &Actor, id: &RegistryId) -> Result<Vec<RegistryUser>, AppError>;

    /// What a form for a managed one begins with. Looks at Docker's last known state, no network.
    async fn suggestions(&self, actor: &Actor) -> Result<Suggestions, AppError>;
    /// Creates a managed one; the job brings it up.
    async fn create_managed(&self, actor: &Actor, form: ManagedForm) -> Result<(RegistryId, JobId), AppError>;
    /// Changes a managed one; the job brings what reaches the Swarm, and returns to what was when that fails.
    async fn update_managed(
        &self,
        actor: &Actor,
        id: &RegistryId,
        version: i64,
        form: ManagedForm,
    ) -> Result<Option<JobId>, AppError>;
    /// Tries the creation again.
    async fn retry(&self, actor: &Actor, id: &RegistryId) -> Result<JobId, AppError>;
    /// Stops and starts it; starts one that was scaled to zero.
    async fn restart(&self, actor: &Actor, id: &RegistryId) -> Result<JobId, AppError>;
    /// Gives it a new password and hands that to everybody who uses its credential.
    async fn rotate(&self, actor: &Actor, id: &RegistryId) -> Result<JobId, AppError>;
    /// Its user and password, to sign in by hand. It is on record who asked.
    async fn reveal(&self, actor: &Actor, id: &RegistryId) -> Result<(String, Secret), AppError>;
    /// From now on the volume that is there counts, although it isn't the one of before.
    async fn accept_loss(&self, actor: &Actor, id: &RegistryId) -> Result<(), AppError>;
    /// How a managed one is; what is known, without asking anybody.
    async fn status(&self, actor: &Actor, id: &RegistryId) -> Result<ManagedStatus, AppError>;
    /// Looks at Docker and probes it now, then says how it is.
    async fn check(&self, actor: &Actor, id: &RegistryId) -> Result<ManagedStatus, AppError>;
    /// When garbage is collected at a managed one, and what came of it.
    async fn garbage(&self, actor: &Actor, id: &RegistryId) -> Result<Garbage, AppError>;
    /// Collects the garbage of a managed one: frees what deleted images left. Pushes of builds wait meanwhile.
    async fn collect_garbage(&self, actor: &Actor, id: &RegistryId) -> Result<JobId, AppError>;
    /// From now on garbage is collected by itself when this says so.
    async fn set_garbage_rule(&self, actor: &Actor, id: &RegistryId, form: GarbageForm) -> Result<(), AppError>;
    /// Since when a job waits with its push until garbage is collected, Unix seconds; None: it doesn't.
    async fn waits_for_garbage(&self, actor: &Actor, job: &JobId) -> Result<Option<i64>, AppError>;
    /// What it printed, oldest first. Asks Docker, so pages ask for it with patience.
    async fn log(&self, actor: &Actor, id: &RegistryId, view: LogView) -> Result<Vec<LogEntry>, AppError>;
    /// What it prints from `cursor` on (a [`LogEntry::cursor`]), or from now.
    #[cfg(feature = "ssr")]
    async fn follow_log(
        &self,
        actor: &Actor,
        id: &RegistryId,
        view: LogView,
        cursor: Option<String>,
    ) -> Result<LogLines, AppError>;
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
pub async fn delete_registry(id: RegistryId, #[server(default)] form: DeleteForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        match backend.registries.delete(&actor, &id, form).await? {
            Some(_) => request::see(paths::registry(&id), "The registry is being deleted."),
            None => request::see(paths::REGISTRIES, "Registry deleted. Its images are untouched."),
        }
    })
    .await
}

/// Creates a registry that Slipway runs.
#[server(prefix = "/api", endpoint = "registries/create-managed")]
pub async fn create_managed_registry(form: ManagedForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let (id, _) = backend.registries.create_managed(&actor, form).await?;
        request::see(paths::registry(&id), "The registry is being created.")
    })
    .await
}

/// Changes a registry that Slipway runs.
#[server(prefix = "/api", endpoint = "registries/update-managed")]
pub async fn update_managed_registry(id: RegistryId, version: i64, form: ManagedForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let job = backend.registries.update_managed(&actor, &id, version, form).await?;
        let said = if job.is_some() { "Saved. The registry is being changed." } else { "Registry saved." };
        request::see(paths::registry(&id), said)
    })
    .await
}

/// Tries the creation of a registry again.
#[server(prefix = "/api", endpoint = "registries/retry")]
pub async fn retry_registry(id: RegistryId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.registries.retry(&actor, &id).await?;
        request::see(paths::registry(&id), "The registry is being created.")
    })
    .await
}

/// Stops and starts a registry.
#[server(prefix = "/api", endpoint = "registries/restart")]
pub async fn restart_registry(id: RegistryId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.registries.restart(&actor, &id).await?;
        request::see(paths::registry(&id), "The registry is being restarted.")
    })
    .await
}

/// Gives a registry a new password.
#[server(prefix = "/api", endpoint = "registries/rotate")]
pub async fn rotate_registry(id: RegistryId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.registries.rotate(&actor, &id).await?;
        request::see(paths::registry(&id), "The registry is getting a new password.")
    })
    .await
}

/// Probes a registry now.
#[server(prefix = "/api", endpoint = "registries/check")]
pub async fn check_registry(id: RegistryId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.registries.check(&actor, &id).await?;
        request::see(paths::registry(&id), "Checked just now.")
    })
    .await
}

/// Collects the garbage of a registry.
#[server(prefix = "/api", endpoint = "registries/collect-garbage")]
pub async fn collect_registry_garbage(id: RegistryId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.registries.collect_garbage(&actor, &id).await?;
        request::see(paths::registry_garbage(&id), "The garbage is being collected.")
    })
    .await
}

/// Keeps when the garbage of a registry is collected by itself.
#[server(prefix = "/api", endpoint = "registries/garbage-rule")]
pub async fn set_registry_garbage_rule(id: RegistryId, #[server(default)] form: GarbageForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.registries.set_garbage_rule(&actor, &id, form).await?;
        request::see(paths::registry_garbage(&id), "Saved.")
    })
    .await
}

/// Goes on with a volume that isn't the one of before.
#[server(prefix = "/api", endpoint = "registries/accept-loss")]
pub async fn accept_registry_loss(id: RegistryId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.registries.accept_loss(&actor, &id).await?;
        request::see(paths::registry(&id), "The registry goes on with the volume that is there.")
    })
    .await
}
