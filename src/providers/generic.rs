//! Anything that speaks the registry protocol: the catalog and the tag lists of the specification. The other adapters
//! fall back to it.

use super::ask::{catalog_refusal, listed};
use super::{Adapter, Asker, ListError, ListedRepository, ListedTag, Page, explain};
use crate::oci::{self, Access, OciError};
use app::error::Problem;
use app::model::image_ref::Repository;
use async_trait::async_trait;

const REFUSED: &str = "This registry doesn't list its repositories, or not to this login. Type a name and Slipway \
    checks it. A registry with token sign-in lists to users with the scope registry:catalog:* alone.";
const NOTHING: &str = "This registry lists no repositories to this login: either there are none yet, or this login may \
    not see them. Type a name and Slipway checks it.";

/// The registry protocol and nothing else.
pub(super) struct Generic(pub oci::Client);

impl Generic {
    /// The catalog; `refused` and `nothing` are the words for "may not" and for an empty list.
    pub(super) async fn catalog(
        &self,
        access: &Access,
        cursor: Option<&str>,
        refused: &str,
        nothing: &str,
    ) -> Result<Page<ListedRepository>, ListError> {
        let page = self.0.repositories(access, cursor).await.map_err(|error| catalog_refusal(error, refused))?;
        if page.names.is_empty() && page.next.is_none() && cursor.is_none() {
            return Err(ListError::CannotList(nothing.to_owned()));
        }
        Ok(Page { items: page.names.iter().filter_map(|name| listed(name, None)).collect(), next: page.next })
    }

    /// Names of tags from the registry itself. Registries with their own cursors start this list without one.
    pub(super) async fn tag_names(
        &self,
        access: &Access,
        repository: &Repository,
        cursor: Option<&str>,
    ) -> Result<Page<ListedTag>, ListError> {
        let names = self.0.tags(access, repository, cursor).await?;
        let items = names.names.iter().filter_map(|name| name.parse().ok());
        let items = items.map(|name| ListedTag { name, digest: None, at: None, size: None }).collect();
        Ok(Page { items, next: names.next })
    }

    /// Tags as the provider's own interface has them, whose pages have numbers; where it doesn't give them to this login, the
    /// registry's names.
    pub(super) async fn tags_by_number<F>(
        &self,
        access: &Access,
        repository: &Repository,
        cursor: Option<&str>,
        here: impl FnOnce(u32) -> F + Send,
    ) -> Result<Page<ListedTag>, ListError>
    where
        F: Future<Output = Result<Option<Page<ListedTag>>, ListError>> + Send,
    {
        if is_registrys(cursor) {
            return self.tag_names(access, repository, cursor).await;
        }
        let page = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(1);
        match here(page).await? {
            Some(page) => Ok(page),
            None => self.tag_names(access, repository, None).await,
        }
    }
}

/// Whether a cursor is the registry's own: path and query below `/v2/`.
pub(super) fn is_registrys(cursor: Option<&str>) -> bool {
    cursor.is_some_and(|cursor| cursor.starts_with("/v2/"))
}

#[async_trait]
impl Adapter for Generic {
    async fn repositories(&self, asker: Asker<'_>, cursor: Option<&str>) -> Result<Page<ListedRepository>, ListError> {
        self.catalog(asker.access, cursor, REFUSED, NOTHING).await
    }

    async fn tags(
        &self,
        access: &Access,
        repository: &Repository,
        cursor: Option<&str>,
    ) -> Result<Page<ListedTag>, ListError> {
        self.tag_names(access, repository, cursor).await
    }

    fn explain(&self, error: &OciError) -> Option<Problem> {
        explain::by(explain::GENERIC, error)
    }
}
