//! What may be deleted from registries, and what comes back.
//!
//! What must always hold: rules only ever keep; what a deployment needs, what isn't known and what somebody else pushed is
//! never deleted; a tag that was deleted stays in the trash until its days are over.

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
use app::model::id::RegistryId;
use app::model::retention::{Policy, Preview, Scope, Trashed};
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
    #[expect(dead_code, reason = "the rules come with their slice")]
    parts: Arc<Parts>,
}

impl Retention {
    /// With all that it works with.
    pub fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// The jobs that it runs; `start.rs` registers them.
    pub fn handlers(&self) -> Vec<Arc<dyn Handler>> {
        Vec::new()
    }

    /// Starts what is due, until it is told to stop.
    pub async fn watch(&self, stop: CancellationToken) {
        stop.cancelled().await;
    }
}

#[async_trait]
impl RetentionApi for Retention {
    async fn policy(&self, actor: &Actor, _: &Scope) -> Result<Option<Policy>, AppError> {
        actor.may(Action::Read)?;
        Ok(None)
    }

    async fn preview(&self, actor: &Actor, _: &RegistryId) -> Result<Preview, AppError> {
        actor.may(Action::Read)?;
        Ok(Preview::default())
    }

    async fn trash(&self, actor: &Actor, _: &RegistryId) -> Result<Vec<Trashed>, AppError> {
        actor.may(Action::Read)?;
        Ok(Vec::new())
    }
}
