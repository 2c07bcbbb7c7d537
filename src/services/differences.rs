//! What is different between deployments, with the values of variables opened to compare them; none is told.

use super::{Services, env, store_deployments};
use crate::problems;
use app::error::AppError;
use app::model::diff::{self, Change};
use app::model::id::{DeploymentId, ServiceId};
use app::model::service::Deployment;

/// So many of the newest deployments say what they changed.
const TOLD: usize = 50;

impl Services {
    async fn opened(&self, deployment: Deployment) -> Result<Deployment, AppError> {
        let settings =
            env::with_values(&self.inner.vault, self.inner.db.read(), deployment.id.as_str(), deployment.settings)
                .await
                .map_err(problems::of)?;
        Ok(Deployment { settings, ..deployment })
    }

    pub(super) async fn differences(
        &self,
        before: &DeploymentId,
        after: &DeploymentId,
    ) -> Result<Vec<Change>, AppError> {
        let mut both = Vec::new();
        for id in [before, after] {
            let found = store_deployments::find(self.inner.db.read(), id).await.map_err(problems::of)?;
            let (deployment, _) = found.ok_or_else(|| AppError::NotFound("deployment".into()))?;
            // The values of a removed service are forgotten.
            both.push(self.opened(deployment.clone()).await.unwrap_or(deployment));
        }
        Ok(diff::changes(&both[0], &both[1]))
    }

    /// What each of the newest deployments changed against the one before it, newest first.
    pub(super) async fn history(&self, service: &ServiceId) -> Result<Vec<(DeploymentId, Vec<Change>)>, AppError> {
        let deployments = store_deployments::of_service(self.inner.db.read(), service).await.map_err(problems::of)?;
        let mut opened: Vec<Deployment> = Vec::new();
        for deployment in deployments.into_iter().take(TOLD + 1) {
            opened.push(self.opened(deployment).await?);
        }
        Ok(opened.windows(2).map(|two| (two[0].id.clone(), diff::changes(&two[1], &two[0]))).collect())
    }
}
