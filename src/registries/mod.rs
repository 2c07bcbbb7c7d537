//! Places images are pushed to: the use cases behind `app::api::registries`.
//!
//! What must always hold: as soon as there is a registry, exactly one is the default; a registry that services push to or
//! run from stays.

mod apply;
mod bring_up;
mod causes;
mod change;
mod config;
mod create;
mod delete;
mod garbage;
mod gate;
mod ground;
mod healthy;
mod image;
mod keys;
mod log;
mod look;
mod names;
mod place;
mod probe;
mod reach;
mod reconcile;
mod record;
mod repair;
mod restart;
mod reveal;
mod rotate;
mod spec;
mod status;
mod store;
mod store_garbage;
mod store_history;
mod store_managed;
mod suggest;
mod undo;
mod usage;
mod users;
mod verdict;
mod volumes;
mod watch;
mod watched;
mod words;

pub use gate::PushPass;

use crate::activity;
use crate::clock::{Clock, random};
use crate::config::Config;
use crate::credentials::Credentials;
use crate::docker::Docker;
use crate::jobs::{Handler, Jobs};
use crate::oci::{self, Access};
use crate::problems;
use crate::settings::Settings;
use crate::storage::{Db, Tx};
use crate::vault::Vault;
use app::api::registries::{LogLines, RegistriesApi};
use app::error::{AppError, Blocker, Link, Problem};
use app::model::account::{Action, Actor};
use app::model::id::{JobId, RegistryId};
use app::model::image_ref::Repository;
use app::model::platform::Platform;
use app::model::provider::Provider;
use app::model::push_name::{Wish, push_name};
use app::model::registry::{
    DeleteForm, Garbage, GarbageForm, LogEntry, LogView, ManagedForm, ManagedStatus, Phase, Registry, RegistryFields,
    RegistryForm, RegistryUser, Suggestions,
};
use app::model::secret::Secret;
use app::paths;
use async_trait::async_trait;
use std::sync::Arc;

/// All that a push or pull needs to know of a registry.
#[derive(Clone, Debug)]
pub struct Target {
    /// Which registry.
    pub id: RegistryId,
    /// Its name.
    pub name: String,
    /// Where it is, and how to sign in.
    pub access: Access,
    /// Whose rules it follows.
    pub provider: Provider,
    /// What comes before `<project>/<service>`.
    pub base_path: Option<Repository>,
    /// Platforms that builds to it produce; empty: the one of the engine that builds.
    pub platforms: Vec<Platform>,
}

/// What registries work with.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// What time it is.
    pub clock: Clock,
    /// Seals passwords and keys.
    pub vault: Vault,
    /// Durable work.
    pub jobs: Jobs,
    /// How to sign in at hosts.
    pub credentials: Credentials,
    /// What the machine can do.
    pub settings: Settings,
    /// The engine that runs managed ones.
    pub docker: Docker,
    /// Asks registries.
    pub oci: oci::Client,
    /// The settings in force.
    pub config: Config,
}

/// Registries: the use cases behind `app::api::registries`. Cheap to clone.
#[derive(Clone)]
pub struct Registries {
    parts: Parts,
    watched: watched::Watched,
    around: suggest::Around,
    gate: gate::Gate,
}

impl std::fmt::Debug for Registries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Registries")
    }
}

impl Registries {
    /// The use cases over their parts.
    pub fn new(parts: Parts) -> Self {
        Self {
            parts,
            watched: watched::Watched::default(),
            around: suggest::Around::default(),
            gate: gate::Gate::default(),
        }
    }

    /// The registry that a service builds to: its own choice, or the default. None: there is none yet.
    pub async fn choose(&self, wanted: Option<&RegistryId>) -> Result<Option<RegistryId>, AppError> {
        let id = match wanted {
            // A choice that is gone is no reason to push somewhere else.
            Some(id) => id.clone(),
            None => match store::default(self.parts.db.read()).await.map_err(problems::of)? {
                Some(id) => id,
                None => return Ok(None),
            },
        };
        let registry = self.find(&id).await?;
        serves(&registry)?;
        Ok(Some(registry.id))
    }

