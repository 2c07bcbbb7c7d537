//! How a managed registry is, in one word and one true sentence, from all that is known of it. Pure.
//!
//! What must always hold: "healthy" is said when a push and a pull just worked, and for no other reason; what is known to
//! have changed since counts more than what worked before.

use super::look::Seen;
use super::reconcile::{self, Decision};
use super::record::Record;
use app::error::Problem;
use app::model::id::JobId;
use app::model::registry::{Managed, ManagedState, Phase, ProbeReport};
use app::model::text::age;
use app::paths;

/// After so many seconds without a probe nothing is said about how it is.
const STALE: i64 = 300;

/// The newest job about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LastJob {
    /// Which.
    pub id: JobId,
    /// What it does.
    pub kind: String,
    /// It hasn't ended.
    pub is_open: bool,
    /// Why it failed.
    pub problem: Option<Problem>,
}

/// All that is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    pub record: &'a Record,
    pub job: Option<&'a LastJob>,
    /// What Docker said last.
    pub seen: Option<&'a Seen>,
    /// Why Docker can't be asked now.
    pub lost: Option<&'a Problem>,
    /// What the comparison came to.
    pub decision: Option<&'a Decision>,
    /// When repairs were asked for.
    pub asked: &'a [i64],
    /// What the last probe found.
    pub probe: Option<&'a ProbeReport>,
    pub now: i64,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub state: ManagedState,
    pub headline: String,
    pub problem: Option<Problem>,
}

fn said(state: ManagedState, headline: impl Into<String>, problem: Option<Problem>) -> Said {
    Said { state, headline: headline.into(), problem }
}

/// How it is.
pub(super) fn of(known: Known<'_>) -> Said {
    if let Some(said) = by_life(known) {
        return said;
    }
    if let Some(job) = known.job.filter(|job| job.is_open) {
        let waits = if known.lost.is_some() { " It waits for Docker." } else { "" };
        return said(ManagedState::Working, format!("{}{waits}", doing(&job.kind)), known.lost.cloned());
    }
    if let Some(problem) = known.lost {
        return without_docker(known, problem);
    }
    match known.decision {
        Some(Decision::Stopped) => said(
            ManagedState::Stopped,
            "Its service was scaled to zero: nothing can be pushed or pulled, and Slipway leaves it so.",
            Some(Problem::new(
                "registry.stopped",
                "Somebody scaled its service to zero.",
                "Restart it to start it again.",
            )),
        ),
        Some(Decision::Repair(why)) => repairing(known, why),
        Some(Decision::Say(problem)) => troubled(known, problem),
        Some(Decision::Fine) | None => by_probe(known),
    }
}

/// Before it runs and after it is meant to.
fn by_life(known: Known<'_>) -> Option<Said> {
    match known.record.phase {
        Phase::Running => None,
        Phase::Creating => Some(said(ManagedState::Working, "It is being created.", known.lost.cloned())),
        Phase::Deleting => Some(match known.job.filter(|job| !job.is_open) {
            Some(LastJob { id, problem: Some(problem), .. }) => said(
                ManagedState::Failing,
                "Its deletion failed; parts of it may be left.",
                Some(linked(problem.clone(), id)),
            ),
            Some(LastJob { id, .. }) => said(
                ManagedState::Failing,
                "Its deletion was broken off; parts of it may be left.",
                Some(linked(
                    Problem::new("registry.half_deleted", "Its deletion was cancelled half-way.", "Delete it again."),
                    id,
                )),
            ),
            None => said(ManagedState::Working, "It is being deleted.", known.lost.cloned()),
        }),
        Phase::Failed => {
            let problem = known.job.and_then(|job| job.problem.clone().map(|problem| linked(problem, &job.id)));
            Some(said(
                ManagedState::NotCreated,
                "Its creation failed and was undone; nothing of it runs.",
                Some(problem.unwrap_or_else(|| {
                    Problem::new(
                        "registry.not_created",
                        "It couldn't be created.",
                        "Try again; the job's log says why.",
                    )
                })),
            ))
        }
    }
}

fn linked(problem: Problem, job: &JobId) -> Problem {
    if problem.link.is_some() { problem } else { problem.with_link(paths::job(job), "Open the job") }
}

/// What a job is doing to it.
fn doing(kind: &str) -> &'static str {
    match kind {
        "create_registry" => "It is being created.",
        "restart_registry" => "It is being restarted.",
        "rotate_registry" => "It is getting a new password.",
        "repair_registry" => "It is being repaired.",
        "run_retention" => "Tags that its rules don't keep are being deleted.",
        "empty_trash" => "Its trash is being emptied.",
        "restore_tag" => "A deleted tag is being brought back.",
        "delete_registry" => "It is being deleted.",
        "collect_garbage" => "Its garbage is being collected. Pulls go on; pushes of builds wait.",
        _ => "It is being changed.",
    }
}

