//! What registries hold.
#![expect(missing_docs, reason = "the server macro makes structs without documentation")]

use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::id::CredentialId;
use crate::model::image::{Fit, Found, Image, RunsIn, Search, Source, TagOrder, Tags};
use crate::model::image_ref::{ImageRef, RegistryHost, Repository};
use crate::request;
use async_trait::async_trait;
use leptos::prelude::*;

/// Where a repository is, and who asks: the credential decides what is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// None: as anybody.
    pub credential: Option<CredentialId>,
    /// The registry.
    pub host: RegistryHost,
    /// The repository there.
    pub repository: Repository,
}

/// Which tags, and how they are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagSearch {
    /// Part of the tag.
    pub text: String,
    /// Their order.
    pub order: TagOrder,
    /// So many are skipped.
    pub offset: u64,
    /// At most so many, up to 200.
    pub limit: u64,
}

/// Images. "Known" means: from memory and the database, without asking a registry, so pages may wait for it.
#[async_trait]
pub trait ImagesApi: Send + Sync {
    /// Where images come from, with the state of each list. Known.
    async fn sources(&self, actor: &Actor) -> Result<Vec<Source>, AppError>;
    /// Repositories that fit. Known, unless `search.live`.
    async fn search(&self, actor: &Actor, search: &Search) -> Result<Found, AppError>;
    /// The tags of a repository as far as they are known; `fetch` first asks the registry when they are old or missing
    /// (10 s at most).
    async fn tags(&self, actor: &Actor, place: &Place, search: &TagSearch, fetch: bool) -> Result<Tags, AppError>;
    /// What a tag or digest (`reference`) leads to. None: not known (without `fetch`), or the registry doesn't have it.
    async fn image(
        &self,
        actor: &Actor,
        place: &Place,
        reference: &str,
        fetch: bool,
    ) -> Result<Option<Image>, AppError>;
    /// Which credential reaches a typed reference best: one of its host, else none. Known.
    async fn credential_for(&self, actor: &Actor, reference: &ImageRef) -> Result<Option<CredentialId>, AppError>;
    /// Services that run an image of the repository. Known.
    async fn runs_in(
        &self,
        actor: &Actor,
        host: &RegistryHost,
        repository: &Repository,
    ) -> Result<Vec<RunsIn>, AppError>;
    /// Whether the nodes of the Swarm can run it. Known.
    async fn fit(&self, actor: &Actor, image: &Image) -> Result<Fit, AppError>;
    /// Reads the list of a credential's repositories anew, in the background.
    async fn refresh(&self, actor: &Actor, credential: &CredentialId) -> Result<(), AppError>;
}

/// Reads a credential's list anew.
#[server(prefix = "/api", endpoint = "images/refresh")]
pub async fn refresh_images(credential: CredentialId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.images.refresh(&actor, &credential).await?;
        request::see(request::page(), "Reading the list anew.")
    })
    .await
}

/// Asks the registry about a repository, or about one tag or digest of it, now; then shows the page that asked.
#[server(prefix = "/api", endpoint = "images/look")]
pub async fn look_at_image(
    #[server(default)] credential: String,
    host: RegistryHost,
    name: Repository,
    #[server(default)] reference: String,
) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let credential = if credential.is_empty() {
            None
        } else {
            Some(credential.parse().map_err(|_| AppError::NotFound("credential".into()))?)
        };
        let place = Place { credential, host, repository: name };
        if reference.is_empty() {
            let search = TagSearch { limit: 1, ..TagSearch::default() };
            backend.images.tags(&actor, &place, &search, true).await?;
        } else if backend.images.image(&actor, &place, &reference, true).await?.is_none() {
            let Place { host, repository, .. } = place;
            let text = format!(
                "{host} has no {repository} with “{reference}”, or doesn't show it to this credential. Check the spelling."
            );
            return Err(AppError::field("", text));
        }
        request::see(request::page(), "")
    })
    .await
}
