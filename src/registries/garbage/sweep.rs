//! The registry's own program marks and sweeps, in a container of its own beside the registry: the same image, the same
//! configuration, the same storage.

use super::super::record::Record;
use super::super::{Registries, config, names};
use crate::docker::{LogQuery, OneShot, Task, TaskState};
use crate::jobs::{JobContext, JobError};
use app::error::Problem;
use app::model::registry::Storage;
use app::paths;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::Instant;

const POLL: Duration = Duration::from_millis(500);
/// Between two looks at the end of a sweep that another job began.
const SLOW: Duration = Duration::from_secs(2);
/// Between two lines about how far it is.
const TELL: Duration = Duration::from_secs(5);
/// So long it may wait for a node.
const PLACE: Duration = Duration::from_secs(180);
/// So long its log is read for the numbers, which nothing else needs.
const READ: Duration = Duration::from_secs(60);
/// A container that is told to end has a second for it.
const GONE: Duration = Duration::from_secs(20);
/// It keeps what it marked in memory: some hundred bytes for each blob.
const MEMORY: i64 = 2 * 1024 * 1024 * 1024;
const LINES: usize = 20;

/// How far it is, by what it prints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Manifests and blobs that are needed, each as often as it was met.
    pub met: u64,
    /// Blobs that stay; known when all are marked.
    pub kept: Option<u64>,
    /// Blobs that go; known when all are marked.
    pub eligible: Option<u64>,
    /// Blobs that went.
    pub deleted: u64,
}

impl Progress {
    fn take(&mut self, line: &str) {
        let line = line.trim();
        if line.starts_with("blob eligible for deletion: ") {
            self.deleted += 1;
        } else if line.contains(": marking manifest ") || line.contains(": marking blob ") {
            self.met += 1;
        } else if let Some((kept, rest)) = line.split_once(" blobs marked, ")
            && let Some((eligible, _)) = rest.split_once(" blobs and ")
        {
            (self.kept, self.eligible) = (kept.parse().ok(), eligible.parse().ok());
        }
    }

    /// Whether blobs are being deleted by now.
    fn sweeps(&self) -> bool {
        self.eligible.is_some() || self.deleted > 0
    }

    fn words(&self) -> String {
        match (self.eligible, self.kept) {
            (Some(eligible), Some(kept)) => format!("{kept} blobs stay, {eligible} go; {} are deleted.", self.deleted),
            _ => format!("Marking what is needed: {} manifests and blobs so far.", self.met),
        }
    }
}

fn label(key: &str, value: &str) -> String {
    format!("{key}={value}")
}

impl Registries {
    /// Runs it, or waits for the one that runs already. By exit code; the numbers are from its log.
    pub(super) async fn sweep(&self, record: &Record, cx: &JobContext) -> Result<Progress, JobError> {
        let docker = &self.parts.docker;
        let ours = [names::filter(&record.id), label(names::ROLE, names::COLLECTS), label(names::JOB, cx.id.as_str())];
        let service = match docker.services_with(&ours).await?.pop() {
            Some(service) => {
                cx.log("It runs already; following it.");
                service
            }
            None => {
                // Of a job that was broken off: two at once would be two sweeps.
                self.end_sweeps(record, cx).await?;
                let one_shot = self.one_shot(record, cx).await?;
                let service = docker.create_one_shot(&one_shot).await?;
                cx.log(&format!("{} runs {} beside the registry.", one_shot.name, one_shot.args.join(" ")));
                service
            }
        };
        let task = self.follow(record, &service, cx).await?;
        if task.state == TaskState::Complete && task.exit_code.unwrap_or(0) == 0 {
            let progress = self.read_progress(&service).await;
            cx.log(&progress.words());
            return Ok(progress);
        }
        let last = match docker.task_log(&task.id, LINES).await {
            Ok(lines) => lines,
            Err(error) => vec![format!("What it printed can't be read: {error}.")],
        };
        for line in &last {
            cx.log(line);
        }
        Err(ended_badly(record, &task, last.last().map_or("", |line| line.trim()), cx).into())
    }

    async fn one_shot(&self, record: &Record, cx: &JobContext) -> Result<OneShot, JobError> {
        let network = self.network().await?;
        let secrets = self.secrets(record).await?;
        let mut labels = names::labels(&record.id);
        labels.push((names::ROLE.to_owned(), names::COLLECTS.to_owned()));
        labels.push((names::JOB.to_owned(), cx.id.to_string()));
        let volume = match &record.wanted.storage {
            Storage::Volume { name } => Some((name.clone(), config::DATA.to_owned())),
            Storage::S3(_) => None,
        };
        let constraints = match (&volume, &record.node) {
            (Some(_), Some((node, _))) => vec![format!("node.id=={node}")],
            _ => Vec::new(),
        };
        Ok(OneShot {
            name: names::garbage(&record.id),
            labels,
            image: record.wanted.image.clone(),
            args: vec!["garbage-collect".to_owned(), config::CONFIG.to_owned()],
            env: vec![("OTEL_TRACES_EXPORTER".to_owned(), "none".to_owned())],
            secrets: secrets.into_iter().filter(|secret| secret.file == config::CONFIG).collect(),
            volume,
            constraints,
            network: network.id,
            memory: MEMORY,
        })
    }

