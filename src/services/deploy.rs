//! The job that brings a deployment up: check the image, prepare the network, update the Swarm service, wait until it is
//! healthy, mark it as the current one. Each step may run again after a crash. A failure or a cancel restores what ran
//! before, see [`super::undo`].

use super::pull::Pull;
use super::readiness::{Verdict, judge};
use super::spec::Networks;
use super::store::{self, Record};
use super::{Services, env, failure, monitor, spec, store_deployments};
use crate::docker::{DockerError, Found, PullLogin, Update};
use crate::jobs::{self, Handler, JobContext, JobError};
use app::error::{AppError, Problem};
use app::model::id::DeploymentId;
use app::model::secret::Secret;
use app::model::service::{Deployment, Origin};
use app::model::text;
use app::paths;
use async_trait::async_trait;
use std::time::Duration;
use tokio::time::Instant;

/// The job's kind.
pub(super) const KIND: &str = "deploy";
/// How often it is tried while Docker is away: four minutes at least.
pub(super) const TRIES: i64 = 50;
const RETRY: Duration = Duration::from_secs(5);
/// How often an update is made from fresh state when somebody changes the service at the same time.
pub(super) const CONFLICTS: usize = 5;
const POLL: Duration = Duration::from_millis(400);
/// At first more often: a task whose image is there runs within a second or two.
const POLL_AT_FIRST: Duration = Duration::from_millis(100);
const QUICK: Duration = Duration::from_secs(3);
/// So long all tasks have to run before the deployment counts as well.
const STABLE: Duration = Duration::from_secs(2);
/// So long a task may be without a place; nodes and ports free up while old tasks stop.
const STUCK: Duration = Duration::from_secs(20);
/// The longest wait for tasks, beside what their health check takes.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs deployments.
pub(super) struct Deploy(Services);

/// What a deployment needs.
pub(super) struct Plan {
    pub service: Record,
    /// With the values of environment variables.
    pub deployment: Deployment,
    pub pull: Pull,
    /// The values of its secrets, in their order.
    pub files: Vec<Secret>,
}

impl Plan {
    /// How nodes sign in for the image.
    pub(super) fn login(&self) -> Option<PullLogin> {
        let login = self.pull.access.login.as_ref()?;
        Some(PullLogin {
            server: self.deployment.image.host.config_key().to_owned(),
            username: login.username.clone(),
            password: login.password.clone(),
        })
    }
}

/// Docker's failures inside a job: while it is away the job waits for it.
impl From<DockerError> for JobError {
    fn from(error: DockerError) -> Self {
        if error.is_away() {
            Self::Retry { after: RETRY, problem: error.problem() }
        } else {
            Self::Fail(error.problem())
        }
    }
}

/// Failures of other use cases inside a job.
fn inner(error: AppError) -> JobError {
    JobError::Fail(match error {
        AppError::Problem(problem) => *problem,
        other => Problem::new("deploy.refused", other.to_string(), "Correct that and deploy again."),
    })
}

fn id_of(payload: &serde_json::Value) -> Result<DeploymentId, serde_json::Error> {
    serde_json::from_value(payload["deployment"].clone())
}

impl Deploy {
    pub(super) fn new(services: Services) -> Self {
        Self(services)
    }
}

#[async_trait]
impl Handler for Deploy {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, payload: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        let services = &self.0;
        let id = id_of(payload).map_err(jobs::internal)?;
        // Slipway died while this was being undone: it stays given up, whatever the Swarm has by now.
        if let Some(problem) = services.gave_up(&id).await? {
            return Err(JobError::Fail(problem));
        }
        let plan = services.plan(&id).await?;
        mask(&plan, cx);
        cx.log(&format!("Deployment {} of {}: {}", plan.deployment.number, plan.service.name, plan.deployment.image));
        let outcome = self.steps(&plan, cx).await;
        if let Err(JobError::Fail(problem)) = &outcome {
            services.give_up(&id, problem).await;
        }
        // The page may show it a moment earlier this way; the watch looks anyway.
        drop(services.look().await);
        outcome
    }

    async fn undo(&self, payload: &serde_json::Value, cx: &JobContext) {
        if let Ok(id) = id_of(payload) {
            self.0.restore(&id, cx).await;
        }
    }
}

impl Deploy {
    async fn steps(&self, plan: &Plan, cx: &JobContext) -> Result<(), JobError> {
        let services = &self.0;
        cx.step("image", "Check the image", services.check_image(plan, cx)).await?;
        cx.step("network", "Prepare the network", async { services.networks(plan).await.map(drop) }).await?;
        cx.step("update", "Update the Swarm service", services.update_swarm(plan, cx)).await?;
        cx.step("healthy", "Wait until it is healthy", services.wait(plan, cx)).await?;
        if let Some(window) = monitor::window(&plan.deployment) {
            let watch = services.stays_well(plan, window, cx);
            cx.step("monitor", "Watch whether it stays healthy", watch).await?;
        }
        cx.step("current", "Mark as current", services.mark_current(plan)).await
    }
}