    /// Opens a registry for a push or pull. None: it was deleted. A managed one has to run.
    pub async fn target(&self, id: &RegistryId) -> Result<Option<Target>, AppError> {
        let Some(registry) = store::find(self.parts.db.read(), id).await.map_err(problems::of)? else {
            return Ok(None);
        };
        serves(&registry)?;
        let access = self.parts.credentials.access(&registry.credential).await?;
        Ok(Some(Target {
            id: registry.id,
            name: registry.name,
            access,
            provider: registry.provider,
            base_path: registry.base_path,
            platforms: registry.platforms,
        }))
    }

    /// What is kept of one, without opening it.
    pub async fn of(&self, id: &RegistryId) -> Result<Registry, AppError> {
        self.find(id).await
    }

    /// Whether it is gone, or going.
    pub async fn is_deleted(&self, id: &RegistryId) -> Result<bool, AppError> {
        store::is_deleted(self.parts.db.read(), id).await.map_err(problems::of)
    }

    /// All the jobs about managed ones.
    pub fn handlers(&self) -> Vec<Arc<dyn Handler>> {
        vec![
            Arc::new(create::Create(self.clone())),
            Arc::new(change::Change(self.clone())),
            Arc::new(restart::Restart(self.clone())),
            Arc::new(repair::Repair(self.clone())),
            Arc::new(rotate::Rotate(self.clone())),
            Arc::new(delete::Delete(self.clone())),
            Arc::new(garbage::Collect(self.clone())),
        ]
    }

    async fn find(&self, id: &RegistryId) -> Result<Registry, AppError> {
        let found = store::find(self.parts.db.read(), id).await.map_err(problems::of)?;
        found.ok_or_else(not_found)
    }

    async fn record(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        verb: &str,
        id: &RegistryId,
        detail: &str,
    ) -> Result<(), AppError> {
        let verb = format!("registry.{verb}");
        activity::record(tx, &self.parts.clock, &actor.username, &verb, id.as_str(), detail).await.map_err(problems::of)
    }
}

#[async_trait]
impl RegistriesApi for Registries {
    async fn list(&self, actor: &Actor) -> Result<Vec<Registry>, AppError> {
        actor.may(Action::Read)?;
        store::list(self.parts.db.read()).await.map_err(problems::of)
    }

    async fn get(&self, actor: &Actor, id: &RegistryId) -> Result<Registry, AppError> {
        actor.may(Action::Read)?;
        self.find(id).await
    }

    async fn create(&self, actor: &Actor, form: RegistryForm) -> Result<RegistryId, AppError> {
        actor.may(Action::ManageRegistries)?;
        let fields = form.validated()?;
        let id = RegistryId::from_random(random());
        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        check_place(&mut tx, &fields).await?;
        let is_first = !store::has_default(&mut tx).await.map_err(problems::of)?;
        let is_default = fields.is_default || is_first;
        if is_default {
            store::clear_default(&mut tx).await.map_err(problems::of)?;
        }
        if !store::insert(&mut tx, &id, &fields, is_default, self.parts.clock.seconds()).await.map_err(problems::of)? {
            return Err(name_is_taken());
        }
        self.record(&mut tx, actor, "created", &id, &fields.name).await?;
        tx.commit().await.map_err(problems::of)?;
        tracing::info!(registry.id = %id, "a registry was created");
        Ok(id)
    }

    /// Unticking "default" on the default changes nothing: there is always one, so another has to be made the default.
    async fn update(&self, actor: &Actor, id: &RegistryId, version: i64, form: RegistryForm) -> Result<(), AppError> {
        actor.may(Action::ManageRegistries)?;
        let fields = form.validated()?;
        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        let old = store::find(&mut *tx, id).await.map_err(problems::of)?.ok_or_else(not_found)?;
        if old.version != version {
            return Err(stale(id));
        }
        if old.managed.is_some() {
            return Err(create::blocked(id, "Slipway runs this registry; it has settings of its own."));
        }
        let host = check_place(&mut tx, &fields).await?;
        if host != old.host {
            refuse_move(&mut tx, &old).await?;
        }
        if fields.is_default && !old.is_default {
            store::clear_default(&mut tx).await.map_err(problems::of)?;
        }
        let is_default = fields.is_default || old.is_default;
        if !store::update(&mut tx, id, &fields, is_default).await.map_err(problems::of)? {
            return Err(name_is_taken());
        }
        self.record(&mut tx, actor, "changed", id, &fields.name).await?;
        tx.commit().await.map_err(problems::of)?;
        tracing::info!(registry.id = %id, "a registry was changed");
        Ok(())
    }

