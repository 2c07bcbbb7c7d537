//! Why a deployment didn't come up, in plain words, with the last lines that its program printed in the job's log.

use super::deploy::Plan;
use super::{Services, spec, words};
use crate::docker::{Found, Task};
use crate::jobs::JobContext;
use app::error::Problem;
use app::model::id::DeploymentId;
use app::model::text;
use std::time::Duration;

const LINES: usize = 30;

/// Whether the Swarm service carries this deployment.
pub(super) fn is_ours(found: &Found, id: &DeploymentId) -> bool {
    found.labels.get(spec::DEPLOYMENT).is_some_and(|label| label == id.as_str())
}

/// Somebody removed or replaced the service while we waited.
pub(super) fn changed_by_others() -> Problem {
    Problem::new(
        "deploy.changed_outside",
        "The Swarm service was changed or removed outside of Slipway during the deployment.",
        "Deploy again; don't change Slipway's services by hand meanwhile.",
    )
}

impl Services {
    /// The problem behind a task that failed.
    pub(super) async fn task_failed(&self, plan: &Plan, task: &Task, cx: &JobContext) -> Problem {
        let own = task.error.as_deref().unwrap_or_default();
        if words::is_pull_failure(own) {
            return self.pull_failed(plan, own).await;
        }
        self.show_log(task, cx).await;
        let ports = &plan.deployment.settings.ports;
        let why = words::why(task, ports).unwrap_or_else(|| "Its tasks end again and again.".into());
        let problem = Problem::new(
            "deploy.task_failed",
            format!("The new version doesn't stay up. {why}"),
            "Correct that and build again; the last lines of the program's output are in this log.",
        );
        if own.is_empty() { problem } else { problem.with_details(cx.masked(own)) }
    }

    /// Docker says "No such image" whatever the cause is; the registry knows more.
    async fn pull_failed(&self, plan: &Plan, own: &str) -> Problem {
        match self.ask_registry(&plan.pull, &plan.deployment.image, &plan.service.id).await {
            Err(refusal) => refusal.problem,
            Ok(()) => Problem::new(
                "deploy.pull_failed",
                format!(
                    "A node couldn't pull the image, although the registry {} has it and accepts the credential.",
                    plan.pull.name
                ),
                "Check that every node reaches the registry under this name and trusts its certificate; the cause is in \
                 Docker's own log on that node.",
            )
            .with_details(own),
        }
    }

    /// The problem when time is up and no single task is to blame.
    pub(super) async fn never_ready(
        &self,
        plan: &Plan,
        tasks: &[Task],
        running: usize,
        limit: Duration,
        cx: &JobContext,
    ) -> Problem {
        let id = plan.deployment.tasks().as_str();
        let newest = tasks.iter().find(|task| task.labels.get(spec::DEPLOYMENT).is_some_and(|label| label == id));
        let why = match newest {
            Some(task) => {
                self.show_log(task, cx).await;
                words::why(task, &plan.deployment.settings.ports)
                    .unwrap_or_else(|| format!("The newest task is {}.", task.state.word()))
            }
            None => "The Swarm made no task for it.".into(),
        };
        Problem::new(
            "deploy.not_ready",
            format!(
                "After {} s, {running} of {} of the new version ran well. {why}",
                limit.as_secs(),
                text::count(plan.deployment.settings.replicas.into(), "task")
            ),
            "Look at the program's output in this log and at its health check.",
        )
    }

    async fn show_log(&self, task: &Task, cx: &JobContext) {
        match self.inner.docker.task_log(&task.id, LINES).await {
            Ok(lines) if lines.is_empty() => cx.log("The program printed nothing."),
            Ok(lines) => {
                cx.log("The last lines that the program printed:");
                cx.log(&lines.join("\n"));
            }
            Err(error) => cx.log(&format!("The program's output can't be read: {error}.")),
        }
    }
}
