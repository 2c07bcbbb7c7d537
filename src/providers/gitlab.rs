//! GitLab, its own or somebody's: the REST interface lists the registries of a group or a project to a token with
//! `read_api`; the catalog is for administrators. Without any group or project named, those groups are listed of which the
//! token's owner is a member, with all that lies below them.
//!
//! GitLab's host differs from its registry's: it is the one that the registry names as its sign-in service, and it gets
//! the token under the same rules as that service gets the password.

use super::ask::{get, host_of, listed, part, read, refusal};
use super::generic::{Generic, is_registrys};
use super::walk::Walk;
use super::{Adapter, Asker, ListError, ListedRepository, ListedTag, Page, explain};
use crate::oci::{Access, Answer, OciError, Sign};
use app::error::Problem;
use app::model::image_ref::Repository;
use async_trait::async_trait;
use serde::Deserialize;

const REFUSED: &str = "GitLab lists a group's or project's registries only to an access token with read_api, of somebody \
    who sees that group or project; deploy tokens and passwords can't list. Or type a name and Slipway checks it.";
const NOBODY: &str = "GitLab lists by group or project. Name their paths (acme/shop) in the credential, and use a token \
    with read_api beside read_registry. Or type a name and Slipway checks it.";
const NOTHING: &str = "GitLab shows this token no images in the credential's groups and projects. Check their paths, or \
    type a name and Slipway checks it.";

/// GitLab.
pub(super) struct Gitlab {
    pub registry: Generic,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    full_path: String,
}

#[derive(Deserialize)]
struct Registry {
    #[serde(default)]
    path: String,
}

impl Gitlab {
    async fn call(&self, access: &Access, url: String) -> Result<Answer, OciError> {
        let token = access.login.as_ref().map(|login| login.password.clone());
        let sign = token.map_or(Sign::Nothing, |token| Sign::Header("private-token", token));
        self.registry.0.call(&access.trust, get(url, sign)).await
    }

    async fn ask(&self, access: &Access, base: &str, kind: &str, owner: &str, page: u32) -> Result<Answer, OciError> {
        let owner = part(owner.trim_matches('/'));
        let url = format!("{base}/api/v4/{kind}s/{owner}/registry/repositories?per_page=100&page={page}");
        self.call(access, url).await
    }

    /// The topmost groups of which the token's owner is a member, up to a hundred; none when the token can't ask.
    async fn groups(&self, access: &Access, base: &str) -> Result<Vec<String>, ListError> {
        if access.login.is_none() {
            return Ok(Vec::new());
        }
        let url = format!("{base}/api/v4/groups?top_level_only=true&min_access_level=20&per_page=100");
        let answer = self.call(access, url).await?;
        match answer.status {
            200 => Ok(read::<Vec<Group>>(host_of(base), &answer)?.into_iter().map(|group| group.full_path).collect()),
            401 | 403 | 404 => Ok(Vec::new()),
            _ => Err(refusal(host_of(base), &answer, access.login.as_ref(), REFUSED)),
        }
    }
}

#[async_trait]
impl Adapter for Gitlab {
    async fn repositories(&self, asker: Asker<'_>, cursor: Option<&str>) -> Result<Page<ListedRepository>, ListError> {
        let access = asker.access;
        if is_registrys(cursor) {
            return self.registry.catalog(access, cursor, NOBODY, NOBODY).await;
        }
        let Some(base) = self.registry.0.realm(access).await? else {
            return Err(ListError::CannotList(REFUSED.into()));
        };
        let owners = match (asker.namespaces, cursor) {
            ([], None) => self.groups(access, &base).await?,
            (named, _) => named.to_vec(),
        };
        let Some(walk) = Walk::resume(cursor, owners) else {
            return self.registry.catalog(access, None, NOBODY, NOBODY).await;
        };
        let (kind, page) = walk.place();
        let mut kind = if kind.is_empty() { "group" } else { kind };
        let mut answer = self.ask(access, &base, kind, walk.owner(), page).await?;
        if answer.status == 404 && kind == "group" {
            kind = "project";
            answer = self.ask(access, &base, kind, walk.owner(), page).await?;
        }
        if answer.status != 200 {
            return Err(refusal(host_of(&base), &answer, access.login.as_ref(), REFUSED));
        }
        let registries: Vec<Registry> = read(host_of(&base), &answer)?;
        let next = answer.next.filter(|_| !registries.is_empty()).map(|_| format!("{kind}:{}", page + 1));
        let items = registries.iter().filter_map(|registry| listed(&registry.path, None)).collect();
        walk.page(items, next, NOTHING)
    }

    // Digest, date and size cost one request for each tag, so the names are enough.
    async fn tags(
        &self,
        access: &Access,
        repository: &Repository,
        cursor: Option<&str>,
    ) -> Result<Page<ListedTag>, ListError> {
        self.registry.tag_names(access, repository, cursor).await
    }

    fn explain(&self, error: &OciError) -> Option<Problem> {
        explain::by(explain::GITLAB, error)
    }
}
