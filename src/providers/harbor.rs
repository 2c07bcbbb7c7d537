//! Harbor: the catalog is for administrators; its own interface lists what a login sees, by project or all, and the
//! artifacts of a repository with tags, size and time.
//!
//! It answers bare requests as to anybody, with public repositories alone; so the password is shown at once, as Basic,
//! to the registry's own origin.

use super::ask::{basic, get, header, listed, part, read, refusal, unix};
use super::generic::Generic;
use super::walk::Walk;
use super::{Adapter, Asker, ListError, ListedRepository, ListedTag, Page, Untag, explain};
use crate::oci::{Access, Answer, Call, OciError};
use app::error::Problem;
use app::model::image_ref::{Repository, Tag};
use async_trait::async_trait;
use serde::Deserialize;

const REFUSED: &str = "Harbor doesn't list this to this login. A robot account needs the permission to list repositories \
    of the project; a user must be a member of it. Name the project in the credential, or type a name and Slipway \
    checks it.";
const NOTHING: &str = "Harbor shows this login no repositories: either there are none yet, or it is no member of their \
    projects. Type a name and Slipway checks it.";
/// The most that Harbor gives at once.
const PAGE: usize = 100;

/// Harbor.
pub(super) struct Harbor {
    pub registry: Generic,
}

#[derive(Deserialize)]
struct ListedHere {
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Deserialize)]
struct Artifact {
    #[serde(default)]
    digest: Option<String>,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    push_time: Option<String>,
    #[serde(default)]
    tags: Option<Vec<TagHere>>,
}

#[derive(Deserialize)]
struct TagHere {
    #[serde(default)]
    name: String,
    #[serde(default)]
    push_time: Option<String>,
}

/// The project that a robot belongs to: `robot$<project>+<name>`.
pub(super) fn robots_project(username: &str) -> Option<&str> {
    let (project, _) = username.split_once('+')?;
    let (_, project) = project.split_once('$')?;
    (!project.is_empty()).then_some(project)
}

impl Harbor {
    async fn ask(&self, access: &Access, path: &str) -> Result<Answer, OciError> {
        let url = format!("{}/api/v2.0{path}", access.url.api_base());
        self.registry.0.call(&access.trust, get(url, basic(access.login.as_ref()))).await
    }

    async fn tags_here(
        &self,
        access: &Access,
        repository: &Repository,
        page: u32,
    ) -> Result<Option<Page<ListedTag>>, ListError> {
        let Some((project, name)) = repository.as_str().split_once('/') else { return Ok(None) };
        // A slash in the name is encoded twice: the router undoes it once too often.
        let name = part(&part(name));
        let path = format!(
            "/projects/{project}/repositories/{name}/artifacts?with_tag=true&q=tags%3D*&page={page}&page_size={PAGE}"
        );
        let answer = self.ask(access, &path).await?;
        match answer.status {
            200 => {}
            400 | 401 | 403 | 404 => return Ok(None),
            _ => return Err(refusal(&access.host(), &answer, access.login.as_ref(), REFUSED)),
        }
        let artifacts: Vec<Artifact> = read(&access.host(), &answer)?;
        let next = has_more(&answer, artifacts.len(), page).then(|| (page + 1).to_string());
        let items = artifacts.into_iter().flat_map(|artifact| {
            let digest = artifact.digest.as_deref().and_then(|digest| digest.parse().ok());
            let size = artifact.size.filter(|size| *size > 0);
            let pushed = artifact.push_time;
            artifact.tags.unwrap_or_default().into_iter().filter_map(move |tag| {
                Some(ListedTag {
                    name: tag.name.parse().ok()?,
                    digest: digest.clone(),
                    at: tag.push_time.as_deref().or(pushed.as_deref()).and_then(unix),
                    size,
                })
            })
        });
        Ok(Some(Page { items: items.collect(), next }))
    }
}

/// By `X-Total-Count`, or by `Link` when that is missing.
fn has_more(answer: &Answer, here: usize, page: u32) -> bool {
    let total: Option<u64> = header(answer, "x-total-count").and_then(|text| text.parse().ok());
    let read = u64::from(page) * PAGE as u64;
    here > 0 && total.map_or(answer.next.is_some(), |total| read < total)
}

#[async_trait]
impl Adapter for Harbor {
    async fn repositories(&self, asker: Asker<'_>, cursor: Option<&str>) -> Result<Page<ListedRepository>, ListError> {
        let access = asker.access;
        let robots = access.login.as_ref().and_then(|login| robots_project(&login.username));
        let owners = match (asker.namespaces, robots) {
            // All that the login sees.
            ([], None) => vec![String::new()],
            ([], Some(project)) => vec![project.to_owned()],
            (named, _) => named.to_vec(),
        };
        let Some(walk) = Walk::resume(cursor, owners) else { return Err(ListError::CannotList(NOTHING.into())) };
        let (_, page) = walk.place();
        let project = match walk.owner() {
            "" => String::new(),
            project => format!("/projects/{}", part(project)),
        };
        let answer = self.ask(access, &format!("{project}/repositories?page={page}&page_size={PAGE}")).await?;
        if answer.status == 401 {
            let answer = super::ask::said(&answer, access.login.as_ref());
            return Err(OciError::WrongCredentials { host: access.host(), answer }.into());
        }
        if answer.status != 200 {
            return Err(refusal(&access.host(), &answer, access.login.as_ref(), REFUSED));
        }
        let here: Vec<ListedHere> = read(&access.host(), &answer)?;
        let next = has_more(&answer, here.len(), page).then(|| format!(":{}", page + 1));
        let items = here.iter().filter_map(|here| listed(&here.name, here.description.as_deref())).collect();
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

    async fn search(&self, asker: Asker<'_>, text: &str) -> Result<Option<Vec<ListedRepository>>, ListError> {
        // What has a meaning in Harbor's query language stays out.
        let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
        let text: String = text.chars().filter(plain).collect();
        if text.is_empty() {
            return Ok(None);
        }
        let path = format!("/repositories?q={}&page=1&page_size=25", part(&format!("name=~{text}")));
        let answer = self.ask(asker.access, &path).await?;
        if answer.status != 200 {
            return Err(refusal(&asker.access.host(), &answer, asker.access.login.as_ref(), REFUSED));
        }
        let here: Vec<ListedHere> = read(&asker.access.host(), &answer)?;
        Ok(Some(here.iter().filter_map(|here| listed(&here.name, here.description.as_deref())).collect()))
    }

    async fn untag(&self, access: &Access, repository: &Repository, tag: &Tag) -> Result<Untag, OciError> {
        let Some((project, name)) = repository.as_str().split_once('/') else { return Ok(Untag::Protocol) };
        let (name, tag) = (part(&part(name)), part(tag.as_str()));
        let base = access.url.api_base();
        let url = format!("{base}/api/v2.0/projects/{project}/repositories/{name}/artifacts/{tag}/tags/{tag}");
        let call = Call { method: http::Method::DELETE, ..get(url, basic(access.login.as_ref())) };
        let answer = self.registry.0.call(&access.trust, call).await?;
        super::ask::untagged(&access.host(), &answer, access.login.as_ref())
    }

    fn explain(&self, error: &OciError) -> Option<Problem> {
        explain::by(explain::HARBOR, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_robot_belongs_to_a_project() {
        assert_eq!(robots_project("robot$shop+ci"), Some("shop"));
        for system in ["robot$ci", "ci", "shop+ci", "robot$+ci"] {
            assert_eq!(robots_project(system), None, "{system}");
        }
    }
}
