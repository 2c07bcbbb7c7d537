//! Deploying an image that is there already: the service's own, or another tag or digest of its repository.

use super::pull::Reach;
use super::{Services, env, save, store_deployments, ways_back};
use crate::storage::Tx;
use crate::{activity, problems};
use app::error::{AppError, Blocker};
use app::model::id::{DeploymentId, ServiceId};
use app::model::image_ref::{Digest, ImageRef, Tag};
use app::model::service::{ImageSource, Origin, Source};

/// Another image of the service's repository than the one it names.
#[derive(Clone, Debug)]
pub enum ImageWish {
    /// The digest that this tag leads to now.
    Tag(Tag),
    /// This one.
    Digest(Digest),
}

/// An image whose digest is known, to be deployed in a transaction.
#[derive(Clone, Debug)]
pub struct Ready {
    service: ServiceId,
    /// The service as it was when the digest was asked for.
    version: i64,
    pub(super) image: ImageRef,
    reach: Reach,
    pub(super) origin: Origin,
}

impl Services {
    /// Where a service's images come from.
    pub async fn source_of(&self, id: &ServiceId) -> Result<Source, AppError> {
        Ok(self.live(id).await?.source)
    }

    /// Finds the digest to deploy. Asks the registry.
    pub async fn ready(&self, id: &ServiceId, wish: Option<ImageWish>) -> Result<Ready, AppError> {
        let seen = self.live(id).await?;
        let Source::Image(source) = seen.source else {
            return Err(AppError::Blocked(vec![Blocker {
                reason: format!("{} comes from git: build it, and deploy what the build makes.", seen.name),
                link: None,
            }]));
        };
        let origin = if wish.is_some() { Origin::Hook } else { Origin::Image };
        let image = match wish {
            None => source.image.clone(),
            Some(ImageWish::Tag(tag)) => ImageRef { tag: Some(tag), digest: None, ..source.image.clone() },
            Some(ImageWish::Digest(digest)) => ImageRef { tag: None, digest: Some(digest), ..source.image.clone() },
        };
        let source = ImageSource { image, ..source };
        let image = self.resolve(id, &source).await?;
        Ok(Ready { service: id.clone(), version: seen.version, image, reach: Reach::of(&source), origin })
    }

    /// Makes the deployment and its job. Call `jobs.wake` after the commit.
    pub async fn deploy_ready(&self, tx: &mut Tx, ready: Ready, asked_by: &str) -> Result<DeploymentId, AppError> {
        let id = &ready.service;
        let service = self.locked(tx, id).await?;
        if service.version != ready.version {
            return Err(save::stale(id));
        }
        // What a person asks for is deployed in a pause too.
        if !matches!(ready.origin, Origin::Image) && self.is_paused(tx, id).await? {
            return Err(ways_back::paused(id));
        }
        let settings = env::with_values(&self.inner.vault, &mut **tx, id.as_str(), service.settings)
            .await
            .map_err(problems::of)?;
        let new = store_deployments::New {
            service: id.clone(),
            reach: ready.reach,
            image: ready.image,
            commit: None,
            commit_subject: None,
            settings,
            origin: ready.origin,
            asked_by: asked_by.to_owned(),
        };
        let deployment = self.add_deployment(tx, &new).await?;
        let detail = new.image.to_string();
        activity::record(tx, &self.inner.clock, asked_by, "service.deployed", deployment.as_str(), &detail)
            .await
            .map_err(problems::of)?;
        Ok(deployment)
    }
}
