//! What may be deleted from registries, and what comes back.
//!
//! What must always hold: rules only ever keep; what a deployment needs, what isn't known and what somebody else pushed is
//! never deleted; a tag that was deleted stays in the trash until its days are over.

mod content;
mod expire;
mod family;
mod gather;
mod judge;
mod preview;
mod read;
mod restore;
mod rules;
mod run;
mod schedule;
mod store;
mod store_runs;
mod store_survey;
mod store_trash;
mod survey;
mod trash;
mod untag;
mod words;

#[cfg(feature = "testing")]
pub use content::packed;

use crate::builds::Builds;
use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::images::Images;
use crate::jobs::{Handler, Jobs, Lane, NewJob};
use crate::oci;
use crate::providers::Providers;
use crate::registries::Registries;
use crate::services::Services;
use crate::storage::Db;
use app::api::retention::RetentionApi;
use app::error::AppError;
use app::model::account::{Action, Actor};
use app::model::id::{JobId, RegistryId};
use app::model::retention::{Policy, PolicyForm, PreviewPage, PreviewSearch, Scope};
use async_trait::async_trait;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// Seconds between two attempts to throw out what is due.
const BETWEEN: i64 = 3_600;

/// What jobs about a registry change; the same as all that is done to one that Slipway runs, so that a run never stands beside
/// a change or a collection of garbage.
fn subject(registry: &RegistryId) -> String {
    format!("registry:{registry}")
}

/// A job that changes a registry; `key` tells it from others that wait.
fn new_job(kind: &'static str, registry: &RegistryId, payload: Value, key: String, by: &str, tries: i64) -> NewJob {
    NewJob {
        kind,
        payload,
        subject: subject(registry),
        key: Some(key),
        lane: Lane::Swarm,
        resource: None,
        asked_by: by.to_owned(),
        max_attempts: tries,
    }
}

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
    /// The registries' own ways.
    pub providers: Providers,
}

/// Retention and trash. Cheap to clone.
#[derive(Clone)]
pub struct Retention {
    parts: Arc<Parts>,
    /// When the trash of a registry was last thrown out by itself, Unix seconds.
    expired: Arc<Mutex<HashMap<RegistryId, i64>>>,
    /// Held by whoever looks at a registry; a run looks in its own job, beside one that was asked for.
    looks: Arc<Mutex<HashMap<RegistryId, Turn>>>,
}

/// One at a time.
type Turn = Arc<tokio::sync::Mutex<()>>;

impl Retention {
    /// With all that it works with.
    pub fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts), expired: Arc::default(), looks: Arc::default() }
    }

    /// The jobs that it runs; `start.rs` registers them.
    pub fn handlers(&self) -> Vec<Arc<dyn Handler>> {
        vec![
            Arc::new(survey::Survey(self.clone())),
            Arc::new(run::Run(self.clone())),
            Arc::new(expire::Empty(self.clone())),
            Arc::new(restore::Restore(self.clone())),
        ]
    }

    /// Starts what is due, until it is told to stop.
    pub async fn watch(&self, stop: CancellationToken) {
        self.keep_time(stop).await;
    }

    /// Whose turn it is to look at a registry.
    fn turn(&self, registry: &RegistryId) -> Turn {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(looks.entry(registry.clone()).or_default())
    }

    /// Whether it is time to throw out a registry's trash; then it counts as done for an hour.
    fn may_expire(&self, registry: &RegistryId, now: i64) -> bool {
        let mut expired = self.expired.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = expired.get(registry).is_none_or(|last| now - last >= BETWEEN || *last > now);
        if is_time {
            expired.insert(registry.clone(), now);
        }
        is_time
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
}
