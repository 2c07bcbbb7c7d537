//! Room on disks: what there is, and what is done when it gets tight.

use crate::config::Config;
use crate::docker::Docker;
use crate::settings::Settings;
use app::api::disk::DiskApi;
use app::error::AppError;
use app::model::account::{Action, Actor};
use app::model::disk::Space;
use async_trait::async_trait;
use std::sync::Arc;

/// What it works with.
#[derive(Clone)]
pub struct Parts {
    /// Where Docker's root is.
    pub docker: Docker,
    /// What the engine is.
    pub settings: Settings,
    /// Where the data folder is.
    pub config: Config,
}

/// Room on disks. Cheap to clone.
#[derive(Clone)]
pub struct Disks {
    #[expect(dead_code, reason = "the watch comes with its slice")]
    parts: Arc<Parts>,
}

impl Disks {
    /// With all that it works with.
    pub fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts) }
    }
}

#[async_trait]
impl DiskApi for Disks {
    async fn spaces(&self, actor: &Actor) -> Result<Vec<Space>, AppError> {
        actor.may(Action::Read)?;
        Ok(Vec::new())
    }
}
