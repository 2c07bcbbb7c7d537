//! The tasks of services, and what they print.

use super::{Docker, DockerError, LIMIT, filter};
use bollard::query_parameters::{ListTasksOptionsBuilder, LogsOptionsBuilder};
use futures::StreamExt as _;
use std::collections::HashMap;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Where a task is. In the order of its life, so that states compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskState {
    /// Waits for a node.
    Pending,
    /// Pulls its image and gets its network.
    Preparing,
    /// Started, but its health check hasn't succeeded yet.
    Starting,
    /// Runs, and is healthy when it has a health check.
    Running,
    /// Ended by itself with exit code 0.
    Complete,
    /// Stopped by the Swarm.
    Shutdown,
    /// Ended with an error.
    Failed,
    /// The node couldn't run it.
    Rejected,
    /// Its node is gone.
    Orphaned,
}

impl TaskState {
    /// In one plain word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "waiting",
            Self::Preparing => "preparing",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Complete => "ended",
            Self::Shutdown => "stopped",
            Self::Failed => "failed",
            Self::Rejected => "refused",
            Self::Orphaned => "lost",
        }
    }
}

/// One task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Swarm's id.
    pub id: String,
    /// The service's id.
    pub service: String,
    /// The node's id, once it has one.
    pub node: Option<String>,
    /// Where it is.
    pub state: TaskState,
    /// Whether the Swarm wants it to run.
    pub should_run: bool,
    /// Swarm's own words about a failure.
    pub error: Option<String>,
    /// The program's exit code.
    pub exit_code: Option<i64>,
    /// Labels of its container.
    pub labels: HashMap<String, String>,
    /// The image it runs.
    pub image: String,
    /// In this state since then, Unix seconds.
    pub since: i64,
    /// Made, as the engine writes it; sorts by time.
    pub created: String,
}

impl Docker {
    /// The tasks of these services, newest first.
    pub async fn tasks(&self, services: &[String]) -> Result<Vec<Task>, DockerError> {
        if services.is_empty() {
            return Ok(Vec::new());
        }
        let options = ListTasksOptionsBuilder::default().filters(&filter("service", services)).build();
        let mut tasks: Vec<Task> =
            self.ask(self.client.list_tasks(Some(options))).await?.into_iter().filter_map(task).collect();
        tasks.sort_by(|a, b| b.created.cmp(&a.created));
        Ok(tasks)
    }

    /// The last lines that a task printed; as many as come within the time limit.
    pub async fn task_log(&self, task: &str, lines: usize) -> Result<Vec<String>, DockerError> {
        let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail(&lines.to_string()).build();
        let mut stream = std::pin::pin!(self.client.task_logs(task, Some(options)));
        let mut found = Vec::new();
        let read = async {
            while let Some(part) = stream.next().await {
                let text = part.map_err(|error| DockerError::of(self.address(), error))?.to_string();
                found.extend(text.lines().map(|line| line.chars().take(500).collect::<String>()));
            }
            Ok(())
        };
        // When time is up, what came until then is better than nothing.
        if let Ok(Err(error)) = tokio::time::timeout(LIMIT / 2, read).await {
            return Err(error);
        }
        let surplus = found.len().saturating_sub(lines);
        Ok(found.split_off(surplus))
    }
}

fn task(task: bollard::models::Task) -> Option<Task> {
    use bollard::models::TaskState as Raw;
    let status = task.status.unwrap_or_default();
    let container = task.spec.and_then(|spec| spec.container_spec).unwrap_or_default();
    let at = status.timestamp.or(task.updated_at).unwrap_or_default();
    Some(Task {
        id: task.id?,
        service: task.service_id?,
        node: task.node_id.filter(|node| !node.is_empty()),
        state: match status.state {
            None | Some(Raw::NEW | Raw::ALLOCATED | Raw::PENDING) => TaskState::Pending,
            Some(Raw::ASSIGNED | Raw::ACCEPTED | Raw::PREPARING | Raw::READY) => TaskState::Preparing,
            Some(Raw::STARTING) => TaskState::Starting,
            Some(Raw::RUNNING) => TaskState::Running,
            Some(Raw::COMPLETE) => TaskState::Complete,
            Some(Raw::SHUTDOWN | Raw::REMOVE) => TaskState::Shutdown,
            Some(Raw::FAILED) => TaskState::Failed,
            Some(Raw::REJECTED) => TaskState::Rejected,
            Some(Raw::ORPHANED) => TaskState::Orphaned,
        },
        should_run: matches!(task.desired_state, Some(Raw::RUNNING | Raw::READY)),
        error: status.err.filter(|text| !text.is_empty()),
        exit_code: status.container_status.and_then(|container| container.exit_code),
        labels: container.labels.unwrap_or_default(),
        image: container.image.unwrap_or_default(),
        since: OffsetDateTime::parse(&at, &Rfc3339).map_or(0, OffsetDateTime::unix_timestamp),
        created: task.created_at.unwrap_or_default(),
    })
}
