//! Whether a registry's tasks are well. Pure.

use super::apply::Applied;
use super::names::REVISION;
use crate::docker::{Task, TaskState};

/// So many failed tries are a failure; the Swarm would go on for ever.
const TRIES: usize = 3;
/// So many when a node refuses the task or the health check fails, each of which takes long.
const SLOW_TRIES: usize = 2;

/// What the tasks say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict<'a> {
    /// One of this revision runs and is healthy, and no other one is to.
    Ready,
    /// Not yet; with a task that has no place at all for now.
    Waiting(Option<&'a Task>),
    /// This task failed like others before it.
    Failing(&'a Task),
}

/// Judges the tasks of a registry, newest first.
pub(super) fn judge<'a>(tasks: &'a [Task], revision: i64, applied: &Applied) -> Verdict<'a> {
    let revision = revision.to_string();
    let is_mine = |task: &&Task| task.labels.get(REVISION) == Some(&revision);
    let is_old = |task: &&Task| applied.before.contains(&task.id);
    let counts = |task: &&Task| is_mine(task) && !(applied.anew && is_old(task));
    let runs = tasks.iter().filter(counts).any(|task| task.should_run && task.state == TaskState::Running);
    let others = tasks.iter().any(|task| !counts(&task) && task.should_run);
    if runs && !others {
        return Verdict::Ready;
    }
    let new: Vec<&Task> = tasks.iter().filter(|task| is_mine(task) && !is_old(task)).collect();
    let failed: Vec<&Task> = new.iter().copied().filter(|task| has_failed(task)).collect();
    let slow = failed.iter().filter(|task| is_slow(task)).count();
    if let Some(newest) = failed.first()
        && (failed.len() >= TRIES || slow >= SLOW_TRIES)
    {
        return Verdict::Failing(newest);
    }
    let waits = |task: &&Task| task.state == TaskState::Pending && task.error.is_some();
    Verdict::Waiting(tasks.iter().filter(is_mine).find(waits))
}

fn has_failed(task: &Task) -> bool {
    matches!(task.state, TaskState::Failed | TaskState::Rejected | TaskState::Complete)
}

fn is_slow(task: &Task) -> bool {
    task.state == TaskState::Rejected || task.error.as_deref().is_some_and(|error| error.contains("unhealthy"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: &str, revision: i64, state: TaskState, should_run: bool) -> Task {
        Task {
            id: id.into(),
            service: "s".into(),
            node: None,
            state,
            should_run,
            error: None,
            exit_code: None,
            labels: [(REVISION.to_owned(), revision.to_string())].into(),
            image: String::new(),
            since: 0,
            created: String::new(),
        }
    }

    fn applied(before: &[&str], anew: bool) -> Applied {
        Applied { before: before.iter().map(|id| (*id).to_owned()).collect(), anew, runs: true }
    }

    #[test]
    fn a_task_of_the_revision_that_runs_is_enough_unless_it_is_to_start_anew() {
        let old = task("a", 1, TaskState::Running, true);
        let same = [old.clone()];
        assert_eq!(judge(&same, 1, &applied(&["a"], false)), Verdict::Ready);
        assert_eq!(judge(&same, 1, &applied(&["a"], true)), Verdict::Waiting(None));
        assert_eq!(judge(&same, 2, &applied(&["a"], false)), Verdict::Waiting(None));
        let new = [task("b", 1, TaskState::Running, true), task("a", 1, TaskState::Shutdown, false)];
        assert_eq!(judge(&new, 1, &applied(&["a"], true)), Verdict::Ready);
        let starting = [task("b", 2, TaskState::Starting, true), old];
        assert_eq!(judge(&starting, 2, &applied(&["a"], false)), Verdict::Waiting(None));
        assert_eq!(judge(&[], 1, &applied(&[], false)), Verdict::Waiting(None));
    }

    #[test]
    fn failures_of_before_are_of_the_past() {
        let failed = |id| task(id, 1, TaskState::Failed, false);
        let tasks = [failed("c"), failed("b"), failed("a")];
        assert_eq!(judge(&tasks, 1, &applied(&["a", "b", "c"], false)), Verdict::Waiting(None));
        assert_eq!(judge(&tasks, 1, &applied(&["a"], false)), Verdict::Waiting(None));
        assert_eq!(judge(&tasks, 1, &applied(&[], false)), Verdict::Failing(&tasks[0]));
        let refused = |id| task(id, 1, TaskState::Rejected, false);
        let tasks = [refused("b"), refused("a")];
        assert_eq!(judge(&tasks, 1, &applied(&[], false)), Verdict::Failing(&tasks[0]));
    }

    #[test]
    fn a_task_without_a_place_is_named() {
        let waiting = Task { error: Some("no suitable node".into()), ..task("a", 1, TaskState::Pending, true) };
        let tasks = [waiting];
        assert_eq!(judge(&tasks, 1, &applied(&["a"], false)), Verdict::Waiting(Some(&tasks[0])));
    }
}
