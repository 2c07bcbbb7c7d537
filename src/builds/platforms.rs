//! For which platforms a build is, and whether the engine can build for several.

use super::checkout::stopped;
use super::folder::BuildFolder;
use super::{Builds, buildx, causes};
use crate::jobs::{JobContext, JobError};
use crate::registries::Target;
use app::error::Problem;
use app::paths;

impl Builds {
    /// One image for several platforms needs an engine that can keep one; better said now than after a long build.
    pub(super) async fn check_platforms(
        &self,
        target: &Target,
        folder: &BuildFolder,
        cx: &JobContext,
    ) -> Result<(), JobError> {
        let names: Vec<_> = target.platforms.iter().map(ToString::to_string).collect();
        if names.is_empty() {
            return Ok(());
        }
        cx.log(&format!("Building for {}, as the registry {} wants it.", names.join(", "), target.name));
        if names.len() == 1 {
            return Ok(());
        }
        let call = buildx::store(&folder.home(), &self.inner.config.docker_host);
        let store = self.inner.runner.capture(call, &cx.cancel).await.map_err(|error| stopped(error, "docker"))?;
        if !store.ended.is_success() {
            let written = cx.masked(&format!("{} {}", store.out, store.err));
            return Err(JobError::Fail(causes::of_build(&written, &[], store.ended.code)));
        }
        if buildx::is_containerd(&store.out) { Ok(()) } else { Err(JobError::Fail(too_many(target, &names))) }
    }
}

fn too_many(target: &Target, names: &[String]) -> Problem {
    Problem::new(
        "build.platforms",
        format!(
            "The registry {} wants images for {}, but Docker's own image store can't keep one image for several platforms.",
            target.name,
            names.join(" and ")
        ),
        "Turn on Docker's containerd image store (\"features\": {\"containerd-snapshotter\": true} in its daemon.json, then \
         restart it), or turn off multi-arch at the registry.",
    )
    .with_link(paths::registry(&target.id), "Open the registry")
}
