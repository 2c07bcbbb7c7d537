//! Whether a deployment's tasks are well. Pure.

use super::spec::DEPLOYMENT;
use crate::docker::{Task, TaskState};
use app::model::id::DeploymentId;

/// So many failed tries are a failure; the Swarm would go on for ever.
const TRIES: usize = 3;
/// So many when a node refuses the task or the health check fails, each of which takes long.
const SLOW_TRIES: usize = 2;

/// What the tasks say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict<'a> {
    /// As many run as should, and none of another version.
    Ready,
    /// Not yet.
    Waiting {
        /// Tasks of this deployment that run.
        running: usize,
        /// A task that can't be placed at all for now.
        stuck: Option<&'a Task>,
    },
    /// This task failed like others before it.
    Failing(&'a Task),
}

/// How many tasks of this deployment failed.
pub(super) fn failures(tasks: &[Task], deployment: &DeploymentId) -> usize {
    let is_mine = |task: &&Task| task.labels.get(DEPLOYMENT).is_some_and(|id| id == deployment.as_str());
    tasks.iter().filter(is_mine).filter(|task| has_failed(task)).count()
}

/// Judges the tasks of a service, newest first. `gave_up`: the Swarm stopped its update at a failure, so that one slow
/// failure is enough.
pub(super) fn judge<'a>(tasks: &'a [Task], wanted: u32, deployment: &DeploymentId, gave_up: bool) -> Verdict<'a> {
    let is_mine = |task: &&Task| task.labels.get(DEPLOYMENT).is_some_and(|id| id == deployment.as_str());
    let mine: Vec<&Task> = tasks.iter().filter(is_mine).collect();
    let running = mine.iter().filter(|task| task.should_run && task.state == TaskState::Running).count();
    let others = tasks.iter().filter(|task| !is_mine(task) && task.should_run).count();
    if running >= wanted as usize && others == 0 {
        return Verdict::Ready;
    }
    let failed: Vec<&Task> = mine.iter().copied().filter(|task| has_failed(task)).collect();
    let is_slow = |task: &Task| {
        task.state == TaskState::Rejected || task.error.as_deref().is_some_and(|error| error.contains("unhealthy"))
    };
    let slow = failed.iter().filter(|task| is_slow(task)).count();
    if let Some(newest) = failed.first()
        && (failed.len() >= TRIES || slow >= if gave_up { 1 } else { SLOW_TRIES })
    {
        return Verdict::Failing(newest);
    }
    let stuck = mine.into_iter().find(|task| task.state == TaskState::Pending && task.error.is_some());
    Verdict::Waiting { running, stuck }
}

fn has_failed(task: &Task) -> bool {
    matches!(task.state, TaskState::Failed | TaskState::Rejected | TaskState::Complete)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(n: u8) -> DeploymentId {
        DeploymentId::from_random([n; 8])
    }

    fn task(n: u8, state: TaskState, should_run: bool, error: Option<&str>) -> Task {
        Task {
            id: "t".into(),
            service: "s".into(),
            node: None,
            state,
            should_run,
            error: error.map(Into::into),
            exit_code: None,
            labels: [(DEPLOYMENT.to_owned(), deployment(n).to_string())].into(),
            image: String::new(),
            since: 0,
            created: String::new(),
        }
    }

    #[test]
    fn it_is_ready_when_all_run_and_the_old_ones_are_told_to_stop() {
        let mine = task(2, TaskState::Running, true, None);
        let old = task(1, TaskState::Running, true, None);
        let stopping = task(1, TaskState::Running, false, None);
        assert_eq!(judge(&[mine.clone(), stopping], 1, &deployment(2), false), Verdict::Ready);
        assert_eq!(judge(&[mine.clone(), old], 1, &deployment(2), false), Verdict::Waiting { running: 1, stuck: None });
        assert_eq!(judge(&[mine], 2, &deployment(2), false), Verdict::Waiting { running: 1, stuck: None });
        assert_eq!(judge(&[], 0, &deployment(2), false), Verdict::Ready);
        assert_eq!(judge(&[], 1, &deployment(2), false), Verdict::Waiting { running: 0, stuck: None });
    }

    #[test]
    fn a_starting_task_is_not_ready() {
        let starting = task(2, TaskState::Starting, true, None);
        assert_eq!(judge(&[starting], 1, &deployment(2), false), Verdict::Waiting { running: 0, stuck: None });
    }

    #[test]
    fn one_failure_is_forgiven_a_row_of_them_is_not() {
        let failed = task(2, TaskState::Failed, false, Some("task: non-zero exit (1)"));
        let tasks = vec![failed; 3];
        assert!(matches!(judge(&tasks[..2], 1, &deployment(2), false), Verdict::Waiting { .. }));
        assert_eq!(judge(&tasks, 1, &deployment(2), false), Verdict::Failing(&tasks[0]));
        let tasks = vec![task(2, TaskState::Rejected, false, Some("No such image: x")); 2];
        assert_eq!(judge(&tasks, 1, &deployment(2), false), Verdict::Failing(&tasks[0]));
        let tasks = vec![task(2, TaskState::Complete, false, None); 3];
        assert_eq!(judge(&tasks, 1, &deployment(2), false), Verdict::Failing(&tasks[0]));
    }

    #[test]
    fn where_the_swarm_gave_up_one_slow_failure_is_enough() {
        let unhealthy = Some("task: non-zero exit (137): dockerexec: unhealthy container");
        let tasks = [task(2, TaskState::Failed, false, unhealthy)];
        assert!(matches!(judge(&tasks, 1, &deployment(2), false), Verdict::Waiting { .. }));
        assert_eq!(judge(&tasks, 1, &deployment(2), true), Verdict::Failing(&tasks[0]));
        let quick = [task(2, TaskState::Failed, false, Some("task: non-zero exit (1)"))];
        assert!(matches!(judge(&quick, 1, &deployment(2), true), Verdict::Waiting { .. }), "it may come up yet");
        assert_eq!((failures(&quick, &deployment(2)), failures(&quick, &deployment(1))), (1, 0));
    }

    #[test]
    fn failures_of_another_version_do_not_count() {
        let tasks = vec![task(1, TaskState::Failed, false, Some("task: non-zero exit (1)")); 5];
        assert_eq!(judge(&tasks, 1, &deployment(2), false), Verdict::Waiting { running: 0, stuck: None });
    }

    #[test]
    fn a_task_without_a_place_is_named() {
        let tasks = [task(2, TaskState::Pending, true, Some("no suitable node (x)"))];
        assert_eq!(judge(&tasks, 1, &deployment(2), false), Verdict::Waiting { running: 0, stuck: Some(&tasks[0]) });
    }
}
