//! Docker Hub: no catalog; its own interface lists by owner, to a token of its own (`POST /v2/auth/token`), and public
//! repositories to anybody.
//!
//! The password goes to the interface's sign-in alone. Official images are `library/…`.

use super::ask::{self, get, host_of, listed, part, read, refusal, unix};
use super::generic::Generic;
use super::kept::{self, Kept};
use super::walk::{Walk, owners};
use super::{Adapter, Asker, ListError, ListedRepository, ListedTag, Page, Untag, explain};
use crate::clock::Clock;
use crate::oci::{Access, Answer, Call, Login, OciError, Sign};
use app::error::Problem;
use app::model::credential::Trust;
use app::model::image_ref::{Repository, Tag};
use app::model::provider::Provider;
use app::model::secret::Secret;
use async_trait::async_trait;
use serde::Deserialize;

const REFUSED: &str = "Docker Hub lists this owner's repositories to its members alone. Use an access token of a member, \
    check the owner's name in the credential, or type a name and Slipway checks it.";
const NOBODY: &str = "Docker Hub lists by owner. Name the owners (a user or an organisation) in the credential, or type a \
    name and Slipway checks it.";
const NOTHING: &str = "Docker Hub shows no repositories of this credential's owners. Name other owners in the \
    credential, or type a name and Slipway checks it.";
/// Seconds for which the interface's token is kept; it lives longer, and a refused one is asked for again.
const KEEP: i64 = 240;
/// Repositories that a public search returns.
const SEARCHED: usize = 25;

/// Docker Hub.
pub(super) struct DockerHub {
    pub registry: Generic,
    pub hub: String,
    pub clock: Clock,
    tokens: Kept<Option<Secret>>,
}

#[derive(Deserialize)]
struct List<T> {
    #[serde(default = "Vec::new")]
    results: Vec<T>,
    #[serde(default)]
    next: Option<String>,
}

#[derive(Deserialize)]
struct ListedHere {
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Deserialize)]
struct TagHere {
    #[serde(default)]
    name: String,
    #[serde(default)]
    digest: Option<String>,
    #[serde(default)]
    tag_last_pushed: Option<String>,
    #[serde(default)]
    last_updated: Option<String>,
    #[serde(default)]
    full_size: Option<u64>,
}

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    repo_name: String,
    #[serde(default)]
    short_description: Option<String>,
}

impl DockerHub {
    pub(super) fn new(registry: Generic, hub: String, clock: Clock) -> Self {
        Self { registry, hub, clock, tokens: Kept::default() }
    }

    /// Asks the interface, with a token where there is a login that it takes; else as anybody.
    async fn ask(&self, access: &Access, path: &str) -> Result<Answer, ListError> {
        let url = format!("{}{path}", self.hub);
        let at_home = ask::is_at_home(Provider::DockerHub, &access.url.host);
        let Some(login) = access.login.as_ref().filter(|_| at_home) else {
            return Ok(self.registry.0.call(&access.trust, get(url, Sign::Nothing)).await?);
        };
        let key = kept::key(&[&login.username, login.password.expose("tokens of different passwords are kept apart")]);
        for _ in 0..2 {
            let exchange = self.exchange(&access.trust, login);
            let token = self.tokens.get(key, self.clock.seconds(), exchange).await?;
            let Some(token) = token else { break };
            let answer = self.registry.0.call(&access.trust, get(url.clone(), Sign::Bearer(token))).await?;
            if answer.status != 401 {
                return Ok(answer);
            }
            self.tokens.forget(&key);
        }
        Ok(self.registry.0.call(&access.trust, get(url, Sign::Nothing)).await?)
    }

    /// A token for the login; None when the interface doesn't take it (single sign-on, a token without the right).
    async fn exchange(&self, trust: &Trust, login: &Login) -> Result<(Option<Secret>, i64), ListError> {
        #[derive(Deserialize)]
        struct Granted {
            #[serde(alias = "token")]
            access_token: Secret,
        }
        let secret = login.password.expose("it is exchanged for a token at Docker Hub's own interface");
        let body = serde_json::json!({ "identifier": login.username, "secret": secret }).to_string();
        let headers = vec![("content-type", "application/json".to_owned()), ("accept", "application/json".to_owned())];
        let url = format!("{}/v2/auth/token", self.hub);
        let call = Call { method: http::Method::POST, url, sign: Sign::Nothing, headers, body: body.into_bytes() };
        let answer = self.registry.0.call(trust, call).await?;
        let until = self.clock.seconds() + KEEP;
        match answer.status {
            200 => Ok((Some(read::<Granted>(host_of(&self.hub), &answer)?.access_token), until)),
            400..=404 => Ok((None, until)),
            _ => Err(refusal(host_of(&self.hub), &answer, Some(login), REFUSED)),
        }
    }

