//! Quay, Red Hat's or somebody's: the catalog shows any login what it may see; its own interface lists a namespace to
//! OAuth tokens alone (user `$oauthtoken`).
//!
//! Its token service refuses scopes that aren't `repository:…`; the registry client then asks for a token without any,
//! which is enough for the catalog.

use super::ask::{get, listed, part, read, refusal};
use super::generic::Generic;
use super::walk::Walk;
use super::{Adapter, Asker, ListError, ListedRepository, ListedTag, Page, Untag, explain};
use crate::oci::{Access, Login, OciError, Sign};
use app::error::Problem;
use app::model::image_ref::{Repository, Tag};
use async_trait::async_trait;
use serde::Deserialize;

const REFUSED: &str = "Quay doesn't list to this login. Use a robot account or a token of somebody who sees the \
    repositories, or type a name and Slipway checks it.";
const NOTHING: &str = "Quay shows this login no repositories; public ones aren't listed. Give it read permission on them, \
    or type a name and Slipway checks it.";
/// The user name by which an OAuth token is told from a password.
const OAUTH: &str = "$oauthtoken";

/// Quay.
pub(super) struct Quay {
    pub registry: Generic,
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    repositories: Option<Vec<ListedHere>>,
    #[serde(default)]
    next_page: Option<String>,
}

#[derive(Deserialize)]
struct ListedHere {
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: Option<String>,
}

impl Quay {
    /// The catalog, of some namespaces when they are named.
    async fn catalog(&self, asker: Asker<'_>, cursor: Option<&str>) -> Result<Page<ListedRepository>, ListError> {
        let mut page = self.registry.catalog(asker.access, cursor, REFUSED, NOTHING).await?;
        if !asker.namespaces.is_empty() {
            page.items.retain(|item| {
                let owner = item.name.as_str().split('/').next().unwrap_or_default();
                asker.namespaces.iter().any(|name| name.eq_ignore_ascii_case(owner))
            });
        }
        Ok(page)
    }

    /// One namespace after the other, to an OAuth token.
    async fn namespaces(
        &self,
        access: &Access,
        login: &Login,
        walk: Walk,
    ) -> Result<Page<ListedRepository>, ListError> {
        let mut url = format!("{}/api/v1/repository?namespace={}", access.url.api_base(), part(walk.owner()));
        if let Some(mark) = walk.mark() {
            url.push_str(&format!("&next_page={}", part(mark)));
        }
        let answer = self.registry.0.call(&access.trust, get(url, Sign::Bearer(login.password.clone()))).await?;
        if answer.status != 200 {
            return Err(refusal(&access.host(), &answer, Some(login), REFUSED));
        }
        let list: List = read(&access.host(), &answer)?;
        let here = list.repositories.unwrap_or_default();
        let next = list.next_page.filter(|_| !here.is_empty());
        let items = here
            .iter()
            .filter_map(|here| listed(&format!("{}/{}", here.namespace, here.name), here.description.as_deref()));
        walk.page(items.collect(), next, NOTHING)
    }
}

#[async_trait]
impl Adapter for Quay {
    async fn repositories(&self, asker: Asker<'_>, cursor: Option<&str>) -> Result<Page<ListedRepository>, ListError> {
        let login = asker.access.login.as_ref().filter(|login| login.username == OAUTH);
        if let Some(login) = login
            && let Some(walk) = Walk::resume(cursor, asker.namespaces.to_vec())
        {
            return self.namespaces(asker.access, login, walk).await;
        }
        self.catalog(asker, cursor).await
    }

    async fn tags(
        &self,
        access: &Access,
        repository: &Repository,
        cursor: Option<&str>,
    ) -> Result<Page<ListedTag>, ListError> {
        self.registry.tag_names(access, repository, cursor).await
    }

    async fn untag(&self, _: &Access, _: &Repository, _: &Tag) -> Result<Untag, OciError> {
        Ok(Untag::Cannot(
            "Quay hides an image with its last tag; what was deleted comes back by its own time machine alone.",
            "Delete tags there, or let them expire.",
        ))
    }

    fn explain(&self, error: &OciError) -> Option<Problem> {
        explain::by(explain::QUAY, error)
    }
}
