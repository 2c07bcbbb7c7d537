//! DigitalOcean: its REST interface lists a registry's repositories and tags, to an API token; the credentials that it
//! makes for Docker can't list.
//!
//! The token goes to DigitalOcean's interface for `registry.digitalocean.com` alone.

use super::ask::{self, get, host_of, listed, part, read, refusal, unix};
use super::generic::Generic;
use super::walk::Walk;
use super::{Adapter, Asker, ListError, ListedRepository, ListedTag, Page, Untag, explain};
use crate::oci::{Access, Answer, OciError, Sign};
use app::error::Problem;
use app::model::image_ref::{Repository, Tag};
use app::model::provider::Provider;
use async_trait::async_trait;
use serde::Deserialize;

const REFUSED: &str = "DigitalOcean lists a registry only to an API token with the scope registry:read; credentials made \
    for Docker can't list. Check the registry's name in the credential, or type a name and Slipway checks it.";
const NOBODY: &str = "DigitalOcean shows this token no registry. Name the registry (the first part of its image names) in \
    the credential, or type a name and Slipway checks it.";
const NOTHING: &str = "DigitalOcean shows this token no repositories in the credential's registries: there may be none \
    yet. Type a name and Slipway checks it.";
const ELSEWHERE: &str = "Only registry.digitalocean.com is listed through DigitalOcean's interface; the token isn't sent \
    there for another host. Type a name and Slipway checks it.";

/// DigitalOcean.
pub(super) struct DigitalOcean {
    pub registry: Generic,
    pub interface: String,
}

#[derive(Deserialize)]
struct Registries {
    #[serde(default)]
    registries: Vec<Named>,
    #[serde(default)]
    registry: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    repositories: Option<Vec<Named>>,
    #[serde(default)]
    tags: Option<Vec<TagHere>>,
    #[serde(default)]
    links: Option<Links>,
}

#[derive(Deserialize)]
struct Links {
    #[serde(default)]
    pages: Option<Pages>,
}

#[derive(Deserialize)]
struct Pages {
    #[serde(default)]
    next: Option<String>,
}

#[derive(Deserialize)]
struct TagHere {
    #[serde(default)]
    tag: String,
    #[serde(default)]
    manifest_digest: Option<String>,
    #[serde(default)]
    compressed_size_bytes: Option<u64>,
    #[serde(default)]
    updated_at: Option<String>,
}

impl List {
    fn has_next(&self) -> bool {
        self.links.as_ref().and_then(|links| links.pages.as_ref()).is_some_and(|pages| pages.next.is_some())
    }
}

impl DigitalOcean {
    async fn ask(&self, access: &Access, path: &str) -> Result<Answer, OciError> {
        let token = access.login.as_ref().map(|login| login.password.clone());
        let url = format!("{}/v2{path}", self.interface);
        self.registry.0.call(&access.trust, get(url, token.map_or(Sign::Nothing, Sign::Bearer))).await
    }

    /// The registries that the token sees: up to ten, or the one of smaller plans.
    async fn registries(&self, access: &Access) -> Result<Vec<String>, ListError> {
        let mut answer = self.ask(access, "/registries").await?;
        if answer.status == 404 {
            answer = self.ask(access, "/registry").await?;
        }
        if answer.status != 200 {
            return Err(refusal(host_of(&self.interface), &answer, access.login.as_ref(), REFUSED));
        }
        let seen: Registries = read(host_of(&self.interface), &answer)?;
        Ok(seen.registries.into_iter().chain(seen.registry).map(|registry| registry.name).collect())
    }

    async fn tags_here(
        &self,
        access: &Access,
        repository: &Repository,
        page: u32,
    ) -> Result<Option<Page<ListedTag>>, ListError> {
        let Some((registry, name)) = repository.as_str().split_once('/') else { return Ok(None) };
        if access.login.is_none() || !ask::is_at_home(Provider::DigitalOcean, &access.url.host) {
            return Ok(None);
        }
        let name = part(name);
        let path = format!("/registries/{registry}/repositories/{name}/tags?page={page}&per_page=100");
        let answer = self.ask(access, &path).await?;
        match answer.status {
            200 => {}
            401 | 403 | 404 => return Ok(None),
            _ => return Err(refusal(host_of(&self.interface), &answer, access.login.as_ref(), REFUSED)),
        }
        let list: List = read(host_of(&self.interface), &answer)?;
        let has_next = list.has_next();
        let tags = list.tags.unwrap_or_default();
        let next = (has_next && !tags.is_empty()).then(|| (page + 1).to_string());
        let items = tags.iter().filter_map(|tag| {
            Some(ListedTag {
                name: tag.tag.parse().ok()?,
                digest: tag.manifest_digest.as_deref().and_then(|digest| digest.parse().ok()),
                at: tag.updated_at.as_deref().and_then(unix),
                size: tag.compressed_size_bytes.filter(|size| *size > 0),
            })
        });
        Ok(Some(Page { items: items.collect(), next }))
    }
}

#[async_trait]
impl Adapter for DigitalOcean {
    async fn repositories(&self, asker: Asker<'_>, cursor: Option<&str>) -> Result<Page<ListedRepository>, ListError> {
        let access = asker.access;
        if !ask::is_at_home(Provider::DigitalOcean, &access.url.host) {
            return Err(ListError::CannotList(ELSEWHERE.into()));
        }
        if access.login.is_none() {
            return Err(ListError::CannotList(REFUSED.into()));
        }
        let owners = match (asker.namespaces, cursor) {
            ([], None) => self.registries(access).await?,
            (named, _) => named.to_vec(),
        };
        let Some(walk) = Walk::resume(cursor, owners) else { return Err(ListError::CannotList(NOBODY.into())) };
        let (_, page) = walk.place();
        let path = format!("/registries/{}/repositoriesV2?page={page}&per_page=100", part(walk.owner()));
        let answer = self.ask(access, &path).await?;
        if answer.status != 200 {
            return Err(refusal(host_of(&self.interface), &answer, access.login.as_ref(), REFUSED));
        }
        let list: List = read(host_of(&self.interface), &answer)?;
        let has_next = list.has_next();
        let here = list.repositories.unwrap_or_default();
        let next = (has_next && !here.is_empty()).then(|| format!(":{}", page + 1));
        let items = here.iter().filter_map(|here| listed(&format!("{}/{}", walk.owner(), here.name), None)).collect();
        walk.page(items, next, NOTHING)
    }

    async fn tags(
        &self,
        access: &Access,
        repository: &Repository,
        cursor: Option<&str>,
    ) -> Result<Page<ListedTag>, ListError> {
        let here = |page| self.tags_here(access, repository, page);
        self.registry.tags_by_number(access, repository, cursor, here).await
    }

    async fn untag(&self, _: &Access, _: &Repository, _: &Tag) -> Result<Untag, OciError> {
        Ok(Untag::Cannot(
            "DigitalOcean deletes tags by an interface of its own, which Slipway doesn't use for that.",
            "Delete tags there by hand, or by a rule of its own.",
        ))
    }

    fn explain(&self, error: &OciError) -> Option<Problem> {
        explain::by(explain::DIGITAL_OCEAN, error)
    }
}
