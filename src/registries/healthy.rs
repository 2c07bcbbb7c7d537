//! Waits until a registry is well: first its task, by the Swarm and its health check, then the registry itself, by a push
//! and a pull.

use super::apply::Applied;
use super::keys::inner;
use super::record::Record;
use super::verdict::{Verdict, judge};
use super::{Registries, names, words};
use crate::docker::{Found, Task};
use crate::jobs::{JobContext, JobError};
use app::error::Problem;
use app::model::registry::ProbeReport;
use std::time::Duration;
use tokio::time::Instant;

const POLL: Duration = Duration::from_millis(400);
/// So long a task has to run before it counts.
const STABLE: Duration = Duration::from_secs(1);
/// So long a task may be without a place; ports free up while old tasks stop.
const STUCK: Duration = Duration::from_secs(20);
/// The longest wait, the time that pushes get to end and a slow pull of the image among it.
const LIMIT: Duration = Duration::from_secs(240);
/// Nodes need a moment until they publish a port.
const PROBE: Duration = Duration::from_secs(30);
const PROBE_POLL: Duration = Duration::from_secs(1);
const LINES: usize = 20;

impl Registries {
    /// Until one task of its revision runs and is healthy.
    pub(super) async fn wait(&self, record: &Record, applied: &Applied, cx: &JobContext) -> Result<(), JobError> {
        let begun = Instant::now();
        let (mut ready_since, mut stuck_since) = (None::<Instant>, None::<Instant>);
        let mut told = String::new();
        loop {
            if cx.cancel.is_cancelled() {
                return Err(JobError::Cancelled);
            }
            let found = self.in_swarm(&record.id, names::SERVES).await?;
            let Some(found) = found.filter(|found| has_revision(found, record.revision)) else {
                return Err(changed_by_others().into());
            };
            if found.replicas == 0 {
                cx.log("Somebody scaled it to zero; it stays so until it is restarted.");
                return Ok(());
            }
            let tasks = self.parts.docker.tasks(std::slice::from_ref(&found.id)).await?;
            let verdict = judge(&tasks, record.revision, applied);
            let said = tasks.first().map_or("There is no task yet.".to_owned(), |task| {
                format!("The newest task is {:?}{}.", task.state, node(task, record)).to_lowercase()
            });
            if said != told {
                cx.log(&capital(&said));
                told = said;
            }
            match verdict {
                Verdict::Ready if ready_since.get_or_insert_with(Instant::now).elapsed() >= STABLE => return Ok(()),
                Verdict::Ready => {}
                Verdict::Failing(task) => return Err(self.failed(record, task, cx).await.into()),
                Verdict::Waiting(stuck) => {
                    ready_since = None;
                    match stuck {
                        None => stuck_since = None,
                        Some(task) if stuck_since.get_or_insert_with(Instant::now).elapsed() >= STUCK => {
                            return Err(self.failed(record, task, cx).await.into());
                        }
                        Some(_) => {}
                    }
                    if begun.elapsed() > LIMIT {
                        return Err(self.never_ready(record, tasks.first(), cx).await.into());
                    }
                }
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                () = cx.cancel.cancelled() => {}
            }
        }
    }

    async fn failed(&self, record: &Record, task: &Task, cx: &JobContext) -> Problem {
        self.show_log(task, cx).await;
        words::why(task, record).unwrap_or_else(|| {
            Problem::new("registry.ended", "Its tasks end again and again.", "The last lines of its log say why.")
        })
    }

    async fn never_ready(&self, record: &Record, newest: Option<&Task>, cx: &JobContext) -> Problem {
        let explained = match newest {
            Some(task) => {
                self.show_log(task, cx).await;
                words::why(task, record)
            }
            None => None,
        };
        explained.unwrap_or_else(|| {
            Problem::new(
                "registry.not_ready",
                format!("The registry wasn't healthy within {} s.", LIMIT.as_secs()),
                "Look at its last lines in this log, and at the load of the node.",
            )
        })
    }

    async fn show_log(&self, task: &Task, cx: &JobContext) {
        match self.parts.docker.task_log(&task.id, LINES).await {
            Ok(lines) if lines.is_empty() => cx.log("The registry printed nothing."),
            Ok(lines) => {
                cx.log("The last lines that the registry printed:");
                cx.log(&lines.join("\n"));
            }
            // A task that never had a container has no log.
            Err(error) => cx.log(&format!("The registry's output can't be read: {error}.")),
        }
    }

    /// Until a push and a pull work; what the last try found is kept for the page.
    pub(super) async fn try_push(&self, record: &Record, cx: &JobContext) -> Result<(), JobError> {
        let begun = Instant::now();
        loop {
            let report = cx.or_cancel(self.probe(record)).await?.map_err(inner)?;
            let (ok, is_last) = (report.ok, begun.elapsed() >= PROBE);
            if ok || is_last {
                for step in report.steps.iter().filter(|step| step.ok.is_some()) {
                    let sign = if step.ok == Some(true) { "✓" } else { "✗" };
                    cx.log(&format!("{sign} {} ({} ms) {}", step.title, step.millis, step.text));
                }
                let problem = why_not(&report);
                self.keep_probe(record, report).await.map_err(inner)?;
                return if ok { Ok(()) } else { Err(problem.into()) };
            }
            cx.or_cancel(tokio::time::sleep(PROBE_POLL)).await?;
        }
    }
}

fn why_not(report: &ProbeReport) -> Problem {
    report.problem.clone().unwrap_or_else(|| {
        Problem::new(
            "registry.probe_failed",
            "The registry runs, but a test push and pull didn't work.",
            "Look at the steps in this log and at the registry's own.",
        )
    })
}

fn has_revision(found: &Found, revision: i64) -> bool {
    found.labels.get(names::REVISION).is_some_and(|label| *label == revision.to_string())
}

fn changed_by_others() -> Problem {
    Problem::new(
        "registry.changed_outside",
        "The registry's Swarm service was changed or removed outside of Slipway at the same time.",
        "Try again; don't change Slipway's services by hand meanwhile.",
    )
}

fn node(task: &Task, record: &Record) -> String {
    let name = record.node.as_ref().filter(|(id, _)| task.node.as_ref() == Some(id)).map(|(_, name)| name);
    name.map_or_else(String::new, |name| format!(" on {name}"))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