/// Docker is away: the registry may work all the same.
fn without_docker(known: Known<'_>, problem: &Problem) -> Said {
    match known.probe {
        Some(probe) if probe.ok && !is_stale(known, probe) => said(
            ManagedState::Warning,
            format!("A push and a pull worked {}, but Docker can't be asked now.", age(probe.at, known.now)),
            Some(problem.clone()),
        ),
        Some(probe) if !probe.ok => {
            said(ManagedState::Failing, "It doesn't work, and Docker can't be asked why.", Some(problem.clone()))
        }
        _ => said(ManagedState::Unknown, "Docker can't be asked how it is.", Some(problem.clone())),
    }
}

fn repairing(known: Known<'_>, why: &str) -> Said {
    if reconcile::may_repair(known.asked, known.now) {
        return said(ManagedState::Failing, format!("{why} Slipway repairs that now."), None);
    }
    let cause = format!("{why} Slipway repaired that three times within ten minutes, and it came back each time.");
    let remedy = "Find out who changes it, or read the log of the last repair; restart the registry afterwards. Slipway tries \
                  again in half an hour.";
    let mut problem = Problem::new("registry.repairs_fail", cause, remedy);
    if let Some(job) = known.job {
        problem = problem.with_link(paths::job(&job.id), "Open the last job");
        problem.details = job.problem.as_ref().map(ToString::to_string);
    }
    said(ManagedState::Failing, "Repairs didn't help, so Slipway waits.", Some(problem))
}

/// Something is wrong that Slipway can't put right.
fn troubled(known: Known<'_>, problem: &Problem) -> Said {
    let runs = known.seen.is_some_and(Seen::runs);
    if problem.code == Managed::VOLUME_CHANGED {
        let headline = if runs { "It works, but its images are gone." } else { "Its images are gone." };
        return said(ManagedState::Failing, headline, Some(problem.clone()));
    }
    if !runs {
        return said(ManagedState::Failing, format!("It doesn't run. {}", problem.cause), Some(problem.clone()));
    }
    let Said { state, headline, problem: other } = by_probe(known);
    match state {
        ManagedState::Healthy | ManagedState::Warning => said(ManagedState::Warning, headline, Some(problem.clone())),
        _ => said(state, headline, other.or_else(|| Some(problem.clone()))),
    }
}

fn by_probe(known: Known<'_>) -> Said {
    let runs = known.seen.map(Seen::runs);
    match (known.probe, runs) {
        (_, Some(false)) => {
            let starts = known.seen.is_some_and(|seen| seen.tasks.iter().any(|task| task.should_run));
            let headline =
                if starts { "It doesn't run: its task is starting." } else { "It doesn't run: it has no task." };
            let problem = known.probe.filter(|probe| !probe.ok).and_then(|probe| probe.problem.clone());
            said(ManagedState::Failing, headline, problem)
        }
        (None, _) => said(ManagedState::Unknown, "It wasn't tried yet since Slipway started.", None),
        (Some(probe), _) if is_stale(known, probe) => {
            said(ManagedState::Unknown, format!("It was tried {} for the last time.", age(probe.at, known.now)), None)
        }
        (Some(probe), _) if !probe.ok => {
            let cause = probe.problem.as_ref().map_or("It doesn't work.", |problem| problem.cause.as_str());
            said(ManagedState::Failing, cause, probe.problem.clone())
        }
        (Some(probe), _) => {
            let headline = format!("A push and a pull worked {}.", age(probe.at, known.now));
            let state = if probe.problem.is_some() { ManagedState::Warning } else { ManagedState::Healthy };
            said(state, headline, probe.problem.clone())
        }
    }
}