    async fn make_default(&self, actor: &Actor, id: &RegistryId) -> Result<(), AppError> {
        actor.may(Action::ManageRegistries)?;
        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        let registry = store::find(&mut *tx, id).await.map_err(problems::of)?.ok_or_else(not_found)?;
        if registry.is_default {
            return Ok(());
        }
        serves(&registry)?;
        store::clear_default(&mut tx).await.map_err(problems::of)?;
        store::set_default(&mut tx, id).await.map_err(problems::of)?;
        self.record(&mut tx, actor, "made_default", id, &registry.name).await?;
        tx.commit().await.map_err(problems::of)?;
        tracing::info!(registry.id = %id, "a registry became the default");
        Ok(())
    }

    async fn delete(&self, actor: &Actor, id: &RegistryId, form: DeleteForm) -> Result<Option<JobId>, AppError> {
        actor.may(Action::ManageRegistries)?;
        self.ask_for_deletion(actor, id, form).await
    }

    async fn users(&self, actor: &Actor, id: &RegistryId) -> Result<Vec<RegistryUser>, AppError> {
        actor.may(Action::Read)?;
        self.users_of(id).await
    }

    async fn suggestions(&self, actor: &Actor) -> Result<Suggestions, AppError> {
        actor.may(Action::ManageRegistries)?;
        self.suggest().await
    }

    async fn create_managed(&self, actor: &Actor, form: ManagedForm) -> Result<(RegistryId, JobId), AppError> {
        actor.may(Action::ManageRegistries)?;
        self.ask_for_creation(actor, form).await
    }

    async fn update_managed(
        &self,
        actor: &Actor,
        id: &RegistryId,
        version: i64,
        form: ManagedForm,
    ) -> Result<Option<JobId>, AppError> {
        actor.may(Action::ManageRegistries)?;
        self.ask_for_change(actor, id, version, form).await
    }

    async fn retry(&self, actor: &Actor, id: &RegistryId) -> Result<JobId, AppError> {
        actor.may(Action::ManageRegistries)?;
        self.ask_for_retry(actor, id).await
    }

    async fn restart(&self, actor: &Actor, id: &RegistryId) -> Result<JobId, AppError> {
        actor.may(Action::ManageRegistries)?;
        self.ask_for_restart(actor, id).await
    }

    async fn rotate(&self, actor: &Actor, id: &RegistryId) -> Result<JobId, AppError> {
        actor.may(Action::ManageRegistries)?;
        self.ask_for_rotation(actor, id).await
    }

    async fn reveal(&self, actor: &Actor, id: &RegistryId) -> Result<(String, Secret), AppError> {
        actor.may(Action::ManageRegistries)?;
        self.reveal_login(actor, id).await
    }

    async fn accept_loss(&self, actor: &Actor, id: &RegistryId) -> Result<(), AppError> {
        actor.may(Action::ManageRegistries)?;
        self.accept_volume(actor, id).await
    }

    async fn status(&self, actor: &Actor, id: &RegistryId) -> Result<ManagedStatus, AppError> {
        actor.may(Action::Read)?;
        self.status_of(id).await
    }

    async fn check(&self, actor: &Actor, id: &RegistryId) -> Result<ManagedStatus, AppError> {
        actor.may(Action::ManageRegistries)?;
        self.check_now(id).await
    }

    async fn garbage(&self, actor: &Actor, id: &RegistryId) -> Result<Garbage, AppError> {
        actor.may(Action::Read)?;
        self.garbage_of(id).await
    }

    async fn collect_garbage(&self, actor: &Actor, id: &RegistryId) -> Result<JobId, AppError> {
        actor.may(Action::ManageRegistries)?;
        self.ask_for_collection(actor, id).await
    }

    async fn set_garbage_rule(&self, actor: &Actor, id: &RegistryId, form: GarbageForm) -> Result<(), AppError> {
        actor.may(Action::ManageRegistries)?;
        self.keep_garbage_rule(actor, id, &form).await
    }

    async fn waits_for_garbage(&self, actor: &Actor, job: &JobId) -> Result<Option<i64>, AppError> {
        actor.may(Action::Read)?;
        self.waits_since(job).await
    }

