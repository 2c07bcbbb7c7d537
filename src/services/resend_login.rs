//! The job that hands a changed login to the Swarm, for one service. The Swarm keeps with each service how its nodes sign
//! in; a node that pulls the image for the first time would fail with the old password.
//!
//! What must always hold: running tasks stay as they are. Only the login is sent, with the very specification that the Swarm
//! has; a task that has its image isn't started anew for a login (swarmkit leaves the login out when it compares; a test
//! against a real engine watches that).

use super::deploy::CONFLICTS;
use super::{Services, failure, store, subject};
use crate::credentials::Users;
use crate::docker::DockerError;
use crate::jobs::{self, Handler, JobContext, JobError, Lane, NewJob};
use crate::problems;
use crate::storage::Tx;
use app::error::AppError;
use app::model::id::{CredentialId, ServiceId};
use async_trait::async_trait;
use std::time::Duration;

/// The job's kind.
pub(super) const KIND: &str = "resend_login";
/// How often it is tried while Docker is away: an hour at least.
const TRIES: i64 = 1_000;
const PAUSE: Duration = Duration::from_millis(100);

/// Hands logins to the Swarm.
pub(super) struct ResendLogin(Services);

impl ResendLogin {
    pub(super) fn new(services: Services) -> Self {
        Self(services)
    }
}

#[async_trait]
impl Handler for ResendLogin {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, payload: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        let id: ServiceId = serde_json::from_value(payload["service"].clone()).map_err(jobs::internal)?;
        cx.step("login", "Send the new login to the Swarm", self.0.resend_login(&id, cx)).await
    }
}

#[async_trait]
impl Users for Services {
    async fn login_changed(&self, tx: &mut Tx, credential: &CredentialId, by: &str) -> Result<(), AppError> {
        for service in store::running_with(tx, credential).await.map_err(problems::of)? {
            let job = NewJob {
                kind: KIND,
                payload: serde_json::json!({ "service": service }),
                subject: subject(&service),
                // No key: one that runs already may have read the old password.
                key: None,
                lane: Lane::Swarm,
                resource: None,
                asked_by: by.to_owned(),
                max_attempts: TRIES,
            };
            let job = self.inner.jobs.enqueue(tx, job).await.map_err(problems::of)?;
            self.inner.jobs.supersede(tx, KIND, &subject(&service), &job).await.map_err(problems::of)?;
        }
        Ok(())
    }
}

impl Services {
    async fn resend_login(&self, id: &ServiceId, cx: &JobContext) -> Result<(), JobError> {
        let service = store::find(self.inner.db.read(), id).await.map_err(jobs::internal)?;
        let Some(service) = service.filter(|service| !service.is_deleted) else { return Ok(()) };
        let Some(current) = &service.current else { return Ok(()) };
        let plan = self.plan(current).await?;
        let Some(login) = plan.login() else { return Ok(()) };
        cx.mask(&login.password);
        for _ in 1..CONFLICTS {
            let Some(found) = self.in_swarm(&service).await?.filter(|found| failure::is_ours(found, current)) else {
                cx.log(
                    "The Swarm has no service of the current deployment. The next deployment brings the login along.",
                );
                return Ok(());
            };
            match self.inner.docker.renew_login(&found.id, &login).await {
                Ok(()) => {
                    cx.log(&format!(
                        "{} pulls from {} with the new login; its tasks go on.",
                        found.name, plan.pull.name
                    ));
                    return Ok(());
                }
                // Changed or removed by somebody else meanwhile.
                Err(DockerError::OutOfSequence | DockerError::NotFound { .. }) => tokio::time::sleep(PAUSE).await,
                Err(error) => return Err(error.into()),
            }
        }
        Err(DockerError::OutOfSequence.problem().into())
    }
}
