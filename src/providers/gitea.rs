//! Gitea and Forgejo: the catalog lists what a login sees; the forge's interface lists an owner's packages, one row for
//! each version.

use super::ask::{basic, get, header, listed, part, read, refusal};
use super::generic::Generic;
use super::walk::{Walk, owners};
use super::{Adapter, Asker, ListError, ListedRepository, ListedTag, Page, Untag, explain};
use crate::oci::{Access, Answer, OciError};
use app::error::Problem;
use app::model::image_ref::{Repository, Tag};
use async_trait::async_trait;
use serde::Deserialize;
use std::collections::BTreeSet;

const REFUSED: &str = "This forge doesn't list the owner's packages to this login. The token needs read:package, and the \
    owner must exist and show its packages to it. Or type a name and Slipway checks it.";
const NOTHING: &str = "This forge shows this login no container packages: either there are none yet, or the token may not \
    see them (it needs read:package). Type a name and Slipway checks it.";
/// The most that a forge gives at once by default.
const PAGE: usize = 50;

/// Gitea or Forgejo.
pub(super) struct Gitea {
    pub registry: Generic,
}

#[derive(Deserialize)]
struct Version {
    #[serde(default)]
    name: String,
    #[serde(default)]
    owner: Option<Owner>,
}

#[derive(Deserialize)]
struct Owner {
    #[serde(default)]
    login: String,
}

impl Gitea {
    async fn ask(&self, access: &Access, owner: &str, text: &str, page: u32) -> Result<Answer, OciError> {
        let (base, owner) = (access.url.api_base(), part(owner));
        let query = if text.is_empty() { String::new() } else { format!("&q={}", part(text)) };
        let url = format!("{base}/api/v1/packages/{owner}?type=container{query}&page={page}&limit={PAGE}");
        self.registry.0.call(&access.trust, get(url, basic(access.login.as_ref()))).await
    }
}

/// One for each package, in the order of names.
fn packages(owner: &str, versions: &[Version]) -> Vec<ListedRepository> {
    let names: BTreeSet<String> = versions
        .iter()
        .map(|version| {
            let owner = version.owner.as_ref().map_or(owner, |owner| &owner.login);
            format!("{owner}/{}", version.name)
        })
        .collect();
    names.iter().filter_map(|name| listed(name, None)).collect()
}

#[async_trait]
impl Adapter for Gitea {
    async fn repositories(&self, asker: Asker<'_>, cursor: Option<&str>) -> Result<Page<ListedRepository>, ListError> {
        let access = asker.access;
        if asker.namespaces.is_empty() {
            return self.registry.catalog(access, cursor, REFUSED, NOTHING).await;
        }
        let Some(walk) = Walk::resume(cursor, asker.namespaces.to_vec()) else {
            return Err(ListError::CannotList(NOTHING.into()));
        };
        let (_, page) = walk.place();
        let answer = self.ask(access, walk.owner(), "", page).await?;
        if answer.status != 200 {
            return Err(refusal(&access.host(), &answer, access.login.as_ref(), REFUSED));
        }
        let versions: Vec<Version> = read(&access.host(), &answer)?;
        // `Link` may stand on the last page too; a forge may give fewer at once than it was asked for.
        let total: Option<u64> = header(&answer, "x-total-count").and_then(|text| text.parse().ok());
        let is_last = versions.is_empty() || total.is_some_and(|total| total <= versions.len() as u64 && page == 1);
        let next = (!is_last && answer.next.is_some()).then(|| format!(":{}", page + 1));
        let items = packages(walk.owner(), &versions);
        walk.page(items, next, NOTHING)
    }

    async fn tags(
        &self,
        access: &Access,
        repository: &Repository,
        cursor: Option<&str>,
    ) -> Result<Page<ListedTag>, ListError> {
        self.registry.tag_names(access, repository, cursor).await
    }

    async fn search(&self, asker: Asker<'_>, text: &str) -> Result<Option<Vec<ListedRepository>>, ListError> {
        let username = asker.access.login.as_ref().map(|login| login.username.as_str());
        let mut found = Vec::new();
        // A few owners, one page each: this answers while somebody types.
        for owner in owners(asker.namespaces, username).iter().take(4) {
            let answer = self.ask(asker.access, owner, text, 1).await?;
            if answer.status != 200 {
                return Err(refusal(&asker.access.host(), &answer, asker.access.login.as_ref(), REFUSED));
            }
            found.extend(packages(owner, &read::<Vec<Version>>(&asker.access.host(), &answer)?));
        }
        Ok(Some(found))
    }

    async fn untag(&self, access: &Access, repository: &Repository, tag: &Tag) -> Result<Untag, OciError> {
        // A forge keeps each tag as a version of its own; a version by digest has to be there before the last one goes.
        if let Some(manifest) = self.registry.0.manifest(access, repository, tag.as_str()).await? {
            self.registry.0.put_manifest(access, repository, None, &manifest).await?;
        }
        Ok(Untag::Protocol)
    }

    fn explain(&self, error: &OciError) -> Option<Problem> {
        explain::by(explain::GITEA, error)
    }
}
