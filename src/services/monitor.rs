//! A new version that was healthy once is watched a while longer: one that becomes unhealthy goes back too.

use super::deploy::Plan;
use super::readiness::{Verdict, failures, judge};
use super::{Services, failure, spec, store_deployments};
use crate::jobs::{self, JobContext, JobError};
use app::model::service::{Deployment, Origin};
use app::model::standing::Back;
use std::time::Duration;
use tokio::time::Instant;

/// The shortest and the longest watch.
const LEAST: u32 = 5;
const MOST: u32 = 40;
const POLL: Duration = Duration::from_millis(500);

/// So long a deployment is watched: until its health check would have found it unhealthy. None: it has no check, or it ran
/// well like this before.
pub(super) fn window(deployment: &Deployment) -> Option<Duration> {
    if matches!(deployment.origin, Origin::RollBack { what: Back::All, .. }) || deployment.settings.replicas == 0 {
        return None;
    }
    let check = deployment.settings.health.as_ref()?;
    // Failures don't count while it starts.
    let seconds = check.interval.saturating_mul(check.retries).saturating_add(check.start_period).saturating_add(2);
    let seconds = seconds.clamp(LEAST, MOST);
    Some(Duration::from_secs(seconds.into()))
}

impl Services {
    /// Fails when a task fails within the window. A newer deployment ends the watch: nobody waits for it.
    pub(super) async fn stays_well(&self, plan: &Plan, window: Duration, cx: &JobContext) -> Result<(), JobError> {
        let id = &plan.deployment.id;
        let label = plan.deployment.tasks();
        let begun = Instant::now();
        let mut before = None;
        loop {
            if cx.cancel.is_cancelled() {
                return Err(JobError::Cancelled);
            }
            let found = self.in_swarm(&plan.service).await?;
            let Some(found) = found.filter(|found| failure::is_ours(found, id)) else {
                return Err(failure::changed_by_others().into());
            };
            let tasks = self.inner.docker.tasks(std::slice::from_ref(&found.id)).await?;
            let failed = failures(&tasks, label);
            let before = *before.get_or_insert(failed);
            let newest = tasks.iter().find(|task| {
                task.labels.get(spec::DEPLOYMENT).is_some_and(|found| found == label.as_str()) && !task.should_run
            });
            match (judge(&tasks, plan.deployment.settings.replicas, label, true), newest) {
                (Verdict::Failing(task), _) => return Err(self.task_failed(plan, task, cx).await.into()),
                (_, Some(task)) if failed > before => return Err(self.task_failed(plan, task, cx).await.into()),
                _ => {}
            }
            let newer = store_deployments::newest(self.inner.db.read(), &plan.service.id).await;
            if newer.map_err(jobs::internal)?.is_some_and(|newest| newest.id != *id) {
                cx.log("A newer deployment waits, so this one isn't watched any longer.");
                return Ok(());
            }
            if begun.elapsed() >= window {
                return Ok(());
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                () = cx.cancel.cancelled() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::id::{BuildId, DeploymentId, JobId, ServiceId};
    use app::model::job::JobState;
    use app::model::service::{HealthCheck, Settings};

    fn deployment(origin: Origin, health: Option<HealthCheck>) -> Deployment {
        Deployment {
            id: DeploymentId::from_random([1; 8]),
            number: 3,
            service: ServiceId::from_random([1; 8]),
            image: "a.example/b:1".parse().expect("an image"),
            commit: None,
            commit_subject: None,
            settings: Settings { replicas: 1, health, ..Settings::default() },
            origin,
            state: JobState::Running,
            problem: None,
            is_current: false,
            job: JobId::from_random([1; 8]),
            asked_by: "owner".into(),
            created: 0,
            finished: None,
        }
    }

    #[test]
    fn a_version_is_watched_as_long_as_its_check_may_take() {
        let build = || Origin::Build { build: BuildId::from_random([1; 8]), number: 1 };
        let check = |interval, retries| {
            Some(HealthCheck { command: vec!["true".into()], interval, retries, start_period: 0, timeout: 5 })
        };
        let seconds = |deployment: Deployment| window(&deployment).map(|window| window.as_secs());
        assert_eq!(seconds(deployment(build(), None)), None);
        assert_eq!(seconds(deployment(build(), check(5, 3))), Some(17));
        assert_eq!(seconds(deployment(build(), check(1, 1))), Some(5));
        assert_eq!(seconds(deployment(build(), check(u32::MAX, 3))), Some(40));
        let back = |what| Origin::RollBack { to: DeploymentId::from_random([2; 8]), number: 1, what };
        assert_eq!(seconds(deployment(back(Back::All), check(5, 3))), None, "it ran well like this before");
        assert_eq!(seconds(deployment(back(Back::Image), check(5, 3))), Some(17));
    }
}
