//! What of our own lies on nodes and may go: images and build cache.
//!
//! What must always hold: what Slipway didn't make, containers, volumes and networks are never touched; nothing is ever
//! forced; what a service needs stays.
//!
//! `decide` says whose an image is and why it stays; `look` asks the engine and `seen` keeps it for pages; `run` is the job;
//! `watch` starts it when it is due.

mod decide;
mod look;
mod run;
mod seen;
mod store;
mod watch;

use crate::builders::Builders;
use crate::clock::Clock;
use crate::docker::Docker;
use crate::jobs::{Handler, Jobs, Lane, NewJob};
use crate::services::Services;
use crate::storage::Db;
use crate::{activity, problems};
use app::api::cleanup::CleanupApi;
use app::error::AppError;
use app::model::account::{Action, Actor};
use app::model::cleanup::{CleanupPlan, CleanupRules, CleanupRulesForm, CleanupRun};
use app::model::id::JobId;
use async_trait::async_trait;
use std::sync::Arc;

/// Runs that the page shows.
const RUNS: u32 = 10;

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
    /// What is needed.
    pub services: Services,
    /// Whose caches there are.
    pub builders: Builders,
}

/// The clean-up on nodes. Cheap to clone.
#[derive(Clone)]
pub struct Cleanup {
    inner: Arc<Inner>,
}

struct Inner {
    parts: Parts,
    seen: seen::Seen,
    wake: tokio::sync::Notify,
}

impl Cleanup {
    /// With all that it works with.
    pub fn new(parts: Parts) -> Self {
        let inner = Inner { parts, seen: seen::Seen::default(), wake: tokio::sync::Notify::new() };
        Self { inner: Arc::new(inner) }
    }

    /// The jobs that it runs; `start.rs` registers them.
    pub fn handlers(&self) -> Vec<Arc<dyn Handler>> {
        vec![Arc::new(run::Run(self.clone()))]
    }

    /// Asks for a run; the one that waits already, if there is one.
    async fn ask(&self, by: &str) -> Result<JobId, AppError> {
        let parts = &self.inner.parts;
        let job = NewJob {
            kind: run::KIND,
            payload: serde_json::json!({}),
            subject: "cleanup".into(),
            key: Some(run::KIND.into()),
            lane: Lane::Swarm,
            resource: None,
            asked_by: by.to_owned(),
            max_attempts: 1,
        };
        let mut tx = parts.db.write().await.map_err(problems::of)?;
        let job = parts.jobs.enqueue(&mut tx, job).await.map_err(problems::of)?;
        activity::record(&mut tx, &parts.clock, by, "cleanup.started", job.as_str(), "").await.map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)?;
        parts.jobs.wake();
        Ok(job)
    }
}

#[async_trait]
impl CleanupApi for Cleanup {
    async fn rules(&self, actor: &Actor) -> Result<CleanupRules, AppError> {
        actor.may(Action::Read)?;
        store::rules(self.inner.parts.db.read()).await.map_err(problems::of)
    }

    async fn set_rules(&self, actor: &Actor, form: CleanupRulesForm) -> Result<(), AppError> {
        actor.may(Action::ManageSettings)?;
        let rules = form.check()?;
        let Parts { db, clock, .. } = &self.inner.parts;
        let mut tx = db.write().await.map_err(problems::of)?;
        store::set_rules(&mut tx, &rules, &actor.username, clock.millis()).await.map_err(problems::of)?;
        activity::record(&mut tx, clock, &actor.username, "cleanup.rules_changed", "cleanup", "")
            .await
            .map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)?;
        self.inner.wake.notify_one();
        Ok(())
    }

    async fn plan(&self, actor: &Actor) -> Result<CleanupPlan, AppError> {
        actor.may(Action::Read)?;
        Ok(self.inner.seen.plan())
    }

    async fn look(&self, actor: &Actor) -> Result<(), AppError> {
        actor.may(Action::ManageSettings)?;
        self.inner.wake.notify_one();
        Ok(())
    }

    async fn run(&self, actor: &Actor) -> Result<JobId, AppError> {
        actor.may(Action::ManageSettings)?;
        self.ask(&actor.username).await
    }

    async fn runs(&self, actor: &Actor) -> Result<Vec<CleanupRun>, AppError> {
        actor.may(Action::Read)?;
        store::runs(self.inner.parts.db.read(), RUNS).await.map_err(problems::of)
    }
}