    async fn log(&self, actor: &Actor, id: &RegistryId, view: LogView) -> Result<Vec<LogEntry>, AppError> {
        actor.may(Action::Read)?;
        self.read_log(id, &view).await
    }

    async fn follow_log(
        &self,
        actor: &Actor,
        id: &RegistryId,
        view: LogView,
        cursor: Option<String>,
    ) -> Result<LogLines, AppError> {
        actor.may(Action::Read)?;
        self.open_log(id, view, cursor).await
    }
}

/// The host of the fields' credential, if images can be pushed to the base path there.
async fn check_place(tx: &mut Tx, fields: &RegistryFields) -> Result<app::model::image_ref::RegistryHost, AppError> {
    let Some((host, provider)) = store::place_of(tx, &fields.credential).await.map_err(problems::of)? else {
        return Err(AppError::field(
            "credential",
            "This credential can't be used: it was deleted meanwhile, or belongs to a registry that Slipway runs.",
        ));
    };
    if host.is_docker_hub() && fields.base_path.is_none() {
        return Err(AppError::field("base_path", "Docker Hub needs one: your Docker ID or your organisation."));
    }
    // Without a base path a service may bring its own; a base path that can't be right is told now.
    if let Some(base) = &fields.base_path {
        let sample = Wish {
            provider,
            host: &host,
            base: base.as_str(),
            own: "",
            repository: None,
            project: "project",
            service: "service-000000000000",
            tag: "latest",
        };
        push_name(&sample)
            .map_err(|problem| AppError::field("base_path", format!("{} {}", problem.cause, problem.remedy)))?;
    }
    Ok(host)
}

/// Whether images can be pushed to it and pulled from it by what is known: a managed one has to be up.
fn serves(registry: &Registry) -> Result<(), AppError> {
    let Some(managed) = &registry.managed else { return Ok(()) };
    let (code, what, remedy) = match managed.phase {
        Phase::Running => return Ok(()),
        Phase::Creating => {
            ("registry.creating", "is still being created", "Wait until it runs; its page shows how far it is.")
        }
        Phase::Failed => {
            ("registry.failed", "couldn't be created", "Try its creation again, or choose another registry.")
        }
        Phase::Deleting => ("registry.deleted", "is being deleted", "Choose another registry."),
    };
    Err(Problem::new(code, format!("The registry {} {what}.", registry.name), remedy)
        .with_link(paths::registry(&registry.id), "Open the registry")
        .into())
}

/// Images don't move with a registry's address, and their host must never be asked with another host's password.
async fn refuse_move(tx: &mut Tx, old: &Registry) -> Result<(), AppError> {
    let services = store::services_with_images_in(tx, &old.id).await.map_err(problems::of)?;
    if services.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = services.into_iter().map(|service| service.name).collect();
    Err(AppError::field(
        "credential",
        format!(
            "Images of {} lie at {}. Create a registry of its own for the other host instead.",
            names.join(", "),
            old.host
        ),
    ))
}

/// All that stands in the way of deleting a registry.
async fn blockers(tx: &mut Tx, registry: &Registry) -> Result<Vec<Blocker>, AppError> {
    let mut blockers = Vec::new();
    let link = |href, text: String| Some(Link { href, text });
    for service in store::services_choosing(tx, &registry.id).await.map_err(problems::of)? {
        blockers.push(Blocker {
            reason: format!("The service {} builds to it.", service.name),
            link: link(paths::edit_service(&service.id), format!("Edit {}", service.name)),
        });
    }
    for service in store::services_running_from(tx, &registry.id).await.map_err(problems::of)? {
        blockers.push(Blocker {
            reason: format!("The service {} runs an image from it, which nodes must be able to pull.", service.name),
            link: link(paths::service(&service.id), format!("Open {}", service.name)),
        });
    }
    Ok(blockers)
}

fn not_found() -> AppError {
    AppError::NotFound("registry".into())
}

fn name_is_taken() -> AppError {
    AppError::field("name", "Another registry has this name. Choose a different one.")
}

fn stale(id: &RegistryId) -> AppError {
    AppError::Blocked(vec![Blocker {
        reason: "Somebody changed this registry meanwhile. Look at it as it is now, then change it again.".into(),
        link: Some(Link { href: paths::registry(id), text: "Open the registry".into() }),
    }])
}
