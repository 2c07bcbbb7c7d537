//! Brings a registry to what its record says: network, secrets, volume, service, proxy, then waits until it is well. Every
//! step looks at what is there and makes what is missing, so it can be broken off anywhere and done again, and the same
//! steps create, change, restart and repair.

use super::apply::{Applied, Start};
use super::record::Record;
use super::{Registries, names, store, store_managed};
use crate::jobs::{self, JobContext, JobError};
use crate::problems;
use app::error::Problem;
use app::model::id::RegistryId;
use app::model::registry::{Phase, Reach, Storage};

/// How often a job about a registry is tried while Docker is away: four minutes at least.
pub(super) const TRIES: i64 = 50;

/// Whose a job is, from what was written when it was asked for.
pub(super) fn id_of(payload: &serde_json::Value) -> Result<RegistryId, JobError> {
    serde_json::from_value(payload["registry"].clone()).map_err(jobs::internal)
}

impl Registries {
    /// What a job works on, as it is now.
    pub(super) async fn load(&self, id: &RegistryId) -> Result<Record, JobError> {
        let found = store_managed::record_of(self.parts.db.read(), id).await.map_err(jobs::internal)?;
        found.ok_or_else(|| {
            let remedy = "There is nothing left to do.";
            JobError::Fail(Problem::new("registry.deleted", "The registry was deleted meanwhile.", remedy))
        })
    }

    /// All steps until its task is healthy; whether one runs at all.
    pub(super) async fn bring_up(&self, record: &Record, start: Start, cx: &JobContext) -> Result<bool, JobError> {
        self.mask(record, cx).await?;
        cx.step("network", "Prepare the network", async {
            let network = self.network().await?;
            cx.log(&format!("Network {}.", network.name));
            Ok(())
        })
        .await?;
        cx.step("secrets", "Hand configuration and sign-in to the Swarm as secrets", async {
            for secret in self.secrets(record).await? {
                cx.log(&format!("Secret {}.", secret.name));
            }
            Ok(())
        })
        .await?;
        if matches!(record.wanted.storage, Storage::Volume { .. }) {
            cx.step("volume", "Prepare the volume", self.volume(record, cx)).await?;
        }
        let title = match start {
            Start::Anew(_) => "Start the Swarm service anew",
            _ => "Create or update the Swarm service",
        };
        let applied: Applied = cx.step("service", title, self.apply(record, start, cx)).await?;
        if record.reach == Reach::Proxy {
            cx.step("proxy", "Pass on from every node", self.proxy(record, cx)).await?;
        }
        cx.step("healthy", "Wait until it is healthy", self.wait(record, &applied, cx)).await?;
        Ok(applied.runs)
    }

    /// The last steps: a real push and pull, then its settings count as good.
    pub(super) async fn prove(&self, record: &Record, cx: &JobContext) -> Result<(), JobError> {
        cx.step("probe", "Sign in, push and pull a test blob", self.try_push(record, cx)).await?;
        cx.step("settle", "Keep these settings", self.settle(record, cx)).await
    }

    /// The settings of this revision are good: it counts as running, takes over as the default when it is to, and what
    /// earlier revisions left goes.
    pub(super) async fn settle(&self, record: &Record, cx: &JobContext) -> Result<(), JobError> {
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store_managed::settle(&mut tx, record).await.map_err(jobs::internal)?;
        let has_default = store::has_default(&mut tx).await.map_err(jobs::internal)?;
        if record.wants_default || !has_default {
            store::clear_default(&mut tx).await.map_err(jobs::internal)?;
            store::set_default(&mut tx, &record.id).await.map_err(jobs::internal)?;
            cx.log(&format!("{} is the default registry now.", record.name));
        }
        tx.commit().await.map_err(jobs::internal)?;
        // Its credential is looked at now: what was found while it didn't run is true no more.
        if let Err(error) = self.parts.credentials.examine_owned(&record.id).await {
            tracing::warn!(registry.id = %record.id, cause = %problems::chain(&error), "a credential can't be looked at");
        }
        self.clear_old(record, cx).await
    }

    /// Removes what belongs to earlier revisions. What can't be removed now goes with the next change.
    async fn clear_old(&self, record: &Record, cx: &JobContext) -> Result<(), JobError> {
        let kept: Vec<String> =
            ["config", "htpasswd"].map(|file| names::secret(&record.id, file, record.revision)).into();
        match self.parts.docker.secrets(&names::filter(&record.id)).await {
            Ok(there) => {
                for secret in there.iter().filter(|secret| !kept.contains(&secret.name)) {
                    match self.parts.docker.remove_secret(&secret.id).await {
                        Ok(()) => cx.log(&format!("Old secret {} removed.", secret.name)),
                        Err(error) => cx.log(&format!("The old secret {} stays for now: {error}.", secret.name)),
                    }
                }
            }
            Err(error) => cx.log(&format!("Old secrets stay for now: {error}.")),
        }
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        let old = record.settled.as_ref().map(|(wanted, revision)| [wanted.keys, *revision]);
        for revision in old.into_iter().flatten().filter(|old| *old != record.wanted.keys && *old != record.revision) {
            self.forget_revision(&mut tx, &record.id, revision).await.map_err(jobs::internal)?;
        }
        tx.commit().await.map_err(jobs::internal)
    }

    /// Whether a job has to leave it alone: it isn't meant to run.
    pub(super) fn is_meant_to_run(record: &Record, cx: &JobContext) -> bool {
        let runs = record.phase == Phase::Running;
        if !runs {
            cx.log("The registry isn't meant to run now, so there is nothing to do.");
        }
        runs
    }
}
