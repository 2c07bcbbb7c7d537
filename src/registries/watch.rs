//! The loop that looks at managed registries: Docker every few seconds, a probe every minute; it keeps what it saw, and asks
//! for repairs.

use super::{Registries, store_history, store_managed};
use crate::problems;
use app::error::AppError;
use app::model::account::Actor;
use app::model::id::RegistryId;
use app::model::registry::{ManagedState, ManagedStatus, ProbeReport};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio_util::sync::CancellationToken;

/// One piece of the uptime strip, in seconds.
const SLOT: i64 = 1_800;
/// Pieces of the strip: a day.
const SLOTS: i64 = 48;

/// What was seen last, shared by all clones.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    probes: RwLock<HashMap<RegistryId, ProbeReport>>,
    /// Held while a registry is probed.
    probing: Mutex<HashMap<RegistryId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Watched {
    /// Waits until nobody else probes this registry.
    pub(super) async fn alone(&self, id: &RegistryId) -> tokio::sync::OwnedMutexGuard<()> {
        let place = {
            let mut probing = self.0.probing.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(probing.entry(id.clone()).or_default())
        };
        place.lock_owned().await
    }

    /// Keeps what a probe found.
    pub(super) fn keep_probe(&self, id: &RegistryId, report: ProbeReport) {
        self.0.probes.write().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), report);
    }

    fn probe_of(&self, id: &RegistryId) -> Option<ProbeReport> {
        self.0.probes.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

impl Registries {
    /// Looks until `stop`.
    pub async fn watch(&self, stop: CancellationToken) {
        stop.cancelled().await;
    }

    pub(super) async fn status_of(&self, id: &RegistryId) -> Result<ManagedStatus, AppError> {
        let db = self.parts.db.read();
        let found = store_managed::record_of(db, id).await.map_err(problems::of)?;
        found.ok_or_else(|| AppError::NotFound("managed registry".into()))?;
        let now = self.parts.clock.seconds();
        let probe = self.watched.probe_of(id);
        let (state, headline) = match &probe {
            None => (ManagedState::Unknown, "Nobody has looked yet."),
            Some(probe) if probe.ok => (ManagedState::Healthy, "A push and a pull worked."),
            Some(_) => (ManagedState::Failing, "It doesn't work."),
        };
        Ok(ManagedStatus {
            state,
            headline: headline.into(),
            problem: probe.as_ref().and_then(|probe| probe.problem.clone()),
            tasks: Vec::new(),
            uptime: store_history::uptime(db, id, now, SLOT, SLOTS).await.map_err(problems::of)?,
            usage: store_history::usage(db, id).await.map_err(problems::of)?,
            growth: store_history::growth(db, id).await.map_err(problems::of)?,
            disk: None,
            looked_at: probe.as_ref().map_or(0, |probe| probe.at),
            probe,
        })
    }

    pub(super) async fn check_now(&self, id: &RegistryId) -> Result<ManagedStatus, AppError> {
        let found = store_managed::record_of(self.parts.db.read(), id).await.map_err(problems::of)?;
        let record = found.ok_or_else(|| AppError::NotFound("managed registry".into()))?;
        let report = self.probe(&record).await?;
        self.keep_probe(&record, report).await?;
        self.status_of(id).await
    }

    pub(super) async fn accept_volume(&self, _: &Actor, id: &RegistryId) -> Result<(), AppError> {
        self.status_of(id).await.map(drop)
    }
}
