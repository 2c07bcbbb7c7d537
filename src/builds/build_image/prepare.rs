//! Before anything is built: what can be known, and which commit it is.

use super::{BuildImage, Plan, Resolved, refused};
use crate::builders::{Chosen, Opened, Wish};
use crate::builds::checkout::{Git, stopped};
use crate::builds::folder::BuildFolder;
use crate::builds::name::name;
use crate::builds::{buildx, deletion, store};
use crate::jobs::{JobContext, JobError, internal};
use crate::oci::OciError;
use crate::registries::Target;
use app::error::Problem;
use app::model::build::Build;
use app::model::build_options::BuildOptions;
use app::model::platform::Platform;
use app::paths;

impl BuildImage {
    /// All that can be known before anything is fetched: the service, the registry, the right to push, buildx.
    pub(super) async fn prepare(&self, build: &Build, folder: &BuildFolder, cx: &JobContext) -> Result<Plan, JobError> {
        let inner = &self.builds.inner;
        cx.or_cancel(inner.disks.may_begin(&build.registry)).await??;
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
        let (builder, opened) = self.builder(options, &platforms, &target, cx).await?;
        let mut tx = inner.db.write().await.map_err(internal)?;
        store::record_builder(&mut tx, &build.id, &builder.name).await.map_err(internal)?;
        tx.commit().await.map_err(internal)?;
        Ok(Plan { facts, target, platforms, builder, secrets, _opened: opened })
    }

    /// What builds, ready to; and in the log for which platforms, and at what cost.
    async fn builder(
        &self,
        options: &BuildOptions,
        platforms: &[Platform],
        target: &Target,
        cx: &JobContext,
    ) -> Result<(Chosen, Opened), JobError> {
        let builders = &self.builds.inner.builders;
        let names: Vec<_> = platforms.iter().map(ToString::to_string).collect();
        if !names.is_empty() {
            let whose = if options.platforms.is_empty() {
                format!("the registry {}", target.name)
            } else {
                "the service".into()
            };
            cx.log(&format!("Building for {}, as {whose} wants it.", names.join(", ")));
        }
        builders.know(&cx.cancel).await;
        let wish = Wish { platforms, wanted: options.builder.as_ref(), is_local: target.access.url.host.is_loopback() };
        let chosen = builders.choose(&wish).await.map_err(refused)?;
        if let Some(note) = &chosen.note {
            cx.log(note);
        }
        let opened = cx.or_cancel(builders.ready(&chosen, &cx.cancel)).await??;
        cx.log(&format!("Builder: {}.", chosen.name));
        if let Some(warning) = chosen.warning() {
            cx.log(&format!("Warning: {warning}"));
        }
        Ok((chosen, opened))
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
