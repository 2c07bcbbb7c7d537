//! From a repository and a branch to one commit's files, with git in its cage.

use super::causes;
use super::folder::BuildFolder;
use super::git::{Cage, commit_of};
use crate::git_access::Opened;
use crate::jobs::{JobContext, JobError, LogStream, internal};
use crate::process::{Captured, Ended, Invocation, Output, ProcessError, Runner, Sink};
use app::error::Problem;
use app::model::build::CommitSha;
use app::model::service::{Branch, GitUrl};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Longest subject and author that are kept.
const LONGEST: usize = 200;

/// What the administrator allows git, for all builds.
#[derive(Clone, Debug)]
pub(super) struct Allowed {
    /// Folders below which local repositories may be built.
    pub(super) local: Vec<PathBuf>,
    pub(super) known_hosts: PathBuf,
    pub(super) ca_file: Option<OsString>,
    pub(super) ssh_agent: Option<OsString>,
}

impl Allowed {
    /// The cage for one repository, with its files written.
    pub(super) fn cage(&self, url: &GitUrl, access: Option<Opened>, folder: &BuildFolder) -> Result<Cage, JobError> {
        let address = if url.is_local() { self.local(url)? } else { url.as_str().to_owned() };
        let cage = Cage {
            address,
            protocol: url.protocol(),
            home: folder.home(),
            known_hosts: self.known_hosts.clone(),
            ca_file: self.ca_file.clone(),
            ssh_agent: self.ssh_agent.clone(),
            access,
        };
        cage.write().map_err(internal)?;
        Ok(cage)
    }

    /// The folder's real path, if it is below an allowed one. Looked at anew for each build: links may have changed.
    fn local(&self, url: &GitUrl) -> Result<String, JobError> {
        let refused = || {
            Problem::new(
                "git.local",
                format!("The folder {url} isn't below one that local repositories may be built from, or isn't there."),
                "Use an https:// or ssh:// address, or allow the folder in Slipway's configuration.",
            )
        };
        let path = Path::new(url.as_str()).canonicalize().map_err(|_| refused())?;
        let is_allowed = |root: &PathBuf| root.canonicalize().is_ok_and(|root| path.starts_with(root));
        match path.to_str() {
            Some(text) if self.local.iter().any(is_allowed) && path.is_dir() => Ok(text.to_owned()),
            _ => Err(refused().into()),
        }
    }
}

/// What is known of a commit once it is fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Described {
    pub(super) subject: Option<String>,
    pub(super) author: Option<String>,
}

/// Runs git for one build.
pub(super) struct Git<'a> {
    pub(super) runner: &'a Runner,
    pub(super) cage: &'a Cage,
    pub(super) cx: &'a JobContext,
}

impl Git<'_> {
    /// Branch → commit.
    pub(super) async fn resolve(&self, branch: &Branch) -> Result<CommitSha, JobError> {
        let listed = self.ask(self.cage.ask_branch(branch)).await?;
        commit_of(&listed, branch).ok_or_else(|| {
            JobError::Fail(Problem::new(
                "git.branch",
                format!("The repository has no branch {branch}."),
                "Check the branch on the service, or push it to the repository.",
            ))
        })
    }

    /// The commit's files into `source`, without `.git`: nothing of it is needed for the build, and it would go into the
    /// image with a careless COPY.
    pub(super) async fn check_out(
        &self,
        source: &Path,
        branch: &Branch,
        commit: &CommitSha,
    ) -> Result<Described, JobError> {
        self.ask(self.cage.init(source, commit)).await?;
        self.fetch(source, branch, commit).await?;
        self.ask(self.cage.check_out(source, commit)).await?;
        let described = describe(&self.ask(self.cage.describe(source, commit)).await?);
        if source.join(".gitmodules").exists() {
            self.cx.log("This repository has submodules. They aren't fetched.");
        }
        let git = source.join(".git");
        tokio::task::spawn_blocking(move || std::fs::remove_dir_all(git)).await.map_err(internal)?.map_err(internal)?;
        Ok(described)
    }

    async fn fetch(&self, source: &Path, branch: &Branch, commit: &CommitSha) -> Result<(), JobError> {
        let Err((problem, written)) = self.show(self.cage.fetch_commit(source, commit)).await? else { return Ok(()) };
        if !["unadvertised object", "not our ref", "couldn't find remote ref"].iter().any(|text| written.contains(text))
        {
            return Err(problem.into());
        }
        self.cx.log("The repository doesn't give out commits by name; fetching the branch.");
        if let Err((problem, _)) = self.show(self.cage.fetch_branch(source, branch)).await? {
            return Err(problem.into());
        }
        let fetched = self.ask(self.cage.ask_fetched(source)).await?;
        if fetched.trim() == commit.as_str() {
            return Ok(());
        }
        Err(JobError::Fail(Problem::new(
            "git.moved",
            format!(
                "The branch {branch} moved on while it was fetched, and the repository no longer gives out {commit}."
            ),
            "Build again: the newest commit is taken.",
        )))
    }

    /// A call whose output is the answer.
    async fn ask(&self, invocation: Invocation) -> Result<String, JobError> {
        let Captured { ended, out, err } =
            self.runner.capture(invocation, &self.cx.cancel).await.map_err(|error| stopped(error, "git"))?;
        if ended.is_success() {
            return Ok(out);
        }
        self.cx.log(err.trim_end());
        Err(self.problem(&self.masked(&err)).into())
    }

    /// A call that people watch; the inner error has its problem and what it wrote.
    async fn show(&self, invocation: Invocation) -> Result<Result<(), (Problem, String)>, JobError> {
        let mut sink = Shown { stream: self.cx.stream(None), kept: Vec::new() };
        let Ended { code } =
            self.runner.run(invocation, &self.cx.cancel, &mut sink).await.map_err(|error| stopped(error, "git"))?;
        sink.stream.end();
        if code == 0 {
            return Ok(Ok(()));
        }
        let written = self.masked(&String::from_utf8_lossy(&sink.kept));
        Ok(Err((self.problem(&written), written)))
    }

    /// Why git failed, and what to do about it.
    fn problem(&self, written: &str) -> Problem {
        self.cage.explain(causes::of_git(written))
    }

    fn masked(&self, text: &str) -> String {
        text.lines().map(|line| self.cx.masked(line)).collect::<Vec<_>>().join("\n")
    }
}

