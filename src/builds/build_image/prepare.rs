//! Before anything is built: what can be known, and which commit it is.

use super::{BuildImage, Plan, Resolved, refused};
use crate::builds::checkout::{Git, stopped};
use crate::builds::folder::BuildFolder;
use crate::builds::name::name;
use crate::builds::{buildx, deletion, store};
use crate::jobs::{JobContext, JobError, internal};
use crate::oci::OciError;
use crate::registries::Target;
use app::error::Problem;
use app::model::build::Build;
use app::paths;

impl BuildImage {
    /// All that can be known before anything is fetched: the service, the registry, the right to push, buildx.
    pub(super) async fn prepare(&self, build: &Build, folder: &BuildFolder, cx: &JobContext) -> Result<Plan, JobError> {
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
        let options = &facts.source.build;
        let secrets = self.builds.open_secrets(build, options, cx).await?;
        let platforms = if options.platforms.is_empty() { &target.platforms } else { &options.platforms }.clone();
        let builder = inner.builders.choose(&platforms, options.builder.as_ref()).await?;
        let mut tx = inner.db.write().await.map_err(internal)?;
        store::record_builder(&mut tx, &build.id, &builder.name).await.map_err(internal)?;
        tx.commit().await.map_err(internal)?;
        self.builds.check_platforms(&target, folder, cx).await?;
        Ok(Plan { facts, target, platforms, builder, secrets })
    }

    /// Branch to commit, unless a commit was asked for.
    pub(super) async fn resolve(&self, build: &Build, plan: &Plan, git: &Git<'_>) -> Result<Resolved, JobError> {
        let inner = &self.builds.inner;
        let (branch, commit) = store::wanted(inner.db.read(), &build.id).await.map_err(internal)?;
        let branch = branch.unwrap_or_else(|| plan.facts.source.branch.clone());
        let commit = match commit {
            Some(commit) => commit,
            None => {
                let commit = git.resolve(&branch).await?;
                git.cx.log(&format!("Branch {branch} is at {commit}."));
                commit
            }
        };
        let reference = name(build, &plan.facts, &plan.target, commit.as_str())?;
        let mut tx = inner.db.write().await.map_err(internal)?;
        store::record_commit(&mut tx, &build.id, &branch, &commit, &reference).await.map_err(internal)?;
        tx.commit().await.map_err(internal)?;
        Ok(Resolved { branch, commit, reference })
    }

    /// The registry doesn't answer as it should.
    pub(super) async fn unreachable(&self, error: &OciError, target: &Target) -> JobError {
        let problem =
            self.builds.refused_push(error, target).with_link(paths::registry(&target.id), "See the registry");
        self.builds.unless_deleted(&target.id, &deletion::called(&target.name), JobError::Fail(problem)).await
    }
}
