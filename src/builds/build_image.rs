//! The job that builds: prepare · resolve · check out · build and push · confirm · hand over.
//!
//! Steps whose result is in the database (the commit, the pushed digest) aren't repeated after a restart; those whose result
//! is in the build folder are.

use super::checkout::{Git, stopped};
use super::display::{self, Display};
use super::folder::{self, BuildFolder};
use super::login::LoginFile;
use super::{Builds, FinishedBuild, ServiceFacts, buildx, causes, context, deletion, store};
use crate::jobs::{Handler, JobContext, JobError, internal};
use crate::oci::OciError;
use crate::registries::Target;
use app::error::{AppError, Problem};
use app::model::build::{Build, CommitSha};
use app::model::id::BuildId;
use app::model::image_ref::{Digest, ImageRef};
use app::model::path_template::{push_reference, service_part};
use app::model::secret::Secret;
use app::paths;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

pub(super) const KIND: &str = "build_image";

pub(super) struct BuildImage {
    builds: Builds,
}

/// What a branch was when the build began.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Resolved {
    commit: CommitSha,
    reference: ImageRef,
}

/// All that a build works with.
struct Plan {
    facts: ServiceFacts,
    target: Target,
}

#[async_trait]
impl Handler for BuildImage {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, payload: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        let id = build_id(payload)?;
        let build = self.find(&id).await?;
        let pushed: Digest = match cx.done(display::STEP).await? {
            Some(digest) => digest,
            None => self.build(&build, cx).await?,
        };
        let digest = cx.step("confirm", "Confirm in the registry", self.confirm(&id, &pushed, cx)).await?;
        if build.deploys {
            cx.step("hand_over", "Hand over to deployment", self.hand_over(&id, digest, cx)).await?;
        }
        Ok(())
    }

    /// Nothing of a build outlives it but the image; the folder is gone with its owner, unless that was broken off hard.
    async fn undo(&self, payload: &serde_json::Value, _: &JobContext) {
        let Ok(id) = build_id(payload) else { return };
        let builds = self.builds.inner.config.builds_dir();
        let removed = tokio::task::spawn_blocking(move || folder::remove_of(&builds, &id)).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(%error, "a build folder can't be removed; the next start tries again");
        }
    }
}

impl BuildImage {
    pub(super) fn new(builds: Builds) -> Self {
        Self { builds }
    }

    async fn build(&self, build: &Build, cx: &JobContext) -> Result<Digest, JobError> {
        let inner = &self.builds.inner;
        let folder = BuildFolder::create(&inner.config.builds_dir(), &build.id, cx.attempt).map_err(internal)?;
        let mut plan = None;
        cx.fresh_step("prepare", "Prepare", async {
            plan = Some(self.prepare(build, &folder, cx).await?);
            Ok(())
        })
        .await?;
        let Some(Plan { facts, target }) = plan else { return Err(gone("registry")) };
        let cage = inner.allowed.cage(&facts.source.repository, &folder)?;
        let git = Git { runner: &inner.runner, cage: &cage, cx };
        let resolved = cx.step("resolve", "Find the commit", self.resolve(build, &facts, &target, &git)).await?;
        cx.fresh_step("checkout", "Check out", async {
            let described = git.check_out(&folder.source(), &facts.source.branch, &resolved.commit).await?;
            let mut tx = inner.db.write().await.map_err(internal)?;
            let (subject, author) = (described.subject.as_deref(), described.author.as_deref());
            store::record_message(&mut tx, &build.id, subject, author).await.map_err(internal)?;
            tx.commit().await.map_err(internal)?;
            Ok(())
        })
        .await?;
        let digest = cx
            .step(display::STEP, "Build and push", self.build_and_push(build, &facts, &target, &resolved, &folder, cx))
            .await?;
        Ok(digest)
    }

    /// All that can be known before anything is fetched: the service, the registry, the right to push, buildx.
    async fn prepare(&self, build: &Build, folder: &BuildFolder, cx: &JobContext) -> Result<Plan, JobError> {
        let inner = &self.builds.inner;
        let facts = self.builds.services().map_err(refused)?.facts(&build.service).await.map_err(refused)?;
        let target = self.target(build, cx).await?;
        // The tag isn't known yet; the repository is.
        let reference = name(build, &facts, &target, "latest")?;
        cx.log(&format!("Pushing to {}/{} in the registry {}.", reference.host, reference.repository, target.name));
        if let Err(error) = cx.or_cancel(inner.oci.may_push(&target.access, &reference.repository)).await? {
            return Err(self.unreachable(&error, &target).await);
        }
        let version = inner
            .runner
            .capture(buildx::version(&folder.home(), &inner.config.docker_host), &cx.cancel)
            .await
            .map_err(|error| stopped(error, "docker"))?;
        if !version.ended.is_success() {
            let written = cx.masked(&format!("{} {}", version.out, version.err));
            return Err(JobError::Fail(
                Problem::new(
                    "buildx.missing",
                    "The docker program has no buildx plugin.",
                    "Install docker-buildx (Debian) or docker-buildx-plugin (Docker's packages), and build again.",
                )
                .with_link(paths::SETTINGS, "See Settings")
                .with_details(written),
            ));
        }
        cx.log(version.out.trim_end());
        self.builds.check_platforms(&target, folder, cx).await?;
        Ok(Plan { facts, target })
    }

