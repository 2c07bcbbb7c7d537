//! What of our own lies on nodes and may go: images and build cache.
//!
//! What must always hold: what Slipway didn't make, containers, volumes and networks are never touched.

use crate::clock::Clock;
use crate::config::Config;
use crate::docker::Docker;
use crate::jobs::{Handler, Jobs};
use crate::process::Runner;
use crate::services::Services;
use crate::settings::Settings;
use crate::storage::Db;
use app::api::cleanup::CleanupApi;
use app::error::AppError;
use app::model::account::{Action, Actor};
use app::model::cleanup::{CleanupPlan, CleanupRules};
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
    /// A clean-up is a job.
    pub jobs: Jobs,
    /// Whose images there are.
    pub docker: Docker,
    /// What the engine is.
    pub settings: Settings,
    /// What is needed.
    pub services: Services,
    /// Runs `docker buildx`.
    pub runner: Runner,
    /// Where Docker is.
    pub config: Config,
}

/// The clean-up on nodes. Cheap to clone.
#[derive(Clone)]
pub struct Cleanup {
    #[expect(dead_code, reason = "the rules come with their slice")]
    parts: Arc<Parts>,
}

impl Cleanup {
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
impl CleanupApi for Cleanup {
    async fn rules(&self, actor: &Actor) -> Result<CleanupRules, AppError> {
        actor.may(Action::Read)?;
        Ok(CleanupRules::default())
    }

    async fn plan(&self, actor: &Actor) -> Result<CleanupPlan, AppError> {
        actor.may(Action::Read)?;
        Ok(CleanupPlan::default())
    }
}