/// Into the log, and the last of it kept.
struct Shown {
    stream: LogStream,
    kept: Vec<u8>,
}

#[async_trait]
impl Sink for Shown {
    async fn take(&mut self, _: Output, piece: &[u8]) {
        self.stream.write(piece);
        self.kept.extend_from_slice(piece);
        let surplus = self.kept.len().saturating_sub(16 * 1_024);
        self.kept.drain(..surplus);
    }
}

/// A program that was stopped, ran too long or isn't there.
pub(super) fn stopped(error: ProcessError, what: &str) -> JobError {
    match error {
        ProcessError::Cancelled(_) => JobError::Cancelled,
        ProcessError::TimedOut { within, .. } => JobError::Fail(Problem::new(
            "process.timeout",
            format!("{what} took longer than {} minutes and was ended.", within.as_secs().div_ceil(60)),
            "Look in the log for where it hung, and build again.",
        )),
        ProcessError::NotInstalled(program) => JobError::Fail(Problem::new(
            "process.missing",
            format!("The program {program} isn't installed on this server, or not on Slipway's PATH."),
            "Install it, restart Slipway and build again.",
        )),
        error => internal(error),
    }
}

fn describe(written: &str) -> Described {
    let mut lines = written.lines().map(|line| {
        let text: String = line.chars().filter(|c| !app::model::text::is_hidden(*c)).take(LONGEST).collect();
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    });
    Described { subject: lines.next().flatten(), author: lines.next().flatten() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::id::BuildId;

    fn allowed(local: &[&Path]) -> Allowed {
        Allowed {
            local: local.iter().map(|path| path.to_path_buf()).collect(),
            known_hosts: "/data/known_hosts".into(),
            ca_file: None,
            ssh_agent: None,
        }
    }

    #[test]
    fn local_repositories_are_allowed_only_below_the_configured_folders() {
        let data = tempfile::tempdir().expect("a folder");
        let (inside, outside) = (data.path().join("repos/shop"), data.path().join("other"));
        std::fs::create_dir_all(&inside).expect("a folder");
        std::fs::create_dir_all(&outside).expect("a folder");
        std::os::unix::fs::symlink(&outside, data.path().join("repos/link")).expect("a link");
        let folder =
            BuildFolder::create(&data.path().join("builds"), &BuildId::from_random([1; 8]), 1).expect("a folder");
        let repos = data.path().join("repos");
        let url = |path: &Path| path.to_str().expect("text").parse::<GitUrl>().expect("an address");
        let cage = allowed(&[&repos]).cage(&url(&inside), None, &folder).expect("allowed");
        assert_eq!(cage.protocol, "file");
        assert!(std::fs::read_to_string(cage.configuration_file()).expect("a file").contains("/repos/shop\""));
        for path in [outside.as_path(), &data.path().join("repos/link"), &repos.join("none"), Path::new("/etc")] {
            assert!(allowed(&[&repos]).cage(&url(path), None, &folder).is_err(), "{path:?}");
        }
        assert!(allowed(&[]).cage(&url(&inside), None, &folder).is_err());
    }

    #[test]
    fn subject_and_author_are_one_line_each_without_hidden_characters() {
        let described = describe("Fix \u{202e}<b>it</b>\x1b[31m\nAda\u{200b} L.\n");
        assert_eq!(described.subject.as_deref(), Some("Fix <b>it</b>[31m"));
        assert_eq!(described.author.as_deref(), Some("Ada L."));
        assert_eq!(describe("\n"), Described { subject: None, author: None });
        assert_eq!(describe(&"x".repeat(500)).subject.map(|text| text.len()), Some(LONGEST));
    }
}