    async fn resolve(
        &self,
        build: &Build,
        facts: &ServiceFacts,
        target: &Target,
        git: &Git<'_>,
    ) -> Result<Resolved, JobError> {
        let commit = git.resolve(&facts.source.branch).await?;
        let reference = name(build, facts, target, commit.as_str())?;
        git.cx.log(&format!("Branch {} is at {commit}.", facts.source.branch));
        let mut tx = self.builds.inner.db.write().await.map_err(internal)?;
        store::record_commit(&mut tx, &build.id, &commit, &reference).await.map_err(internal)?;
        tx.commit().await.map_err(internal)?;
        Ok(Resolved { commit, reference })
    }

    async fn build_and_push(
        &self,
        build: &Build,
        facts: &ServiceFacts,
        target: &Target,
        resolved: &Resolved,
        folder: &BuildFolder,
        cx: &JobContext,
    ) -> Result<Digest, JobError> {
        let inner = &self.builds.inner;
        let edit = |problem: Problem| problem.with_link(paths::edit_service(&build.service), "Edit the service");
        let located =
            context::locate(&folder.source(), &facts.source.dockerfile, &facts.source.context).map_err(edit)?;
        // The same commit gives the same image, whichever build makes it: no build id in here.
        let labels = [
            ("org.opencontainers.image.revision", resolved.commit.to_string()),
            ("slipway.service", build.service.to_string()),
        ];
        let push = buildx::Push {
            reference: &resolved.reference,
            located: &located,
            labels: &labels,
            platforms: &target.platforms,
        };
        let login = LoginFile::write(&folder.login(), &target.access.url.host, target.access.login.as_ref())
            .map_err(internal)?;
        let mut display = Display::new(cx);
        let stop = cx.cancel.child_token();
        let mut is_deleted = false;
        let ended = {
            let call = buildx::build(&push, folder, &inner.config.docker_host);
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
        let written = display.end().await;
        if is_deleted && !cx.cancel.is_cancelled() {
            return Err(JobError::Fail(deletion::told(&deletion::called(&target.name))));
        }
        let ended = ended.map_err(|error| stopped(error, "docker buildx"))?;
        if !ended.is_success() {
            let error = self.explain(&written, ended.code, target, &resolved.reference).await;
            return Err(if causes::is_push(&written) {
                self.builds.unless_deleted(&target.id, &deletion::called(&target.name), error).await
            } else {
                error
            });
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

    /// A failed push is explained by the registry itself, if it has something to say.
    async fn explain(&self, written: &str, code: i32, target: &Target, reference: &ImageRef) -> JobError {
        let problem = causes::of_build(written, code);
        if !causes::is_push(written) {
            return JobError::Fail(problem);
        }
        match self.builds.inner.oci.may_push(&target.access, &reference.repository).await {
            Ok(()) => JobError::Fail(problem),
            Err(error) => {
                let mut explained = error.problem();
                explained.cause = format!("The image was built, but the push failed. {}", explained.cause);
                let words: Vec<_> = explained.details.take().into_iter().chain(problem.details).collect();
                JobError::Fail(if words.is_empty() { explained } else { explained.with_details(words.join("\n")) })
            }
        }
    }

    /// The registry has what buildx says it pushed.
    async fn confirm(&self, id: &BuildId, pushed: &Digest, cx: &JobContext) -> Result<Digest, JobError> {
        let inner = &self.builds.inner;
        let build = self.find(id).await?;
        let reference = build.reference.clone().ok_or_else(|| gone("build"))?;
        let target = self.target(&build, cx).await?;
        let tag = reference.tag.as_ref().map(ToString::to_string).unwrap_or_default();
        let found = match cx.or_cancel(inner.oci.digest(&target.access, &reference.repository, &tag)).await? {
            Ok(found) => found,
            Err(error) => return Err(self.unreachable(&error, &target).await),
        };
        match found {
            Some(found) if found == *pushed => {}
            Some(found) => {
                return Err(JobError::Fail(
                    Problem::new(
                        "build.digest",
                        format!(
                            "The registry {} has another image under this tag than the one that was pushed.",
                            target.name
                        ),
                        "Somebody else pushed at the same time, or the registry changes images. Build again.",
                    )
                    .with_details(format!("pushed {pushed}, found {found}")),
                ));
            }
            None => {
                return Err(JobError::Fail(Problem::new(
                    "build.not_there",
                    format!("The registry {} doesn't have the image, although the push succeeded.", target.name),
                    "Check the registry's retention rules and storage, and build again.",
                )));
            }
        }
        let mut tx = inner.db.write().await.map_err(internal)?;
        store::record_digest(&mut tx, id, pushed).await.map_err(internal)?;
        tx.commit().await.map_err(internal)?;
        cx.log(&format!("{} has {reference}@{pushed}.", target.name));
        Ok(pushed.clone())
    }

    async fn hand_over(&self, id: &BuildId, digest: Digest, cx: &JobContext) -> Result<(), JobError> {
        let inner = &self.builds.inner;
        let build = self.find(id).await?;
        let (Some(reference), Some(commit)) = (build.reference, build.commit) else { return Err(gone("build")) };
        let finished = FinishedBuild {
            id: build.id,
            number: build.number,
            service: build.service,
            image: ImageRef { digest: Some(digest), ..reference },
            registry: build.registry,
            commit,
            commit_subject: build.commit_subject,
            asked_by: build.asked_by,
        };
        let services = self.builds.services().map_err(refused)?;
        let mut tx = inner.db.write().await.map_err(internal)?;
        services.deploy(&mut tx, &finished).await.map_err(refused)?;
        tx.commit().await.map_err(internal)?;
        inner.jobs.wake();
        cx.log("The deployment is queued.");
        Ok(())
    }

    async fn find(&self, id: &BuildId) -> Result<Build, JobError> {
        store::find(self.builds.inner.db.read(), id).await.map_err(internal)?.ok_or_else(|| gone("build"))
    }

    /// The registry doesn't answer as it should.
    async fn unreachable(&self, error: &OciError, target: &Target) -> JobError {
        let problem = error.problem().with_link(paths::registry(&target.id), "See the registry");
        self.builds.unless_deleted(&target.id, &deletion::called(&target.name), JobError::Fail(problem)).await
    }

    /// The registry, opened; its password is masked from here on, alone and as Docker encodes it.
    async fn target(&self, build: &Build, cx: &JobContext) -> Result<Target, JobError> {
        let deleted = || JobError::Fail(deletion::told(&deletion::at(build.reference.as_ref())));
        let target = match self.builds.inner.registries.target(&build.registry).await {
            Ok(target) => target.ok_or_else(deleted)?,
            Err(_) if self.builds.is_deleted(&build.registry).await => return Err(deleted()),
            Err(error) => return Err(refused(error)),
        };
        if let Some(login) = &target.access.login {
            cx.mask(&login.password);
            let password = login.password.expose("its encoded form is masked");
            cx.mask(&Secret::new(STANDARD.encode(format!("{}:{password}", login.username))));
        }
        Ok(target)
    }
}

fn build_id(payload: &serde_json::Value) -> Result<BuildId, JobError> {
    payload.get("build").and_then(|id| id.as_str()).and_then(|id| id.parse().ok()).ok_or_else(|| gone("build"))
}

fn name(build: &Build, facts: &ServiceFacts, target: &Target, tag: &str) -> Result<ImageRef, JobError> {
    let base = facts.source.base_path.as_ref().or(target.base_path.as_ref());
    let service = service_part(&facts.slug, &build.service);
    push_reference(&target.access.url.host, base, &facts.project_slug, &service, tag).map_err(|malformed| {
        JobError::Fail(
            Problem::new("build.name", "The image can't have the name that it would get.", malformed.0)
                .with_link(paths::edit_service(&build.service), "Edit the service"),
        )
    })
}

fn gone(what: &str) -> JobError {
    JobError::Fail(Problem::new(
        "build.gone",
        format!("The {what} isn't there any more."),
        "If it was deleted by mistake, create it anew.",
    ))
}

/// What another part of the product refuses.
fn refused(error: AppError) -> JobError {
    match error {
        AppError::Problem(problem) => JobError::Fail(*problem),
        AppError::NotFound(what) => gone(&what),
        error @ AppError::Internal { .. } => JobError::Fail(Problem::new(
            "internal",
            error.to_string(),
            "Try again; if it happens again, report it with that part of the log.",
        )),
        error => JobError::Fail(Problem::new("build.refused", error.to_string(), "Put that right, and build again.")),
    }
}
