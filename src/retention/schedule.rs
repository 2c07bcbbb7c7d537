//! When runs begin by themselves: by the hours that a registry's rules name, and when something in the trash is due.
//!
//! What must always hold: what was missed while Slipway was away happens once; a clock that jumps never makes two of one.

use super::{Retention, new_job, run, store_runs, store_trash};
use crate::problems;
use crate::storage::Tx;
use app::api::registries::RegistriesApi as _;
use app::error::AppError;
use app::model::account::{Actor, Role};
use app::model::id::{AccountId, JobId, RegistryId};
use app::model::retention::{Scope, USUAL_TRASH};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks at what is due.
const LOOK: Duration = Duration::from_secs(60);

/// Whether a run is due, and from when on the hours are counted; None: as before.
fn due(last: Option<i64>, every_hours: u32, now: i64) -> (bool, Option<i64>) {
    match last {
        // The first one comes after the hours, so that there is time to look at what it would do.
        None => (false, Some(now)),
        // The clock went back: the hours begin anew.
        Some(last) if last > now => (false, Some(now)),
        Some(last) if now - last >= i64::from(every_hours.max(1)) * 3_600 => (true, Some(now)),
        Some(_) => (false, None),
    }
}

/// Slipway itself, where it asks what people may ask.
fn slipway() -> Actor {
    Actor { account: AccountId::from_random([0; 8]), username: "slipway".into(), role: Role::Owner }
}

impl Retention {
    /// Looks every minute.
    pub(super) async fn keep_time(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            if let Err(error) = self.start_due().await {
                tracing::error!(?error, "what is due of retention isn't known");
            }
        }
    }

    /// Starts what is due now; the jobs.
    pub async fn start_due(&self) -> Result<Vec<JobId>, AppError> {
        let mut started = Vec::new();
        for registry in self.parts.registries.list(&slipway()).await? {
            let policy = self.rules(&Scope::Registry(registry.id.clone())).await?;
            let Some(hours) = policy.and_then(|policy| policy.every_hours) else { continue };
            let last = store_runs::last_at(self.parts.db.read(), &registry.id).await.map_err(problems::of)?;
            let (is_due, from) = due(last, hours, self.parts.clock.seconds());
            let Some(from) = from else { continue };
            let mut tx = self.parts.db.write().await.map_err(problems::of)?;
            store_runs::set_last_at(&mut tx, &registry.id, from).await.map_err(problems::of)?;
            if is_due {
                started.push(self.enqueue_run(&mut tx, &registry.id, "slipway").await?);
            }
            tx.commit().await.map_err(problems::of)?;
        }
        let now = self.parts.clock.seconds();
        for registry in store_trash::due(self.parts.db.read(), now).await.map_err(problems::of)? {
            if !self.may_expire(&registry, now) {
                continue;
            }
            let mut tx = self.parts.db.write().await.map_err(problems::of)?;
            started.push(self.enqueue_emptying(&mut tx, &registry, false, "slipway").await?);
            tx.commit().await.map_err(problems::of)?;
        }
        if !started.is_empty() {
            self.parts.jobs.wake();
        }
        Ok(started)
    }

    /// A run of the rules; one at a time.
    pub(super) async fn enqueue_run(&self, tx: &mut Tx, id: &RegistryId, by: &str) -> Result<JobId, AppError> {
        let payload = serde_json::json!({ "registry": id });
        let job = new_job(run::KIND, id, payload, format!("{}:{id}", run::KIND), by, 5);
        self.parts.jobs.enqueue(tx, job).await.map_err(problems::of)
    }

    /// The trash is thrown out: all of it, or what is due.
    pub(super) async fn enqueue_emptying(
        &self,
        tx: &mut Tx,
        id: &RegistryId,
        all: bool,
        by: &str,
    ) -> Result<JobId, AppError> {
        let kind = super::expire::KIND;
        let payload = serde_json::json!({ "registry": id, "all": all });
        let job = new_job(kind, id, payload, format!("{kind}:{id}:{all}"), by, 5);
        self.parts.jobs.enqueue(tx, job).await.map_err(problems::of)
    }

    /// Days in which a tag of this registry can come back.
    pub(super) async fn trash_days(&self, id: &RegistryId) -> Result<u32, AppError> {
        let policy = self.rules(&Scope::Registry(id.clone())).await?;
        Ok(policy.map_or(USUAL_TRASH, |policy| policy.trash_days))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_runs_happen_once_and_jumps_of_the_clock_make_none() {
        let hour = 3_600;
        for (last, now, expected) in [
            (None, 100, (false, Some(100))),
            (Some(100), 100 + 5 * hour, (false, None)),
            (Some(100), 100 + 6 * hour, (true, Some(100 + 6 * hour))),
            // Slipway was away for a week: one run, and the hours count from now.
            (Some(100), 100 + 168 * hour, (true, Some(100 + 168 * hour))),
            // The clock went back by a year: no run, and none for a year neither.
            (Some(100_000_000), 60_000_000, (false, Some(60_000_000))),
        ] {
            assert_eq!(due(last, 6, now), expected, "{last:?} {now}");
        }
        assert_eq!(due(Some(0), 0, 3_599), (false, None), "no hours are one");
    }
}