fn is_stale(known: Known<'_>, probe: &ProbeReport) -> bool {
    known.now - probe.at > STALE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::{Task, TaskState};
    use crate::registries::causes::tests::sample;
    use std::collections::HashMap;

    const NOW: i64 = 1_800_000_000;

    fn seen(state: Option<TaskState>) -> Seen {
        let task = |state| Task {
            id: "t".into(),
            service: "s".into(),
            node: None,
            state,
            should_run: true,
            error: None,
            exit_code: None,
            labels: HashMap::new(),
            image: String::new(),
            since: 0,
            created: String::new(),
        };
        Seen { tasks: state.map(task).into_iter().collect(), ..Seen::default() }
    }

    fn probe(ok: bool, problem: Option<&str>, ago: i64) -> ProbeReport {
        let problem = problem.map(|cause| Problem::new("registry.x", cause, "Do this."));
        ProbeReport { at: NOW - ago, ok, millis: 1, steps: Vec::new(), problem }
    }

    fn job(kind: &str, is_open: bool, problem: Option<&str>) -> LastJob {
        let problem = problem.map(|cause| Problem::new("job.x", cause, "Do this."));
        LastJob { id: JobId::from_random([3; 8]), kind: kind.into(), is_open, problem }
    }

    #[test]
    fn each_life_has_its_word() {
        let mut record = sample();
        let say = |record: &Record, job: Option<&LastJob>| {
            of(Known { record, job, seen: None, lost: None, decision: None, asked: &[], probe: None, now: NOW })
        };
        record.phase = Phase::Creating;
        assert_eq!(say(&record, None).state, ManagedState::Working);
        record.phase = Phase::Failed;
        let failed = say(&record, Some(&job("create_registry", false, Some("No port."))));
        assert_eq!(failed.state, ManagedState::NotCreated);
        assert!(failed.problem.as_ref().is_some_and(|problem| problem.cause == "No port." && problem.link.is_some()));
        assert!(say(&record, None).problem.is_some());
        record.phase = Phase::Deleting;
        assert_eq!(say(&record, Some(&job("delete_registry", true, None))).state, ManagedState::Working);
        assert_eq!(say(&record, Some(&job("delete_registry", false, Some("x")))).state, ManagedState::Failing);
        let cancelled = say(&record, Some(&job("delete_registry", false, None)));
        assert_eq!(cancelled.state, ManagedState::Failing, "it can be deleted again");
        record.phase = Phase::Running;
        let restarts = say(&record, Some(&job("restart_registry", true, None)));
        assert_eq!((restarts.state, restarts.headline.as_str()), (ManagedState::Working, "It is being restarted."));
        let done = say(&record, Some(&job("restart_registry", false, None)));
        assert_eq!(done.state, ManagedState::Unknown, "nobody has looked");
    }

    #[test]
    fn what_is_true_decides_and_not_what_worked_before() {
        let record = sample();
        let (up, starting, none) = (seen(Some(TaskState::Running)), seen(Some(TaskState::Starting)), seen(None));
        let (good, bad) = (probe(true, None, 20), probe(false, Some("The disk is full."), 5));
        let (tight, old) = (probe(true, Some("Nearly full."), 5), probe(true, None, STALE + 1));
        let away = Problem::new("docker.unreachable", "Docker is away.", "Start it.");
        let drained = Decision::Say(Box::new(Problem::new("registry.node_drained", "It was drained.", "Undo.")));
        let lost = Decision::Say(Box::new(Problem::new(Managed::VOLUME_CHANGED, "Gone.", "Accept.")));
        let repair = Decision::Repair("Its service is gone.".into());
        let (fine, stopped) = (Decision::Fine, Decision::Stopped);
        for (seen, docker, decision, asked, probe, state, part) in [
            (&up, None, &fine, &[][..], Some(&good), ManagedState::Healthy, "worked 20 s ago"),
            (&up, None, &fine, &[], Some(&tight), ManagedState::Warning, "worked just now"),
            (&up, None, &fine, &[], Some(&bad), ManagedState::Failing, "The disk is full."),
            (&up, None, &fine, &[], Some(&old), ManagedState::Unknown, "5 min ago"),
            (&up, None, &fine, &[], None, ManagedState::Unknown, "wasn't tried"),
            (&starting, None, &fine, &[], Some(&good), ManagedState::Failing, "starting"),
            (&none, None, &fine, &[], Some(&good), ManagedState::Failing, "no task"),
            (&none, None, &stopped, &[], Some(&good), ManagedState::Stopped, "scaled to zero"),
            (&none, None, &repair, &[], Some(&good), ManagedState::Failing, "repairs that now"),
            (&none, None, &repair, &[NOW - 9, NOW - 6, NOW - 3], Some(&bad), ManagedState::Failing, "didn't help"),
            (&none, None, &drained, &[], Some(&good), ManagedState::Failing, "It was drained."),
            (&up, None, &drained, &[], Some(&good), ManagedState::Warning, "worked"),
            (&up, None, &drained, &[], Some(&bad), ManagedState::Failing, "full"),
            (&up, None, &lost, &[], Some(&good), ManagedState::Failing, "images are gone"),
            (&up, Some(&away), &fine, &[], Some(&good), ManagedState::Warning, "Docker can't be asked"),
            (&up, Some(&away), &fine, &[], Some(&bad), ManagedState::Failing, "Docker can't be asked"),
            (&up, Some(&away), &fine, &[], None, ManagedState::Unknown, "Docker can't be asked"),
        ] {
            let known = Known {
                record: &record,
                job: None,
                seen: Some(seen),
                lost: docker,
                decision: Some(decision),
                asked,
                probe,
                now: NOW,
            };
            let said = of(known);
            assert_eq!(said.state, state, "{known:?}");
            assert!(said.headline.contains(part), "{}: {known:?}", said.headline);
            assert!(said.problem.is_none() || said.state != ManagedState::Healthy);
        }
    }
}
