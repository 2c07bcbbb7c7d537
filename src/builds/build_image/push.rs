//! The build itself: buildx builds and pushes, people watch.

use super::{BuildImage, LOOKED_AT, Plan, Resolved};
use crate::builds::bases::Bases;
use crate::builds::checkout::stopped;
use crate::builds::display::Display;
use crate::builds::folder::BuildFolder;
use crate::builds::login::LoginFile;
use crate::builds::observed::Observed;
use crate::builds::{buildx, cache, causes, deletion, recipe, retry};
use crate::docker::ControlGroup;
use crate::jobs::{JobContext, JobError, internal};
use crate::process::Ended;
use crate::registries::Target;
use app::error::Problem;
use app::model::build::Build;
use app::model::build_options::CacheKind;
use app::model::image_ref::{Digest, ImageRef};
use app::paths;
use std::time::{Duration, Instant};

/// The image that BuildKit makes bills of materials with.
const SBOM_GENERATOR: &str = "docker/buildkit-syft-scanner";

fn no_generator(written: &str) -> Problem {
    Problem::new(
        "build.sbom",
        "The bill of materials can't be made: what makes it is an image of Docker Hub, and the builder can't get that.",
        "Let the builder reach Docker Hub, or turn the bill of materials off for this service.",
    )
    .with_details(written)
}

impl BuildImage {
    /// Runs buildx on the checkout; the digest that it says it pushed.
    pub(super) async fn build_and_push(
        &self,
        build: &Build,
        plan: &Plan,
        resolved: &Resolved,
        folder: &BuildFolder,
        cx: &JobContext,
    ) -> Result<Digest, JobError> {
        let inner = &self.builds.inner;
        let Plan { facts, target, platforms, builder, secrets, .. } = plan;
        let options = &facts.source.build;
        let edit = |problem: Problem| problem.with_link(paths::edit_service(&build.service), "Edit the service");
        let rules = inner.settings.build_rules().await.map_err(internal)?;
        let located = recipe::locate(&facts.source, rules.static_image.as_ref(), folder, edit)?;
        // The same commit gives the same image, whichever build makes it: no build id in here.
        let labels = [
            ("org.opencontainers.image.revision", resolved.commit.to_string()),
            ("slipway.service", build.service.to_string()),
        ];
        let bases = self.builds.bases(&located, options, platforms, target, cx).await?;
        let inputs = self.builds.inputs(build, options, secrets, folder, cx.attempt)?;
        let group = self.builds.capped(&build.id, &rules, builder, cx);
        let no_cache = build.no_cache || options.cache == CacheKind::Off;
        let kind = self.cache_kind(plan, folder, cx).await?;
        let place = match kind {
            CacheKind::Local => Some(inner.caches.take(&build.service).map_err(internal)?),
            _ => None,
        };
        self.builds.record_plan(build, &options.recipe, builder).await?;
        let mut push = buildx::Push {
            reference: &resolved.reference,
            located: &located,
            labels: &labels,
            platforms,
            builder,
            inputs: &inputs,
            caching: &cache::caching(kind, &resolved.reference, place.as_ref(), no_cache),
            no_cache,
            sbom: options.sbom,
            provenance: options.provenance,
            group: group.as_ref().map(ControlGroup::parent),
            within: Duration::ZERO,
        };
        let (began, within) = (Instant::now(), Duration::from_secs(u64::from(rules.timeout) * 60));
        let mut tries = 1;
        // What an earlier try said. It built the image, so a later one that doesn't come as far explains nothing.
        let mut failed: Option<(String, i32)> = None;
        loop {
            // All tries together have the time of one build.
            push.within = within.saturating_sub(began.elapsed()).max(Duration::from_secs(1));
            let (ended, written, observed) = self.run_once(&push, target, &bases, folder, cx).await?;
            // Later tries find in the cache what the first one did.
            if tries == 1 {
                self.builds.record_run(build, observed.finish(|text| cx.masked(text)), cx).await?;
            }
            if ended.is_success() {
                break;
            }
            if options.sbom && written.contains(SBOM_GENERATOR) {
                return Err(JobError::Fail(edit(no_generator(&written))));
            }
            if tries < rules.push_tries && retry::may_help(&written) && !self.builds.is_deleted(&target.id).await {
                let pause = retry::pause(tries);
                tries += 1;
                cx.log(&format!(
                    "The push failed for a reason that may pass. Trying again in {} s (try {tries} of {}); what is built is kept.",
                    pause.as_secs(),
                    rules.push_tries
                ));
                cx.or_cancel(tokio::time::sleep(pause)).await?;
                // Commands ran already; only what is missing is done.
                push.no_cache = false;
                failed = Some((written, ended.code));
                continue;
            }
            let (written, code) = match failed {
                Some(failed) if !causes::is_push(&written) => failed,
                _ => (written, ended.code),
            };
            let error = self.explain(&written, code, target, &resolved.reference, &bases, cx).await;
            return Err(if causes::is_push(&written) {
                self.builds.unless_deleted(&target.id, &deletion::called(&target.name), error).await
            } else {
                error
            });
        }
        if let Some(place) = place {
            let kept = tokio::task::spawn_blocking(move || place.keep()).await.map_err(internal)?;
            if let Err(error) = kept {
                cx.log(&format!("The cache can't be kept: {error}."));
            }
        }
        let metadata = std::fs::read_to_string(folder.metadata()).map_err(internal)?;
        buildx::digest(&metadata).ok_or_else(|| {
            JobError::Fail(Problem::new(
                "build.metadata",
                "buildx didn't say which digest it pushed.",
                "Build again; if it stays so, use another version of buildx.",
            ))
        })
    }

