//! What deployments need: the images that nobody may delete, neither from a registry nor from a node.

use super::{Services, store_deployments};
use crate::problems;
use app::error::AppError;
use app::model::id::{CredentialId, DeploymentId, RegistryId, ServiceId};
use app::model::image_ref::ImageRef;
use app::model::retention::Need;

/// An image that a deployment needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Whose deployment.
    pub service: ServiceId,
    /// The service's name.
    pub name: String,
    /// Which deployment.
    pub deployment: DeploymentId,
    /// Its number.
    pub number: i64,
    /// By digest.
    pub image: ImageRef,
    /// The registry it was pushed to, when Slipway built it.
    pub registry: Option<RegistryId>,
    /// The credential it is pulled with, when it has one of its own.
    pub credential: Option<CredentialId>,
    /// What for.
    pub need: Need,
}

impl Services {
    /// All images that deployments of live services need, each with its strongest need: what runs, what is on its way,
    /// what is pinned, and the newest that ran well (`services.keep` of each service).
    pub async fn kept(&self) -> Result<Vec<Kept>, AppError> {
        store_deployments::kept(self.inner.db.read()).await.map_err(problems::of)
    }
}