    /// Public repositories that fit, best first.
    pub(super) async fn search_public(&self, text: &str) -> Result<Vec<ListedRepository>, ListError> {
        let url = format!("{}/v2/search/repositories/?query={}&page_size={SEARCHED}", self.hub, part(text));
        // The address is ours, and in tests on this machine.
        let trust = Trust { internal: self.hub.starts_with("http://127.0.0.1:"), ..Trust::default() };
        let answer = self.registry.0.call(&trust, get(url, Sign::Nothing)).await?;
        if answer.status != 200 {
            let why = "Docker Hub's public search refuses to answer. Type the whole name.";
            return Err(refusal(host_of(&self.hub), &answer, None, why));
        }
        let found: List<Found> = read(host_of(&self.hub), &answer)?;
        let found = found.results.iter().take(SEARCHED).filter_map(|found| {
            let name = if found.repo_name.contains('/') {
                found.repo_name.clone()
            } else {
                format!("library/{}", found.repo_name)
            };
            listed(&name, found.short_description.as_deref())
        });
        Ok(found.collect())
    }

    async fn tags_here(
        &self,
        access: &Access,
        repository: &Repository,
        page: u32,
    ) -> Result<Option<Page<ListedTag>>, ListError> {
        let Some((owner, name)) = repository.as_str().split_once('/').filter(|(_, name)| !name.contains('/')) else {
            return Ok(None);
        };
        let path = format!("/v2/namespaces/{owner}/repositories/{name}/tags?page_size=100&page={page}");
        let answer = self.ask(access, &path).await?;
        match answer.status {
            200 => {}
            // A page beyond the end.
            404 if page > 1 => return Ok(Some(Page { items: Vec::new(), next: None })),
            401 | 403 | 404 | 405 => return Ok(None),
            _ => return Err(refusal(host_of(&self.hub), &answer, access.login.as_ref(), REFUSED)),
        }
        let list: List<TagHere> = read(host_of(&self.hub), &answer)?;
        let next = list.next.filter(|_| !list.results.is_empty()).map(|_| (page + 1).to_string());
        let items = list.results.iter().filter_map(|tag| {
            Some(ListedTag {
                name: tag.name.parse().ok()?,
                digest: tag.digest.as_deref().and_then(|digest| digest.parse().ok()),
                at: tag.tag_last_pushed.as_deref().or(tag.last_updated.as_deref()).and_then(unix),
                size: tag.full_size.filter(|size| *size > 0),
            })
        });
        Ok(Some(Page { items: items.collect(), next }))
    }
}

#[async_trait]
impl Adapter for DockerHub {
    async fn repositories(&self, asker: Asker<'_>, cursor: Option<&str>) -> Result<Page<ListedRepository>, ListError> {
        let username = asker.access.login.as_ref().map(|login| login.username.as_str());
        let Some(walk) = Walk::resume(cursor, owners(asker.namespaces, username)) else {
            return Err(ListError::CannotList(NOBODY.into()));
        };
        let (_, page) = walk.place();
        let owner = walk.owner().to_ascii_lowercase();
        let path = format!("/v2/namespaces/{}/repositories?page_size=100&page={page}", part(&owner));
        let answer = self.ask(asker.access, &path).await?;
        match answer.status {
            200 => {}
            404 if page > 1 => return walk.page(Vec::new(), None, NOTHING),
            _ => return Err(refusal(host_of(&self.hub), &answer, asker.access.login.as_ref(), REFUSED)),
        }
        let list: List<ListedHere> = read(host_of(&self.hub), &answer)?;
        let next = list.next.filter(|_| !list.results.is_empty()).map(|_| format!(":{}", page + 1));
        let items = list.results.iter().filter_map(|here| {
            let owner = here.namespace.as_deref().unwrap_or(&owner);
            listed(&format!("{owner}/{}", here.name), here.description.as_deref())
        });
        walk.page(items.collect(), next, NOTHING)
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
            "Docker Hub deletes tags on its own pages alone; no interface for it is documented.",
            "Delete tags there by hand, or by a rule of its own.",
        ))
    }

    fn explain(&self, error: &OciError) -> Option<Problem> {
        explain::by(explain::DOCKER_HUB, error)
    }
}
