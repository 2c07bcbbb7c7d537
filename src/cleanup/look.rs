//! The look at this engine's images: what is ours, and what of it may go.

use super::decide::{self, Facts};
use super::{Cleanup, store};
use crate::docker::{DockerError, EngineImage};
use crate::problems;
use app::error::{AppError, Problem};
use app::model::cleanup::{CacheSeen, CleanupPlan, CleanupRules, LocalImage};

/// Why another node's images stay as they are.
const ELSEWHERE: &str = "Slipway reaches the engine of its own machine only. Images there stay as they are.";

impl Cleanup {
    /// What is known now of what is ours and needed.
    pub(super) async fn facts(&self, rules: &CleanupRules) -> Result<Facts, AppError> {
        let db = &self.inner.parts.db;
        // What is needed is read last: a deployment that begins meanwhile is in it.
        let versions = store::versions(db.read()).await.map_err(problems::of)?;
        let services = store::services(db.read()).await.map_err(problems::of)?;
        Ok(Facts {
            versions,
            services: services.into_iter().collect(),
            keep_last: rules.keep_last,
            now: self.inner.parts.clock.seconds(),
            kept: self.inner.parts.services.kept().await?,
        })
    }

    /// Looks now, and keeps what was seen for the page.
    pub(super) async fn look(&self) -> Result<CleanupPlan, Problem> {
        let looked = self.look_anew().await;
        match &looked {
            Ok(plan) => self.inner.seen.put(plan.clone()),
            Err(problem) => self.inner.seen.failed(problem.clone()),
        }
        looked
    }

    async fn look_anew(&self) -> Result<CleanupPlan, Problem> {
        let away = |error: DockerError| error.problem();
        let parts = &self.inner.parts;
        let rules = store::rules(parts.db.read()).await.map_err(|error| ours(problems::of(error)))?;
        let images = parts.docker.images().await.map_err(away)?;
        let used = parts.docker.images_in_use().await.map_err(away)?;
        let facts = self.facts(&rules).await.map_err(ours)?;
        let (node, unreached) = self.nodes().await?;
        let mut plan = CleanupPlan { unreached, at: parts.clock.seconds(), ..CleanupPlan::default() };
        for image in &images {
            match facts.judge(image, &used) {
                Some(judged) => plan.images.push(LocalImage {
                    id: image.id.clone(),
                    names: names(image),
                    size: image.size,
                    frees: image.size.saturating_sub(image.shared),
                    node: node.clone(),
                    service: judged.service,
                    at: judged.at,
                    stays: judged.stays,
                }),
                None => plan.foreign = (plan.foreign.0 + 1, plan.foreign.1 + image.size),
            }
        }
        decide::within(&mut plan.images, rules.budget);
        plan.images.sort_by(|a, b| (a.stays.is_some(), b.at, &a.id).cmp(&(b.stays.is_some(), a.at, &b.id)));
        plan.caches = self.caches(&rules).await.map_err(ours)?.into_iter().map(|(_, seen)| seen).collect();
        Ok(plan)
    }

    /// The caches of builders, and whether a run takes something from them.
    pub(super) async fn caches(
        &self,
        rules: &CleanupRules,
    ) -> Result<Vec<(app::model::builder::WhichBuilder, CacheSeen)>, AppError> {
        let caches = self.inner.parts.builders.caches().await?;
        let seen = caches.into_iter().map(|cache| {
            let is_engine = cache.which.id().is_none();
            let may = cache.is_ours || is_engine && rules.engine_cache;
            let is_trimmed = may && rules.cache_days.is_some();
            (cache.which, CacheSeen { builder: cache.name, is_ours: cache.is_ours, size: cache.size, is_trimmed })
        });
        Ok(seen.collect())
    }

    /// This node's name, and the nodes that can't be asked.
    pub(super) async fn nodes(&self) -> Result<(String, Vec<(String, String)>), Problem> {
        let docker = &self.inner.parts.docker;
        let Some((own, name)) = docker.own_node().await.map_err(|error| error.problem())? else {
            return Ok(("This machine".into(), Vec::new()));
        };
        // A worker can't say who else there is.
        let others = docker.nodes().await.unwrap_or_default();
        let others = others.into_iter().filter(|node| node.id != own);
        Ok((name, others.map(|node| (node.name, ELSEWHERE.to_owned())).collect()))
    }
}

/// What people read of its names.
pub(super) fn names(image: &EngineImage) -> Vec<String> {
    if image.names.is_empty() { image.digests.clone() } else { image.names.clone() }
}

/// Our own fault, as a problem.
pub(super) fn ours(error: AppError) -> Problem {
    match error {
        AppError::Problem(problem) => *problem,
        other => Problem::new("cleanup.look", other.to_string(), "Look again; Slipway's own log says more."),
    }
}
