//! Gives the Swarm the services of a registry, from fresh state each time, so that somebody who changes them at the same
//! time loses nothing but a moment.

use super::record::Record;
use super::{Registries, names, reach, spec};
use crate::docker::{DockerError, Found, Spec};
use crate::jobs::{JobContext, JobError};
use app::error::Problem;
use app::model::id::RegistryId;
use app::model::registry::Reach;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How often it is made from fresh state when somebody changes the service at the same time: for half a minute, as an engine
/// goes on listing a network that the Swarm has removed until the last container on it has ended.
const CONFLICTS: usize = 60;
const PAUSE: Duration = Duration::from_millis(500);

/// What becomes of the tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// One runs, also when somebody scaled it to zero.
    Run,
    /// As many as there should be by now: what somebody scaled to zero stays so.
    Keep,
    /// One, started anew. The number is the same as long as the wish is, so that it happens once.
    Anew(u64),
}

/// What was done, for those who wait for its tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Applied {
    /// Tasks that were there before; their failures are of the past.
    pub before: Vec<String>,
    /// Those of before don't count as running either.
    pub anew: bool,
    /// Whether a task is to run at all.
    pub runs: bool,
}

impl Registries {
    /// The service of this role, as the Swarm has it.
    pub(super) async fn in_swarm(&self, id: &RegistryId, role: &str) -> Result<Option<Found>, DockerError> {
        let found = self.parts.docker.services(&names::filter(id)).await?;
        Ok(found.into_iter().find(|found| found.labels.get(names::ROLE).is_some_and(|label| label == role)))
    }

    /// Creates the service of the registry or gives it the record's settings.
    pub(super) async fn apply(&self, record: &Record, start: Start, cx: &JobContext) -> Result<Applied, JobError> {
        if record.reach != Reach::Proxy {
            self.remove_proxy(record, cx).await?;
        }
        let mut before = None;
        for attempt in 1..=CONFLICTS {
            // Each round: network and secrets may have been removed meanwhile too.
            let network = self.network().await?;
            let secrets = self.secrets(record).await?;
            let found = self.in_swarm(&record.id, names::SERVES).await?;
            if before.is_none() {
                let ids: Vec<String> = found.iter().map(|found| found.id.clone()).collect();
                let tasks = self.parts.docker.tasks(&ids).await?;
                before = Some(tasks.into_iter().map(|task| task.id).collect::<Vec<_>>());
            }
            let replicas = match (&found, start) {
                (Some(found), Start::Keep) => u32::try_from(found.replicas).unwrap_or(1).min(1),
                _ => 1,
            };
            let force = match (&found, start) {
                (_, Start::Anew(number)) => number,
                (Some(found), _) => found.force,
                (None, _) => 0,
            };
            let spec = spec::spec(record, &network, secrets, replicas, force);
            if self.give(found.as_ref(), &spec, attempt == CONFLICTS, cx).await? {
                let anew = matches!(start, Start::Anew(_));
                return Ok(Applied { before: before.unwrap_or_default(), anew, runs: replicas > 0 });
            }
            cx.or_cancel(tokio::time::sleep(PAUSE)).await?;
        }
        Err(JobError::Fail(DockerError::OutOfSequence.problem()))
    }

    /// Creates or updates one service. False: somebody else changed it or what it needs; look anew.
    pub(super) async fn give(
        &self,
        found: Option<&Found>,
        spec: &Spec,
        is_last: bool,
        cx: &JobContext,
    ) -> Result<bool, JobError> {
        let done = match found {
            None => self.parts.docker.create_service(spec, None).await.map(drop),
            Some(found) => self.parts.docker.update_service(found, spec, None).await,
        };
        match done {
            Ok(()) => {
                let verb = if found.is_some() { "updated" } else { "created" };
                cx.log(&format!("Swarm service {} {verb}.", found.map_or(&spec.name, |found| &found.name)));
                Ok(true)
            }
            Err(error) if !is_last && is_passing(&error) => {
                cx.log("Somebody changed the service, or what it needs, at the same time; reading it anew.");
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Creates the proxy on every node or gives it the record's settings.
    pub(super) async fn proxy(&self, record: &Record, cx: &JobContext) -> Result<(), JobError> {
        let Some(image) = &self.parts.config.proxy_image else {
            return Err(Problem::new(
                "registry.no_proxy_image",
                "The nodes reach the registry through a proxy, and the setting proxy-image names no image for it.",
                "Set proxy-image to an image with Slipway that every node can pull, and restart Slipway.",
            )
            .into());
        };
        for attempt in 1..=CONFLICTS {
            let network = self.network().await?;
            let found = self.in_swarm(&record.id, names::PASSES_ON).await?;
            let spec = reach::proxy_spec(record, &network.id, image);
            if self.give(found.as_ref(), &spec, attempt == CONFLICTS, cx).await? {
                return Ok(());
            }
            cx.or_cancel(tokio::time::sleep(PAUSE)).await?;
        }
        Err(JobError::Fail(DockerError::OutOfSequence.problem()))
    }

    async fn remove_proxy(&self, record: &Record, cx: &JobContext) -> Result<(), JobError> {
        if let Some(found) = self.in_swarm(&record.id, names::PASSES_ON).await? {
            self.parts.docker.remove_service(&found.id).await?;
            cx.log(&format!("Swarm service {} removed: no proxy is needed any more.", found.name));
        }
        Ok(())
    }
}

/// Whether it may be otherwise in a moment: somebody else changed the service, or removed the network or a secret between our
/// look and the call, of which the Swarm says that it refuses the service because that is "not found".
fn is_passing(error: &DockerError) -> bool {
    match error {
        DockerError::OutOfSequence | DockerError::NotFound { .. } => true,
        DockerError::Refused { message, .. } => message.contains("not found"),
        _ => false,
    }
}
