//! Anything that speaks the registry protocol: the catalog and the tag lists of the specification.

use super::{Adapter, Asker, ListError, ListedRepository, ListedTag, Page};
use crate::oci::{self, Access};
use app::model::image_ref::Repository;
use async_trait::async_trait;

/// The registry protocol and nothing else.
pub(super) struct Generic(pub oci::Client);

#[async_trait]
impl Adapter for Generic {
    async fn repositories(&self, asker: Asker<'_>, cursor: Option<&str>) -> Result<Page<ListedRepository>, ListError> {
        let names = self.0.repositories(asker.access, cursor).await?;
        let items = names.names.iter().filter_map(|name| name.parse().ok());
        Ok(Page { items: items.map(|name| ListedRepository { name, about: None }).collect(), next: names.next })
    }

    async fn tags(
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
}