    /// One run of buildx; its last lines, and what was seen.
    async fn run_once(
        &self,
        push: &buildx::Push<'_>,
        target: &Target,
        bases: &Bases,
        folder: &BuildFolder,
        cx: &JobContext,
    ) -> Result<(Ended, String, Observed), JobError> {
        let inner = &self.builds.inner;
        let login = LoginFile::write(&folder.login(), &bases.logins).map_err(internal)?;
        let mut display = Display::new(cx);
        let stop = cx.cancel.child_token();
        let mut is_deleted = false;
        let ended = {
            let call = buildx::build(push, folder, &inner.config.docker_host);
            let running = inner.runner.run(call, &stop, &mut display);
            tokio::pin!(running);
            loop {
                tokio::select! {
                    ended = &mut running => break ended,
                    () = self.builds.deletion(&target.id), if !is_deleted => {
                        is_deleted = true;
                        stop.cancel();
                    }
                }
            }
        };
        drop(login);
        let (written, observed) = display.end().await;
        if is_deleted && !cx.cancel.is_cancelled() {
            return Err(JobError::Fail(deletion::told(&deletion::called(&target.name))));
        }
        let ended = ended.map_err(|error| stopped(error, "docker buildx"))?;
        Ok((ended, written, observed))
    }

    /// Where the cache is: not outside of the builder when it can't write any there, which is no reason to fail.
    async fn cache_kind(&self, plan: &Plan, folder: &BuildFolder, cx: &JobContext) -> Result<CacheKind, JobError> {
        let kind = plan.facts.source.build.cache;
        if plan.builder.buildx.is_some() || !matches!(kind, CacheKind::Registry | CacheKind::Local) {
            return Ok(kind);
        }
        let inner = &self.builds.inner;
        let call = buildx::store(&folder.home(), &inner.config.docker_host);
        let store = inner.runner.capture(call, &cx.cancel).await.map_err(|error| stopped(error, "docker"))?;
        if buildx::is_containerd(&store.out) {
            return Ok(kind);
        }
        cx.log(
            "The cache stays with this engine: its own image store can't write one elsewhere. Docker's containerd image store \
             can.",
        );
        Ok(CacheKind::Builder)
    }

    /// A failed push is explained by the registry itself, if it has something to say.
    async fn explain(
        &self,
        written: &str,
        code: i32,
        target: &Target,
        reference: &ImageRef,
        bases: &Bases,
        cx: &JobContext,
    ) -> JobError {
        let told = causes::telling::told(&cx.last_lines(LOOKED_AT).await);
        let output: Vec<&str> = told.output.iter().map(String::as_str).collect();
        let problem = causes::of_build(written, &output, code);
        if !causes::is_push(written) {
            return JobError::Fail(bases.explained(written, problem));
        }
        match self.builds.inner.oci.may_push(&target.access, &reference.repository).await {
            Ok(()) => JobError::Fail(problem),
            Err(error) => {
                let mut explained = self.builds.refused_push(&error, target);
                explained.cause = format!("The image was built, but the push failed. {}", explained.cause);
                let words: Vec<_> = explained.details.take().into_iter().chain(problem.details).collect();
                JobError::Fail(if words.is_empty() { explained } else { explained.with_details(words.join("\n")) })
            }
        }
    }
}