/// The registry's password, and environment variables whose names say that they are secret, never show in the log.
pub(super) fn mask(plan: &Plan, cx: &JobContext) {
    if let Some(login) = &plan.pull.access.login {
        cx.mask(&login.password);
    }
    for value in &plan.files {
        let text = value.expose("its lines are masked too");
        cx.mask(&Secret::new(text.trim().to_owned()));
        for line in text.lines().map(str::trim).filter(|line| line.len() >= 8) {
            cx.mask(&Secret::new(line.to_owned()));
        }
    }
    for (name, value) in &plan.deployment.settings.env {
        let name = name.to_ascii_uppercase();
        if ["PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL"].iter().any(|word| name.contains(word)) && value.len() >= 4 {
            cx.mask(&Secret::new(value.clone()));
        }
    }
}

impl Services {
    /// Reads all that a deployment needs.
    pub(super) async fn plan(&self, id: &DeploymentId) -> Result<Plan, JobError> {
        let found = store_deployments::find(self.inner.db.read(), id).await.map_err(jobs::internal)?;
        let gone = || {
            Problem::new(
                "service.deleted",
                "The service was deleted.",
                "There is nothing left to do; its history stays readable.",
            )
        };
        let (mut deployment, reach) = found.ok_or_else(gone)?;
        let service = store::find(self.inner.db.read(), &deployment.service).await.map_err(jobs::internal)?;
        let service = service.filter(|service| !service.is_deleted).ok_or_else(gone)?;
        deployment.settings =
            env::with_values(&self.inner.vault, self.inner.db.read(), id.as_str(), deployment.settings)
                .await
                .map_err(jobs::internal)?;
        let pull = self.pull(&reach, &deployment.image).await.map_err(inner)?;
        let files = self.files_of(&service.id, &deployment.settings).await?;
        Ok(Plan { service, deployment, pull, files })
    }

    async fn check_image(&self, plan: &Plan, cx: &JobContext) -> Result<(), JobError> {
        let (image, now) = (&plan.deployment.image, self.inner.clock.seconds());
        let back_to = match &plan.deployment.origin {
            Origin::RollBack { to, .. } => Some(to),
            _ => None,
        };
        if back_to.is_some_and(|to| self.inner.lamps.vouches(to, now)) {
            cx.log("The registry had it when it was last looked at, less than a minute ago.");
        } else if let Err(refusal) = cx.or_cancel(self.ask_registry(&plan.pull, image, &plan.service.id)).await? {
            // Back to what ran here before also works without the registry.
            let is_here = back_to.is_some() && refusal.is_outage;
            if !is_here || !self.inner.docker.has_image(image).await? {
                return Err(JobError::Fail(refusal.problem));
            }
            cx.log(&format!("{} The image is on this node already, so it goes on.", refusal.problem.cause));
        }
        cx.or_cancel(self.check_nodes(plan, cx)).await?
    }

    pub(super) async fn networks(&self, plan: &Plan) -> Result<Networks, JobError> {
        let name = spec::network_name(&plan.service.project_slug, &plan.service.project);
        let own = self.inner.docker.ensure_network(&name, &[(spec::MANAGED, "true")]).await?;
        let mut others = Vec::new();
        for name in &plan.deployment.settings.networks {
            let found = self.inner.docker.find_network(name).await?;
            others.push(found.ok_or_else(|| no_network(plan, name))?);
        }
        Ok(Networks { own, others })
    }

    pub(super) async fn in_swarm(&self, service: &Record) -> Result<Option<Found>, DockerError> {
        Ok(self.inner.docker.services(&spec::service_filter(&service.id)).await?.into_iter().next())
    }

