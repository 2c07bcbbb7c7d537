//! Stands in for parts that aren't wired yet: each wish is refused with a Problem.

use app::api::services::ServicesApi;
use app::api::settings::SettingsApi;
use app::error::{AppError, Problem};
use app::model::account::Actor;
use app::model::id::{DeploymentId, ServiceId};
use app::model::service::{Deployment, Service, ServiceForm, ServiceSummary, Task};
use app::model::settings::Host;
use async_trait::async_trait;

/// A part that isn't there.
pub struct Pending;

fn pending<T>() -> Result<T, AppError> {
    Err(Problem::new("pending", "This part of Slipway isn't wired yet.", "Use a newer version.").into())
}

#[async_trait]
impl ServicesApi for Pending {
    async fn list(&self, _: &Actor) -> Result<Vec<ServiceSummary>, AppError> {
        Ok(Vec::new())
    }
    async fn projects(&self, _: &Actor) -> Result<Vec<String>, AppError> {
        Ok(Vec::new())
    }
    async fn get(&self, _: &Actor, _: &ServiceId) -> Result<Service, AppError> {
        pending()
    }
    async fn create(&self, _: &Actor, _: ServiceForm) -> Result<ServiceId, AppError> {
        pending()
    }
    async fn update(&self, _: &Actor, _: &ServiceId, _: i64, _: ServiceForm) -> Result<(), AppError> {
        pending()
    }
    async fn delete(&self, _: &Actor, _: &ServiceId) -> Result<(), AppError> {
        pending()
    }
    async fn tasks(&self, _: &Actor, _: &ServiceId) -> Result<(Vec<Task>, i64), AppError> {
        pending()
    }
    async fn deployments(&self, _: &Actor, _: &ServiceId) -> Result<Vec<Deployment>, AppError> {
        pending()
    }
    async fn deployment(&self, _: &Actor, _: &DeploymentId) -> Result<Deployment, AppError> {
        pending()
    }
    async fn roll_back(&self, _: &Actor, _: &DeploymentId) -> Result<DeploymentId, AppError> {
        pending()
    }
    async fn cancel_deployment(&self, _: &Actor, _: &DeploymentId) -> Result<(), AppError> {
        pending()
    }
}

#[async_trait]
impl SettingsApi for Pending {
    async fn host(&self) -> Host {
        Host::default()
    }
    async fn configuration(&self, _: &Actor) -> Result<Vec<(String, String)>, AppError> {
        pending()
    }
    async fn start_swarm(&self, _: &Actor, _: &str) -> Result<(), AppError> {
        pending()
    }
}
