//! Azure's container registry: the catalog for administrators and service principals; tags with digest and date from
//! `/acr/v1`, under the scope that the registry itself names (`metadata_read`).
//!
//! Logins stay as they are stored: also the null GUID, whose password is a refresh token.

use super::ask::{read, refusal, unix};
use super::generic::{Generic, is_registrys};
use super::{Adapter, Asker, ListError, ListedRepository, ListedTag, Page, Untag, explain};
use crate::oci::{Access, OciError};
use app::error::Problem;
use app::model::image_ref::{Repository, Tag};
use async_trait::async_trait;
use serde::Deserialize;

const REFUSED: &str = "Azure doesn't list to this login: tokens with a scope map for single repositories can't list, nor \
    can accounts without the role AcrPull (Container Registry Repository Catalog Lister where access is by repository). \
    Type a name and Slipway checks it.";
const NOTHING: &str = "Azure shows this login no repositories: either there are none yet, or its token's scope map covers \
    none that can be listed. Type a name and Slipway checks it.";

/// ACR.
pub(super) struct Acr {
    pub registry: Generic,
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    tags: Option<Vec<TagHere>>,
}

#[derive(Deserialize)]
struct TagHere {
    #[serde(default)]
    name: String,
    #[serde(default)]
    digest: Option<String>,
    #[serde(default, rename = "lastUpdateTime")]
    updated: Option<String>,
    #[serde(default, rename = "createdTime")]
    created: Option<String>,
}

impl Acr {
    /// A page of `_tags`; None: it isn't given to this login.
    async fn tags_here(
        &self,
        access: &Access,
        repository: &Repository,
        cursor: Option<&str>,
    ) -> Result<Option<Page<ListedTag>>, ListError> {
        let list = format!("/acr/v1/{repository}/_tags?");
        let first = format!("{list}n=100&orderby=timedesc");
        let scope = format!("repository:{repository}:metadata_read");
        // A cursor is data: it goes on in this very list or starts it over.
        let place = cursor.filter(|cursor| cursor.starts_with(&list)).unwrap_or(&first);
        let answer = match self.registry.0.get(access, place, &scope).await {
            Ok(answer) => answer,
            Err(OciError::Denied { .. } | OciError::NotOffered { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        match answer.status {
            200 => {}
            401 | 403 | 404 | 405 => return Ok(None),
            _ => return Err(refusal(&access.host(), &answer, access.login.as_ref(), REFUSED)),
        }
        let tags = read::<List>(&access.host(), &answer)?.tags.unwrap_or_default();
        let next = answer.next.filter(|next| !tags.is_empty() && next.starts_with(&list));
        let items = tags.iter().filter_map(|tag| {
            Some(ListedTag {
                name: tag.name.parse().ok()?,
                digest: tag.digest.as_deref().and_then(|digest| digest.parse().ok()),
                at: tag.updated.as_deref().or(tag.created.as_deref()).and_then(unix),
                size: None,
            })
        });
        Ok(Some(Page { items: items.collect(), next }))
    }
}

#[async_trait]
impl Adapter for Acr {
    async fn repositories(&self, asker: Asker<'_>, cursor: Option<&str>) -> Result<Page<ListedRepository>, ListError> {
        self.registry.catalog(asker.access, cursor, REFUSED, NOTHING).await
    }

    async fn tags(
        &self,
        access: &Access,
        repository: &Repository,
        cursor: Option<&str>,
    ) -> Result<Page<ListedTag>, ListError> {
        if !is_registrys(cursor)
            && let Some(page) = self.tags_here(access, repository, cursor).await?
        {
            return Ok(page);
        }
        self.registry.tag_names(access, repository, cursor.filter(|_| is_registrys(cursor))).await
    }

    async fn untag(&self, access: &Access, repository: &Repository, tag: &Tag) -> Result<Untag, OciError> {
        // By the protocol Azure deletes the manifest with all its tags.
        let path = format!("/acr/v1/{repository}/_tags/{tag}");
        let answer = self.registry.0.delete(access, &path, &format!("repository:{repository}:delete")).await?;
        super::ask::untagged(&access.host(), &answer, access.login.as_ref())
    }

    fn explain(&self, error: &OciError) -> Option<Problem> {
        explain::by(explain::ACR, error)
    }
}