    /// Until its task has ended. A cancel ends the wait: what is left then depends on whether it sweeps, and another job
    /// sees to that.
    async fn follow(&self, record: &Record, service: &str, cx: &JobContext) -> Result<Task, JobError> {
        let query = LogQuery { tail: None, since: None, follow: true };
        let mut lines = Box::pin(self.parts.docker.service_log(service, &query)).fuse();
        let (mut progress, mut told, mut next) = (Progress::default(), String::new(), Instant::now() + TELL);
        let begun = Instant::now();
        let mut look = tokio::time::interval(POLL);
        let mut is_open = true;
        loop {
            tokio::select! {
                line = lines.next(), if is_open => match line {
                    Some(Ok(line)) => progress.take(&line.text),
                    // Its end tells how it was; the log is only shown.
                    Some(Err(_)) | None => is_open = false,
                },
                _ = look.tick() => {
                    let task = self.parts.docker.tasks(std::slice::from_ref(&service.to_owned())).await?.into_iter().next();
                    match task {
                        Some(task) if task.state >= TaskState::Complete => return Ok(task),
                        Some(task) if task.state > TaskState::Pending => {}
                        task if begun.elapsed() > PLACE => return Err(no_place(record, task.as_ref()).into()),
                        _ => {}
                    }
                    if Instant::now() >= next {
                        let words = progress.words();
                        if words != told {
                            cx.log(&words);
                            told = words;
                        }
                        next = Instant::now() + TELL;
                    }
                }
                () = cx.cancel.cancelled() => {
                    if progress.sweeps() {
                        cx.log("Blobs are being deleted already; that goes on to its end.");
                    }
                    return Err(JobError::Cancelled);
                }
            }
        }
    }

    /// What it has printed until now.
    async fn read_progress(&self, service: &str) -> Progress {
        let query = LogQuery { tail: None, since: None, follow: false };
        let mut lines = Box::pin(self.parts.docker.service_log(service, &query));
        let mut progress = Progress::default();
        let read = async {
            while let Some(Ok(line)) = lines.next().await {
                progress.take(&line.text);
            }
        };
        if tokio::time::timeout(READ, read).await.is_err() {
            tracing::debug!("the log of a collection of garbage is long; its numbers aren't whole");
        }
        progress
    }

    /// Ends all that collects at this registry: one that only marks is stopped, one that sweeps comes to its end.
    pub(super) async fn end_sweeps(&self, record: &Record, cx: &JobContext) -> Result<(), JobError> {
        let docker = &self.parts.docker;
        let ours = [names::filter(&record.id), label(names::ROLE, names::COLLECTS)];
        for service in docker.services_with(&ours).await? {
            let of = std::slice::from_ref(&service);
            let mut is_told = false;
            while docker.tasks(of).await?.iter().any(|task| task.state < TaskState::Complete)
                && self.read_progress(&service).await.sweeps()
            {
                if !is_told {
                    cx.log("Blobs are being deleted; waiting for the end of that.");
                    is_told = true;
                }
                cx.or_cancel(tokio::time::sleep(SLOW)).await?;
            }
            docker.remove_service(&service).await?;
            cx.log("What collected the garbage is removed.");
        }
        // The service goes at once, its container a moment later.
        let until = Instant::now() + GONE;
        while docker.runs_here(&ours).await? {
            if Instant::now() >= until {
                return Err(JobError::Retry { after: GONE, problem: still_there(record) });
            }
            cx.or_cancel(tokio::time::sleep(POLL)).await?;
        }
        Ok(())
    }
}

fn ended_badly(record: &Record, task: &Task, last: &str, cx: &JobContext) -> Problem {
    let code = task.exit_code.map_or_else(String::new, |code| format!(" with exit code {code}"));
    let said = if last.is_empty() { task.error.as_deref().unwrap_or_default() } else { last };
    Problem::new(
        "registry.garbage_failed",
        format!("The registry's garbage collection ended{code} ({}).", task.state.word()),
        "Its last lines are in this log. No image that is kept was touched; try it again when the reason is gone.",
    )
    .with_details(cx.masked(said))
    .with_link(paths::registry(&record.id), "Open the registry")
}

fn no_place(record: &Record, task: Option<&Task>) -> Problem {
    let said = task.and_then(|task| task.error.clone()).unwrap_or_default();
    Problem::new(
        "registry.garbage_no_node",
        "No node could run the garbage collection within three minutes.",
        "It runs where the registry's volume is: bring that node back, or free memory there.",
    )
    .with_details(said)
    .with_link(paths::registry(&record.id), "Open the registry")
}

fn still_there(record: &Record) -> Problem {
    Problem::new(
        "registry.garbage_hangs",
        "The container that collects the garbage doesn't end.",
        "Look at it on its node (docker ps); Slipway tries again.",
    )
    .with_link(paths::registry(&record.id), "Open the registry")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_prints_is_understood() {
        let mut progress = Progress::default();
        for line in ["shop/web", "shop/web: marking manifest sha256:aa ", "shop/web: marking blob sha256:bb"] {
            progress.take(line);
        }
        assert!(!progress.sweeps());
        assert!(progress.words().contains("2 manifests and blobs"), "{}", progress.words());
        progress.take("2 blobs marked, 3 blobs and 0 manifests eligible for deletion");
        assert!(progress.sweeps());
        progress.take("blob eligible for deletion: sha256:cc");
        progress.take(r#"{"level":"info","msg":"Deleting blob: /docker/registry/v2/blobs/sha256/cc/cc"}"#);
        assert_eq!((progress.kept, progress.eligible, progress.deleted), (Some(2), Some(3), 1));
        assert_eq!(progress.words(), "2 blobs stay, 3 go; 1 are deleted.");
    }
}
