//! Runs that turn commits into images.

use crate::storage::Tx;
use app::error::AppError;
use app::model::build::CommitSha;
use app::model::id::{BuildId, RegistryId, ServiceId};
use app::model::image_ref::ImageRef;
use app::model::service::GitSource;
use async_trait::async_trait;

/// What a build needs to know of its service.
#[derive(Clone, Debug)]
pub struct ServiceFacts {
    /// What people call it.
    pub name: String,
    /// Its name in paths.
    pub slug: String,
    /// The project's name in paths.
    pub project_slug: String,
    /// What to build.
    pub source: GitSource,
}

/// A build that pushed its image.
#[derive(Clone, Debug)]
pub struct FinishedBuild {
    /// Which.
    pub id: BuildId,
    /// Its number.
    pub number: i64,
    /// Of which service.
    pub service: ServiceId,
    /// With the digest that the registry confirmed.
    pub image: ImageRef,
    /// Where it was pushed.
    pub registry: RegistryId,
    /// What was built.
    pub commit: CommitSha,
    /// First line of its message.
    pub commit_subject: Option<String>,
    /// Who asked for the build.
    pub asked_by: String,
}

/// What builds need from services; implemented there and plugged in by `start.rs`.
#[async_trait]
pub trait Services: Send + Sync {
    /// The facts; NotFound when the service is deleted.
    async fn facts(&self, service: &ServiceId) -> Result<ServiceFacts, AppError>;
    /// Makes a deployment of the build and its job, in the given transaction; once per build.
    async fn deploy(&self, tx: &mut Tx, build: &FinishedBuild) -> Result<(), AppError>;
}
