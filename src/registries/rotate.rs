//! Gives a managed registry a new password.
//!
//! The new password lies in the vault under the coming revision, before anything else happens. The registry starts with it,
//! shows that it takes it and refuses the old one, and then, in one transaction, revision and credential count as new and
//! everybody who runs with the credential is told. Until that moment the old password is the credential's, and every failure
//! returns to it; from then on nothing does. So registry and credential agree, wherever this is broken off and taken up again.

use super::apply::Start;
use super::bring_up::id_of;
use super::change::revision_of;
use super::create::blocked;
use super::keys::{coming_password, inner, new_password};
use super::record::Record;
use super::{Registries, store_managed};
use crate::jobs::{self, Handler, JobContext, JobError};
use crate::oci::{Access, Login, OciError};
use crate::problems;
use crate::vault::VaultError;
use app::error::{AppError, Problem};
use app::model::account::Actor;
use app::model::id::{JobId, RegistryId};
use app::model::registry::Phase;
use app::model::secret::Secret;
use async_trait::async_trait;
use std::time::Duration;
use tokio::time::Instant;

/// The job's kind.
pub(super) const KIND: &str = "rotate_registry";
/// Nodes need a moment until they publish a port.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(500);

/// Gives registries new passwords.
pub(super) struct Rotate(pub(super) Registries);

#[async_trait]
impl Handler for Rotate {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, payload: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        let (id, revision) = (id_of(payload)?, revision_of(payload)?);
        match self.0.rotate_in_swarm(&id, revision, cx).await {
            Err(JobError::Fail(problem)) => Err(JobError::Fail(self.0.return_from(&id, revision, problem, cx).await)),
            outcome => outcome,
        }
    }

    /// After a cancel, and when Docker was away for too long: back to the old password, unless the new one counts already.
    async fn undo(&self, payload: &serde_json::Value, cx: &JobContext) {
        if let (Ok(id), Ok(revision)) = (id_of(payload), revision_of(payload))
            && let Err(JobError::Retry { problem, .. } | JobError::Fail(problem)) =
                self.0.go_back(&id, revision, cx).await
        {
            cx.log(&format!("The old password couldn't be brought back: {problem}"));
        }
    }
}

impl Registries {
    /// Keeps a new password for the coming revision, and asks for the job that brings it.
    pub(super) async fn ask_for_rotation(&self, actor: &Actor, id: &RegistryId) -> Result<JobId, AppError> {
        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        let record = self.idle(&mut tx, id).await?;
        if record.phase != Phase::Running {
            return Err(blocked(id, "Only a registry that was created can get a new password."));
        }
        let next = record.revision + 1;
        let (vault, clock) = (&self.parts.vault, &self.parts.clock);
        vault.put(&mut tx, clock, id.as_str(), &coming_password(next), &new_password()).await.map_err(problems::of)?;
        store_managed::set_wanted(&mut tx, id, &record.wanted, next).await.map_err(problems::of)?;
        let more = serde_json::json!({ "revision": next });
        let job = self.enqueue(&mut tx, KIND, id, more, &actor.username).await?;
        self.record(&mut tx, actor, "rotated", id, &record.name).await?;
        tx.commit().await.map_err(problems::of)?;
        self.parts.jobs.wake();
        Ok(job)
    }

    async fn rotate_in_swarm(&self, id: &RegistryId, revision: i64, cx: &JobContext) -> Result<(), JobError> {
        let record = self.load(id).await?;
        if record.revision != revision {
            // It was undone before Slipway was interrupted.
            cx.log(&format!("Revision {} is asked for by now.", record.revision));
            return Ok(());
        }
        self.bring_up(&record, Start::Run, cx).await?;
        cx.step("sign_in", "Try the new password, and the old one", self.try_both(&record, cx)).await?;
        cx.step("hand_over", "Tell everybody who uses it", self.hand_over(&record, cx)).await?;
        cx.step("probe", "Sign in, push and pull a test blob", self.try_push(&record, cx)).await?;
        cx.step("settle", "Forget the old password", self.settle(&record, cx)).await
    }

    /// The registry takes the new password and refuses the old one.
    async fn try_both(&self, record: &Record, cx: &JobContext) -> Result<(), JobError> {
        let Some(new) = self.coming(record).await? else { return Ok(()) };
        cx.mask(&new);
        let access = self.parts.credentials.access(&record.credential).await.map_err(inner)?;
        let Some(old) = access.login.clone() else { return Ok(()) };
        cx.mask(&old.password);
        let login = Login { username: old.username.clone(), password: new };
        let with_new = Access { login: Some(login), ..access.clone() };
        let begun = Instant::now();
        loop {
            match cx.or_cancel(self.parts.oci.check(&with_new)).await? {
                Ok(()) => break,
                Err(error) if begun.elapsed() > PATIENCE => return Err(error.problem().into()),
                Err(_) => {}
            }
            cx.or_cancel(tokio::time::sleep(POLL)).await?;
        }
        cx.log("The registry takes the new password.");
        match cx.or_cancel(self.parts.oci.check(&access)).await? {
            Err(OciError::WrongCredentials { .. } | OciError::Denied { .. }) => {
                cx.log("It refuses the old one.");
                Ok(())
            }
            Err(error) => Err(error.problem().into()),
            Ok(()) => Err(Problem::new(
                "registry.old_password",
                format!("{} still takes the old password.", record.name),
                "Something else than this registry may answer on its port. Look at its log, then try again.",
            )
            .into()),
        }
    }

    /// The moment from which the new password counts, for the registry's record, its credential and all who run with it.
    async fn hand_over(&self, record: &Record, cx: &JobContext) -> Result<(), JobError> {
        // Without one it was handed over before Slipway was interrupted.
        let Some(new) = self.coming(record).await? else { return Ok(()) };
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store_managed::settle(&mut tx, record).await.map_err(jobs::internal)?;
        self.parts.credentials.set_owned_password(&mut tx, &record.id, &new, &cx.asked_by).await.map_err(inner)?;
        let name = coming_password(record.revision);
        self.parts.vault.forget_one(&mut tx, record.id.as_str(), &name).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        self.parts.jobs.wake();
        cx.log("Builds sign in with the new password from now on; running services get it with jobs of their own.");
        Ok(())
    }

    /// The password that waits to be handed over.
    async fn coming(&self, record: &Record) -> Result<Option<Secret>, JobError> {
        let name = coming_password(record.revision);
        match self.parts.vault.get(self.parts.db.read(), record.id.as_str(), &name).await {
            Ok(password) => Ok(Some(password)),
            Err(VaultError::NotThere { .. }) => Ok(None),
            Err(error) => Err(jobs::internal(error)),
        }
    }
}
