//! The last look, in memory, for pages.

use app::error::Problem;
use app::model::cleanup::CleanupPlan;
use std::sync::{PoisonError, RwLock};

/// The last look.
#[derive(Debug, Default)]
pub(super) struct Seen(RwLock<CleanupPlan>);

impl Seen {
    pub(super) fn plan(&self) -> CleanupPlan {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn put(&self, plan: CleanupPlan) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = plan;
    }

    /// What was seen before stays, with why it isn't newer.
    pub(super) fn failed(&self, problem: Problem) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).problem = Some(problem);
    }
}
