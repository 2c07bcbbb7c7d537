//! GitHub's container registry: no catalog; GitHub's REST interface lists packages by owner, to a classic token with
//! `read:packages` alone.
//!
//! The token goes to `api.github.com` for `ghcr.io` alone, never for a registry elsewhere.

use super::ask::{self, get, host_of, listed, part, read, refusal};
use super::generic::Generic;
use super::walk::{Walk, owners};
use super::{Adapter, Asker, ListError, ListedRepository, ListedTag, Page, Untag, explain};
use crate::oci::{Access, Answer, OciError, Sign};
use app::error::Problem;
use app::model::image_ref::{Repository, Tag};
use app::model::provider::Provider;
use async_trait::async_trait;
use serde::Deserialize;

const REFUSED: &str = "GHCR lists packages only to a classic token with read:packages (fine-grained tokens can't), and to \
    one that is authorised for the organisation where it demands single sign-on. Or type a name and Slipway checks it.";
const UNKNOWN: &str = "GitHub knows no such owner, or doesn't show it to this token. Check the owners in the credential: \
    GHCR lists packages only to a classic token with read:packages. Or type a name and Slipway checks it.";
const NOTHING: &str = "GitHub shows this token no container packages of the credential's owners. Name other owners \
    (users or organisations) in the credential, or type a name and Slipway checks it.";
const ELSEWHERE: &str = "Only ghcr.io is listed through GitHub's interface; the token isn't sent there for another host. \
    Type a name and Slipway checks it.";

/// GHCR.
pub(super) struct Ghcr {
    pub registry: Generic,
    pub github: String,
}

#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    name: String,
    #[serde(default)]
    owner: Option<Owner>,
    #[serde(default)]
    repository: Option<Source>,
}

#[derive(Deserialize)]
struct Owner {
    login: String,
}

#[derive(Deserialize)]
struct Source {
    #[serde(default)]
    description: Option<String>,
}

impl Ghcr {
    async fn ask(&self, access: &Access, owner: &str, kind: &str, page: u32) -> Result<Answer, OciError> {
        let token = access.login.as_ref().map(|login| login.password.clone());
        let owner = match kind {
            "self" => "user".to_owned(),
            "org" => format!("orgs/{}", part(owner)),
            _ => format!("users/{}", part(owner)),
        };
        let url = format!("{}/{owner}/packages?package_type=container&per_page=100&page={page}", self.github);
        let mut call = get(url, token.map_or(Sign::Nothing, Sign::Bearer));
        call.headers =
            vec![("accept", "application/vnd.github+json".into()), ("x-github-api-version", "2022-11-28".into())];
        self.registry.0.call(&access.trust, call).await
    }
}

#[async_trait]
impl Adapter for Ghcr {
    async fn repositories(&self, asker: Asker<'_>, cursor: Option<&str>) -> Result<Page<ListedRepository>, ListError> {
        let access = asker.access;
        if !ask::is_at_home(Provider::Ghcr, &access.url.host) {
            return Err(ListError::CannotList(ELSEWHERE.into()));
        }
        let Some(login) = &access.login else { return Err(ListError::CannotList(REFUSED.into())) };
        let Some(walk) = Walk::resume(cursor, owners(asker.namespaces, Some(&login.username))) else {
            return Err(ListError::CannotList(REFUSED.into()));
        };
        let (kind, page) = walk.place();
        let mut kind = match kind {
            // What the token's own user has, private packages too, whatever the user name says.
            "" if walk.owner().eq_ignore_ascii_case(&login.username) => "self",
            "" => "org",
            kind => kind,
        };
        let mut answer = self.ask(access, walk.owner(), kind, page).await?;
        if answer.status == 404 && kind == "org" {
            kind = "user";
            answer = self.ask(access, walk.owner(), kind, page).await?;
        }
        let why = if answer.status == 404 { UNKNOWN } else { REFUSED };
        if answer.status != 200 {
            return Err(refusal(host_of(&self.github), &answer, Some(login), why));
        }
        let packages: Vec<Package> = read(host_of(&self.github), &answer)?;
        let next = answer.next.filter(|_| !packages.is_empty()).map(|_| format!("{kind}:{}", page + 1));
        let items = packages.iter().filter_map(|package| {
            let owner = package.owner.as_ref().map_or(walk.owner(), |owner| &owner.login);
            let about = package.repository.as_ref().and_then(|source| source.description.as_deref());
            listed(&format!("{owner}/{}", package.name), about)
        });
        let items = items.collect();
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

    async fn untag(&self, _: &Access, _: &Repository, _: &Tag) -> Result<Untag, OciError> {
        Ok(Untag::Cannot(
            "GitHub deletes whole versions, with all their tags, and nothing of that comes back by its tag.",
            "Delete versions on the package's page, or by a workflow of yours.",
        ))
    }

    fn explain(&self, error: &OciError) -> Option<Problem> {
        explain::by(explain::GHCR, error)
    }
}
