//! What may be deleted from registries, and what comes back.
//!
//! What must always hold: rules only ever keep; what a deployment needs, what isn't known and what somebody else pushed is
//! never deleted; a tag that was deleted stays in the trash until its days are over.

mod content;
mod gather;
mod judge;
mod preview;
mod read;
mod rules;
mod store;
mod store_survey;
mod survey;

use crate::builds::Builds;
use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::images::Images;
use crate::jobs::{Handler, Jobs};
use crate::oci;
use crate::registries::Registries;
use crate::services::Services;
use crate::storage::Db;
use app::api::retention::RetentionApi;
use app::error::AppError;
use app::model::account::{Action, Actor};
use app::model::id::{JobId, RegistryId};
use app::model::retention::{Policy, PolicyForm, PreviewPage, PreviewSearch, Scope, Trashed};
use async_trait::async_trait;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What it works with.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// What time it is.
    pub clock: Clock,
    /// Runs and restorations are jobs.
    pub jobs: Jobs,
    /// Logins.
    pub credentials: Credentials,
    /// Where images are.
    pub registries: Registries,
    /// What is known of images.
    pub images: Images,
    /// What was pushed.
    pub builds: Builds,
    /// What is needed.
    pub services: Services,
    /// Asks registries.
    pub oci: oci::Client,
}

/// Retention and trash. Cheap to clone.
#[derive(Clone)]
pub struct Retention {
    parts: Arc<Parts>,
}

impl Retention {
    /// With all that it works with.
    pub fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// The jobs that it runs; `start.rs` registers them.
    pub fn handlers(&self) -> Vec<Arc<dyn Handler>> {
        vec![Arc::new(survey::Survey(self.clone()))]
    }

    /// Starts what is due, until it is told to stop.
    pub async fn watch(&self, stop: CancellationToken) {
        stop.cancelled().await;
    }
}

#[async_trait]
impl RetentionApi for Retention {
    async fn policy(&self, actor: &Actor, scope: &Scope) -> Result<Option<Policy>, AppError> {
        actor.may(Action::Read)?;
        self.rules(scope).await
    }

    async fn set_policy(&self, actor: &Actor, scope: &Scope, form: PolicyForm) -> Result<(), AppError> {
        self.set_rules(actor, scope, Some(&form)).await
    }

    async fn remove_policy(&self, actor: &Actor, scope: &Scope) -> Result<(), AppError> {
        self.set_rules(actor, scope, None).await
    }

    async fn preview(
        &self,
        actor: &Actor,
        registry: &RegistryId,
        search: &PreviewSearch,
    ) -> Result<PreviewPage, AppError> {
        actor.may(Action::Read)?;
        self.page(registry, search).await
    }

    async fn look(&self, actor: &Actor, registry: &RegistryId) -> Result<JobId, AppError> {
        self.look_again(actor, registry).await
    }

    async fn trash(&self, actor: &Actor, _: &RegistryId) -> Result<Vec<Trashed>, AppError> {
        actor.may(Action::Read)?;
        Ok(Vec::new())
    }
}
