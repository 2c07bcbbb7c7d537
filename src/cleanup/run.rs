//! The job that cleans up. Each image is looked at once more right before it goes, so that what changed since the plan
//! counts; a run that is broken off goes on with what is still there.

use super::look::{names, ours};
use super::{Cleanup, decide, store};
use crate::docker::DockerError;
use crate::jobs::{self, Handler, JobContext, JobError};
use crate::problems;
use app::error::Problem;
use app::model::cleanup::{CleanupReport, CleanupRules, Handled, LocalImage};
use app::model::text;
use async_trait::async_trait;

/// The job's kind.
pub(super) const KIND: &str = "clean_up";

/// Cleans up.
pub(super) struct Run(pub(super) Cleanup);

#[async_trait]
impl Handler for Run {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, _: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        let cleanup = &self.0;
        let rules = store::rules(cleanup.inner.parts.db.read()).await.map_err(jobs::internal)?;
        cx.step("images", "Remove images that nobody needs", cleanup.remove_images(&rules, cx)).await?;
        cx.step("caches", "Trim build cache", cleanup.trim_caches(&rules, cx)).await?;
        cx.fresh_step("report", "Look at what is left", cleanup.sum_up(cx)).await
    }
}

impl Cleanup {
    async fn remove_images(&self, rules: &CleanupRules, cx: &JobContext) -> Result<(), JobError> {
        let plan = self.look().await?;
        let mut report = store::report(self.inner.parts.db.read(), &cx.id).await.map_err(jobs::internal)?;
        report.unreached.clone_from(&plan.unreached);
        self.keep(cx, &report).await?;
        for (node, why) in &plan.unreached {
            cx.log(&format!("{node} isn't cleaned up: {why}"));
        }
        for image in plan.goes() {
            if cx.cancel.is_cancelled() {
                return Err(JobError::Cancelled);
            }
            let Some(handled) = self.remove(image, rules).await? else { continue };
            match &handled.refused {
                None => cx.log(&format!("{} is gone, {}.", handled.name, text::bytes(handled.freed))),
                Some(why) => cx.log(&format!("{} stays: {why}", handled.name)),
            }
            // A run that goes on after a restart meets what it was refused before once more.
            report.images.retain(|before| before.refused.is_none() || before.name != handled.name);
            report.images.push(handled);
            self.keep(cx, &report).await?;
        }
        if report.images.is_empty() {
            cx.log("There is nothing to remove.");
        }
        Ok(())
    }

    /// Removes one image if it still may go; none: it was gone already.
    async fn remove(&self, planned: &LocalImage, rules: &CleanupRules) -> Result<Option<Handled>, Problem> {
        let away = |error: DockerError| error.problem();
        let docker = &self.inner.parts.docker;
        let Some(image) = docker.find_image(&planned.id).await.map_err(away)? else { return Ok(None) };
        let name = names(&image).into_iter().next().unwrap_or_else(|| image.id.clone());
        let done = |freed, refused| Ok(Some(Handled { name, node: planned.node.clone(), freed, refused }));
        let used = docker.images_in_use().await.map_err(away)?;
        let facts = self.facts(rules).await.map_err(ours)?;
        // A budget isn't asked again: the plan says who is beyond it.
        if facts.judge(&image, &used).is_none_or(|judged| judged.stays.is_some()) {
            return done(0, Some("Something needs it since Slipway looked.".into()));
        }
        for name in decide::removals(&image) {
            match docker.remove_image(&name).await {
                Ok(_) => {}
                Err(error @ DockerError::Refused { .. }) => return done(0, Some(error.problem().cause)),
                Err(error) => return Err(error.problem()),
            }
        }
        done(planned.frees, None)
    }

    async fn trim_caches(&self, rules: &CleanupRules, cx: &JobContext) -> Result<(), JobError> {
        let Some(days) = rules.cache_days else {
            cx.log("There is no rule for build cache.");
            return Ok(());
        };
        let mut report = store::report(self.inner.parts.db.read(), &cx.id).await.map_err(jobs::internal)?;
        report.caches.clear();
        for (which, seen) in self.caches(rules).await.map_err(ours)? {
            if !seen.is_trimmed {
                continue;
            }
            let trimmed = self.inner.parts.builders.trim(&which, days.saturating_mul(24), &cx.cancel).await;
            if cx.cancel.is_cancelled() {
                return Err(JobError::Cancelled);
            }
            match &trimmed {
                Ok(freed) => cx.log(&format!("{}: {} of build cache went.", seen.builder, text::bytes(*freed))),
                Err(problem) => cx.log(&format!("{}: {} {}", seen.builder, problem.cause, problem.remedy)),
            }
            report.caches.push((seen.builder, trimmed.map_err(|problem| problem.cause)));
            self.keep(cx, &report).await?;
        }
        if report.caches.is_empty() {
            cx.log("There is no build cache that is Slipway's alone.");
        }
        Ok(())
    }

    async fn sum_up(&self, cx: &JobContext) -> Result<(), JobError> {
        let report = store::report(self.inner.parts.db.read(), &cx.id).await.map_err(jobs::internal)?;
        let (gone, refused) = report.counts();
        cx.log(&format!("Removed: {gone}. Not removed: {refused}. Freed: at least {}.", text::bytes(report.freed())));
        // What is done is done, whether it can be looked at or not.
        let _ = self.look().await;
        Ok(())
    }

    async fn keep(&self, cx: &JobContext, report: &CleanupReport) -> Result<(), JobError> {
        let mut tx = self.inner.parts.db.write().await.map_err(jobs::internal)?;
        store::set_report(&mut tx, &cx.id, report, cx.clock.millis()).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(|error| match problems::of(error) {
            app::error::AppError::Problem(problem) => JobError::Fail(*problem),
            other => JobError::Fail(ours(other)),
        })
    }
}
