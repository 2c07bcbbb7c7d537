//! The job that builds: prepare · resolve · check out · build and push · confirm · hand over; a file for each that is long.
//!
//! Steps whose result is in the database (the commit, the pushed digest) aren't repeated after a restart; those whose result
//! is in the build folder are.

use super::checkout::Git;
use super::folder::{self, BuildFolder};
use super::inputs::Opened;
use super::{Builds, ServiceFacts, bases, causes, deletion, display, memory, store};
use crate::builders::{self, Chosen};
use crate::jobs::{Handler, JobContext, JobError, internal};
use crate::registries::{PushPass, Target};
use app::error::{AppError, Problem};
use app::model::build::{Build, CommitSha};
use app::model::id::BuildId;
use app::model::image_ref::{Digest, ImageRef};
use app::model::platform::Platform;
use app::model::service::Branch;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

mod confirm;
mod prepare;
mod push;

pub(super) const KIND: &str = "build_image";
/// How many of a log's last lines may tell why a build failed.
const LOOKED_AT: usize = 10_000;

pub(super) struct BuildImage {
    builds: Builds,
}

/// What a branch was when the build began.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Resolved {
    branch: Branch,
    commit: CommitSha,
    reference: ImageRef,
}

/// All that a build works with.
struct Plan {
    facts: ServiceFacts,
    target: Target,
    /// Empty: the one of the builder.
    platforms: Vec<Platform>,
    builder: Chosen,
    secrets: Opened,
    /// The builder is ready as long as this is held.
    _opened: builders::Opened,
}

#[async_trait]
impl Handler for BuildImage {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, payload: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        let build = self.find(&build_id(payload)?).await?;
        match self.work(&build, cx).await {
            Err(JobError::Fail(problem)) => Err(JobError::Fail(self.explained(&build, problem, cx).await)),
            Err(JobError::Retry { after, problem }) => {
                Err(JobError::Retry { after, problem: self.explained(&build, problem, cx).await })
            }
            ended => ended,
        }
    }

    /// Nothing of a build outlives it but the image; the folder is gone with its owner, unless that was broken off hard.
    async fn undo(&self, payload: &serde_json::Value, _: &JobContext) {
        let Ok(id) = build_id(payload) else { return };
        let config = self.builds.inner.config.clone();
        let remove = move || {
            memory::sweep(&config.data_dir, Some(&id));
            folder::remove_of(&config.builds_dir(), &id)
        };
        let removed = tokio::task::spawn_blocking(remove).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(%error, "a build folder can't be removed; the next start tries again");
        }
    }
}

impl BuildImage {
    pub(super) fn new(builds: Builds) -> Self {
        Self { builds }
    }

    async fn work(&self, build: &Build, cx: &JobContext) -> Result<(), JobError> {
        let id = &build.id;
        // Held until the registry has confirmed what was pushed: no garbage is collected there in between.
        let mut pass = None;
        let pushed: Digest = match cx.done(display::STEP).await? {
            Some(digest) => digest,
            None => self.build(build, &mut pass, cx).await?,
        };
        let confirm = async {
            if pass.is_none() {
                pass = Some(self.pass(build, cx).await?);
            }
            self.confirm(id, &pushed, cx).await
        };
        let digest = cx.step("confirm", "Confirm in the registry", confirm).await?;
        drop(pass);
        if build.deploys {
            cx.step("hand_over", "Hand over to deployment", self.hand_over(id, digest, cx)).await?;
        }
        Ok(())
    }

    /// Remembers the line of the log that tells why, and gives the problem its place.
    async fn explained(&self, build: &Build, problem: Problem, cx: &JobContext) -> Problem {
        if let Some(line) = causes::telling::told(&cx.last_lines(LOOKED_AT).await).line {
            // A line that can't be kept is no failure of its own; `internal` says so in the server's log.
            let _ = self.point_at(build, line).await;
        }
        causes::linked(problem, &build.service, &build.registry)
    }

    async fn point_at(&self, build: &Build, line: u64) -> Result<(), JobError> {
        let mut tx = self.builds.inner.db.write().await.map_err(internal)?;
        store::record_telling_line(&mut tx, &build.id, line).await.map_err(internal)?;
        tx.commit().await.map_err(internal)
    }

    /// The right to push. Waiting for it takes nothing of the build's time.
    async fn pass(&self, build: &Build, cx: &JobContext) -> Result<PushPass, JobError> {
        let who = format!("build {} of {}", build.number, build.service_name);
        self.builds.inner.registries.push_pass(&build.registry, &who, cx).await
    }

    async fn build(&self, build: &Build, pass: &mut Option<PushPass>, cx: &JobContext) -> Result<Digest, JobError> {
        let inner = &self.builds.inner;
        let folder = BuildFolder::create(&inner.config.builds_dir(), &build.id, cx.attempt).map_err(internal)?;
        let mut plan = None;
        cx.fresh_step("prepare", "Prepare", async {
            *pass = Some(self.pass(build, cx).await?);
            plan = Some(self.prepare(build, &folder, cx).await?);
            Ok(())
        })
        .await?;
        let Some(plan) = plan else { return Err(gone("registry")) };
        let facts = &plan.facts;
        let repository = &facts.source.repository;
        let access = match &facts.source.access {
            Some(id) => Some(inner.git_accesses.open(id, repository).await.map_err(refused)?),
            None => None,
        };
        let cage = inner.allowed.cage(repository, access, &folder)?;
        for secret in cage.secrets() {
            cx.mask(&secret);
        }
        let git = Git { runner: &inner.runner, cage: &cage, cx };
        let resolved = cx.step("resolve", "Find the commit", self.resolve(build, &plan, &git)).await?;
        cx.fresh_step("checkout", "Check out", async {
            let described = git.check_out(&folder.source(), &resolved.branch, &resolved.commit).await?;
            // What comes now is the repository's own doing, and needs no sign-in at its host.
            cage.forget().map_err(internal)?;
            let mut tx = inner.db.write().await.map_err(internal)?;
            let (subject, author) = (described.subject.as_deref(), described.author.as_deref());
            store::record_message(&mut tx, &build.id, subject, author).await.map_err(internal)?;
            tx.commit().await.map_err(internal)?;
            Ok(())
        })
        .await?;
        let digest =
            cx.step(display::STEP, "Build and push", self.build_and_push(build, &plan, &resolved, &folder, cx)).await?;
        Ok(digest)
    }

    async fn find(&self, id: &BuildId) -> Result<Build, JobError> {
        store::find(self.builds.inner.db.read(), id).await.map_err(internal)?.ok_or_else(|| gone("build"))
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
            bases::mask(login, cx);
        }
        Ok(target)
    }
}

fn build_id(payload: &serde_json::Value) -> Result<BuildId, JobError> {
    payload.get("build").and_then(|id| id.as_str()).and_then(|id| id.parse().ok()).ok_or_else(|| gone("build"))
}

fn gone(what: &str) -> JobError {
    JobError::Fail(Problem::new(
        "build.gone",
        format!("The {what} isn't there any more."),
        "If it was deleted by mistake, create it anew.",
    ))
}

/// What another part of the product refuses.
pub(super) fn refused(error: AppError) -> JobError {
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
