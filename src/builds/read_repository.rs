//! Trying an access to a git host at a repository, outside of any build.

use super::Builds;
use super::causes;
use super::folder::BuildFolder;
use crate::clock::random;
use crate::git_access::{Opened, Reader};
use crate::jobs::JobError;
use crate::process::ProcessError;
use app::error::Problem;
use app::model::id::BuildId;
use app::model::service::GitUrl;
use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

#[async_trait]
impl Reader for Builds {
    async fn branches(&self, url: &GitUrl, access: &Opened) -> Result<u64, Problem> {
        let inner = &self.inner;
        // A folder as builds have it: private, and gone afterwards in every case.
        let folder = BuildFolder::create(&inner.config.builds_dir(), &BuildId::from_random(random()), 0)
            .map_err(|error| broken(&error))?;
        let cage = inner.allowed.cage(url, Some(access.clone()), &folder).map_err(|error| match error {
            JobError::Fail(problem) => problem,
            _ => broken(&std::io::Error::other("the folder can't be used")),
        })?;
        let done =
            inner.runner.capture(cage.ask_branches(), &CancellationToken::new()).await.map_err(
                |error| match error {
                    ProcessError::NotInstalled(_) => Problem::new(
                        "git.missing",
                        "The program git isn't installed on this server.",
                        "Install git, and try again.",
                    ),
                    error => {
                        Problem::new("git.broken", format!("The repository couldn't be asked: {error}."), "Try again.")
                    }
                },
            )?;
        if !done.ended.is_success() {
            let mut written = done.err;
            for secret in cage.secrets() {
                written = written.replace(secret.expose("it is taken out of what is shown"), "•••");
            }
            return Err(cage.explain(causes::of_git(&written)));
        }
        Ok(u64::try_from(done.out.lines().count()).unwrap_or(u64::MAX))
    }
}

fn broken(error: &std::io::Error) -> Problem {
    Problem::new(
        "git.folder",
        format!("Slipway's folder for builds can't be used: {error}."),
        "Look at the data folder, and try again.",
    )
}