    /// Creates the Swarm service or gives it the deployment's specification, from fresh state each time.
    pub(super) async fn update_swarm(&self, plan: &Plan, cx: &JobContext) -> Result<(), JobError> {
        let host = match self.inner.settings.host_now() {
            // Right after the start nobody has looked yet, and how ports are published depends on it.
            host if host.looked_at == 0 => self.inner.settings.look().await,
            host => host,
        };
        let settings = &plan.deployment.settings;
        if !host.has_ipvs && !settings.ports.is_empty() && u64::from(settings.replicas) > host.nodes.max(1) {
            return Err(too_many_copies(settings.replicas, host.nodes.max(1)).into());
        }
        let platforms = self.placement(plan, cx).await;
        for attempt in 1..=CONFLICTS {
            let networks = self.networks(plan).await?;
            let secrets = self.given_files(plan).await?;
            let (service, deployment) = (&plan.service, &plan.deployment);
            let spec = spec::spec(service, deployment, &networks, secrets, host.has_ipvs, platforms.clone());
            let found = self.in_swarm(&plan.service).await?;
            let login = plan.login();
            let done = match &found {
                None => self.inner.docker.create_service(&spec, login.as_ref()).await.map(drop),
                Some(found) => self.inner.docker.update_service(found, &spec, login.as_ref()).await,
            };
            match done {
                Ok(()) => {
                    let verb = if found.is_some() { "updated" } else { "created" };
                    cx.log(&format!("Swarm service {} {verb}.", found.map_or(spec.name, |found| found.name)));
                    return Ok(());
                }
                // Changed, removed or created by somebody else meanwhile.
                Err(DockerError::OutOfSequence | DockerError::NotFound { .. }) if attempt < CONFLICTS => {
                    cx.log("Somebody changed the service at the same time; reading it anew.");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(JobError::Fail(DockerError::OutOfSequence.problem()))
    }

    async fn wait(&self, plan: &Plan, cx: &JobContext) -> Result<(), JobError> {
        let wanted = plan.deployment.settings.replicas;
        let health = plan.deployment.settings.health.as_ref();
        let extra = health.map_or(0, |check| {
            check.start_period + check.interval.saturating_add(check.timeout).saturating_mul(check.retries)
        });
        let limit = LIMIT + Duration::from_secs(extra.into());
        let begun = Instant::now();
        let (mut ready_since, mut stuck_since) = (None::<Instant>, None::<Instant>);
        let mut told = String::new();
        let (is_scaled, mut earlier) = (matches!(plan.deployment.origin, Origin::Scale { .. }), None);
        loop {
            if cx.cancel.is_cancelled() {
                return Err(JobError::Cancelled);
            }
            let found = self.in_swarm(&plan.service).await?;
            let Some(found) = found.filter(|found| failure::is_ours(found, &plan.deployment.id)) else {
                return Err(failure::changed_by_others().into());
            };
            let mut tasks = self.inner.docker.tasks(std::slice::from_ref(&found.id)).await?;
            // Tasks of what is only scaled carry the same label as those that ended long before.
            let earlier: &Vec<String> = earlier.get_or_insert_with(|| {
                let ended = tasks.iter().filter(|task| is_scaled && !task.should_run);
                ended.map(|task| task.id.clone()).collect()
            });
            tasks.retain(|task| !earlier.contains(&task.id));
            let mut say = |text: String| {
                if text != told {
                    cx.log(&text);
                    told = text;
                }
            };
            let swarm_gave_up = found.update == Update::Paused && plan.service.current.is_some();
            match judge(&tasks, wanted, plan.deployment.tasks(), swarm_gave_up) {
                Verdict::Ready => {
                    say(format!("{} of {wanted} {}.", wanted, if wanted == 1 { "task runs" } else { "tasks run" }));
                    if ready_since.get_or_insert_with(Instant::now).elapsed() >= STABLE || wanted == 0 {
                        return Ok(());
                    }
                }
                Verdict::Failing(task) => return Err(self.task_failed(plan, task, cx).await.into()),
                Verdict::Waiting { running, stuck } => {
                    ready_since = None;
                    say(format!("{running} of {} of this version.", text::count(wanted.into(), "task")));
                    match stuck {
                        None => stuck_since = None,
                        Some(task) if stuck_since.get_or_insert_with(Instant::now).elapsed() >= STUCK => {
                            return Err(self.task_failed(plan, task, cx).await.into());
                        }
                        Some(_) => {}
                    }
                    if begun.elapsed() > limit {
                        return Err(self.never_ready(plan, &tasks, running, limit, cx).await.into());
                    }
                }
            }
            let poll = if begun.elapsed() < QUICK { POLL_AT_FIRST } else { POLL };
            tokio::select! {
                () = tokio::time::sleep(poll) => {}
                () = cx.cancel.cancelled() => {}
            }
        }
    }

    async fn mark_current(&self, plan: &Plan) -> Result<(), JobError> {
        let mut tx = self.inner.db.write().await.map_err(jobs::internal)?;
        let now = self.inner.clock.millis();
        store_deployments::make_current(&mut tx, &plan.service.id, &plan.deployment.id, now)
            .await
            .map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        self.drop_files(&plan.service.id, &plan.deployment.settings.secrets).await;
        Ok(())
    }
}

fn no_network(plan: &Plan, name: &str) -> Problem {
    Problem::new(
        "deploy.no_network",
        format!("The Swarm has no overlay network called {name}."),
        "Create it with `docker network create --driver overlay`, or take it off the service.",
    )
    .with_link(paths::edit_service(&plan.service.id), "Edit the service")
}

fn too_many_copies(replicas: u32, nodes: u64) -> Problem {
    Problem::new(
        "deploy.too_many_copies",
        format!(
            "Without the kernel's IP_VS, a published port belongs to one task on each node, so {replicas} copies don't fit \
             on {}.",
            text::count(nodes, "node")
        ),
        "Lower the number of copies, publish no port, or load the kernel module ip_vs on all nodes.",
    )
}
