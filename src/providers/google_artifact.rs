//! Google Artifact Registry: its catalog answers 200 with an empty list, so it is never asked. `tags/list` of a
//! repository names what lies below it (`child`) and each manifest with tags, size and time: the walk goes down from
//! `<project>/<repository>`, one request for each place, with the credentials that pull.
//!
//! Logins stay as they are stored: `_json_key` (many lines of JSON), `_json_key_base64`, `oauth2accesstoken`.

use super::ask::{listed, read, refusal};
use super::generic::Generic;
use super::{Adapter, Asker, ListError, ListedRepository, ListedTag, Page, explain};
use crate::oci::{Access, OciError};
use app::error::Problem;
use app::model::image_ref::{Repository, Tag};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const REFUSED: &str = "Google doesn't list this repository to this login. Check project and repository in the credential \
    (my-project/my-repository), and give the account the role Artifact Registry Reader. Or type a name and Slipway \
    checks it.";
const NOBODY: &str = "Google lists by repository. Name them in the credential as project/repository, or type a name and \
    Slipway checks it.";
const NOTHING: &str = "Google shows this login no images in the credential's repositories. Check project and repository, \
    or type a name and Slipway checks it.";
/// How deep names go below `<project>/<repository>`.
const DEEPEST: usize = 12;
/// Places that may wait to be looked at.
const WAITING: usize = 50_000;
/// Places that are looked at for one page.
const LOOKS: usize = 25;

/// Google Artifact Registry.
pub(super) struct GoogleArtifact {
    pub registry: Generic,
}

/// What `tags/list` says here.
#[derive(Default, Deserialize)]
struct Listed {
    #[serde(default)]
    child: Option<Vec<String>>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(default)]
    manifest: Option<BTreeMap<String, Manifest>>,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default, rename = "imageSizeBytes")]
    size: Option<String>,
    #[serde(default)]
    tag: Option<Vec<String>>,
    #[serde(default, rename = "timeUploadedMs")]
    uploaded: Option<String>,
    #[serde(default, rename = "timeCreatedMs")]
    created: Option<String>,
}

/// Places still to be looked at, the next one last.
#[derive(Serialize, Deserialize)]
struct Descent {
    left: Vec<String>,
    found: bool,
}

impl GoogleArtifact {
    async fn look(&self, access: &Access, place: &Repository) -> Result<Listed, ListError> {
        let scope = format!("repository:{place}:pull");
        let answer = self.registry.0.get(access, &format!("/v2/{place}/tags/list"), &scope).await;
        let answer = answer.map_err(|error| super::ask::catalog_refusal(error, REFUSED))?;
        match answer.status {
            200 => Ok(read(&access.host(), &answer)?),
            // A project alone, or a name that Google finds malformed.
            400 => Err(ListError::CannotList(REFUSED.into())),
            _ => Err(refusal(&access.host(), &answer, access.login.as_ref(), REFUSED)),
        }
    }

    /// Looks at one place and writes down what lies below it.
    async fn descend(
        &self,
        access: &Access,
        descent: &mut Descent,
        place: &str,
    ) -> Result<Option<ListedRepository>, ListError> {
        let Ok(repository) = place.parse::<Repository>() else { return Err(ListError::CannotList(REFUSED.into())) };
        let here = self.look(access, &repository).await?;
        let below: BTreeSet<String> = here.child.unwrap_or_default().into_iter().collect();
        for child in below.into_iter().rev().take(WAITING.saturating_sub(descent.left.len())) {
            let child = format!("{place}/{child}");
            // Each step goes down by one part, so that a server that lies can't lead the walk in a circle.
            let is_below = child.matches('/').count() == place.matches('/').count() + 1;
            if is_below && child.matches('/').count() < DEEPEST && child.parse::<Repository>().is_ok() {
                descent.left.push(child);
            }
        }
        let is_image = here.manifest.is_some_and(|held| !held.is_empty()) || here.tags.is_some_and(|t| !t.is_empty());
        descent.found |= is_image;
        Ok(listed(place, None).filter(|_| is_image))
    }
}

#[async_trait]
impl Adapter for GoogleArtifact {
    async fn repositories(&self, asker: Asker<'_>, cursor: Option<&str>) -> Result<Page<ListedRepository>, ListError> {
        let kept = cursor.and_then(|cursor| serde_json::from_str::<Descent>(cursor).ok());
        let mut descent = kept.unwrap_or_else(|| {
            let left = asker.namespaces.iter().rev().map(|name| name.trim_matches('/').to_ascii_lowercase());
            Descent { left: left.collect(), found: false }
        });
        if descent.left.is_empty() {
            return Err(ListError::CannotList(NOBODY.into()));
        }
        let mut items = Vec::new();
        // The first page is one look, so that something is there soon; each cursor is written down, so later pages are long.
        for look in 0..if cursor.is_none() { 1 } else { LOOKS } {
            let Some(place) = descent.left.pop() else { break };
            match self.descend(asker.access, &mut descent, &place).await {
                Ok(found) => items.extend(found),
                // What was found before is kept; the next page starts with this place.
                Err(_) if look > 0 => {
                    descent.left.push(place);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        if descent.left.is_empty() {
            return if descent.found {
                Ok(Page { items, next: None })
            } else {
                Err(ListError::CannotList(NOTHING.into()))
            };
        }
        Ok(Page { items, next: serde_json::to_string(&descent).ok() })
    }

    async fn tags(
        &self,
        access: &Access,
        repository: &Repository,
        _cursor: Option<&str>,
    ) -> Result<Page<ListedTag>, ListError> {
        let here = self.look(access, repository).await?;
        let mut found: BTreeMap<Tag, ListedTag> = BTreeMap::new();
        let name_only = |name: Tag| ListedTag { name, digest: None, at: None, size: None };
        for name in here.tags.unwrap_or_default().iter().filter_map(|name| name.parse::<Tag>().ok()) {
            found.insert(name.clone(), name_only(name));
        }
        for (digest, manifest) in here.manifest.unwrap_or_default() {
            let millis = [manifest.uploaded, manifest.created].into_iter().flatten();
            let mut millis = millis.filter_map(|text| text.parse::<i64>().ok()).filter(|millis| *millis > 0);
            let at = millis.next().map(|millis| millis / 1_000);
            let size = manifest.size.and_then(|text| text.parse().ok()).filter(|size| *size > 0);
            for name in manifest.tag.unwrap_or_default().iter().filter_map(|name| name.parse::<Tag>().ok()) {
                found.insert(name.clone(), ListedTag { name, digest: digest.parse().ok(), at, size });
            }
        }
        Ok(Page { items: found.into_values().collect(), next: None })
    }

    fn explain(&self, error: &OciError) -> Option<Problem> {
        explain::by(explain::GOOGLE_ARTIFACT, error)
    }
}
