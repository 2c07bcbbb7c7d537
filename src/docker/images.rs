//! Images that this engine has, and which of them containers use.
//!
//! Removing never forces: what a container has, running or not, Docker itself refuses to give up.

use super::{Docker, DockerError};
use bollard::query_parameters::{ListContainersOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// Working out what images share takes a while where there are many.
const LIST: Duration = Duration::from_secs(60);
/// So does deleting many files.
const REMOVE: Duration = Duration::from_secs(120);

/// An image that this engine has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineImage {
    /// Docker's id.
    pub id: String,
    /// What it is called: with tag, with digest, or both. Empty: nothing leads to it any more.
    pub names: Vec<String>,
    /// `repository@digest`. With containerd's store these follow from the names.
    pub digests: Vec<String>,
    /// Labels of its configuration.
    pub labels: HashMap<String, String>,
    /// Bytes, all of its platforms that are here.
    pub size: u64,
    /// Bytes of it that other images have as well.
    pub shared: u64,
    /// When it was made, Unix seconds.
    pub created: i64,
}

/// Ids and names of images that containers of this engine have, running or not, whoever made them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImagesInUse(pub HashSet<String>);

impl ImagesInUse {
    /// Whether a container has this image.
    pub fn has(&self, image: &EngineImage) -> bool {
        let texts = std::iter::once(&image.id).chain(&image.names).chain(&image.digests);
        texts.into_iter().any(|text| self.0.contains(text))
    }
}

impl Docker {
    /// All images of this engine, also those without a name.
    pub async fn images(&self) -> Result<Vec<EngineImage>, DockerError> {
        let options = ListImagesOptionsBuilder::default().digests(true).shared_size(true).build();
        let found = self.ask_within(LIST, self.client.clone().with_timeout(LIST).list_images(Some(options))).await?;
        Ok(found.into_iter().map(image).collect())
    }

    /// One image as it is now; what it shares isn't worked out. None: it is gone.
    pub async fn find_image(&self, id: &str) -> Result<Option<EngineImage>, DockerError> {
        match self.ask(self.client.inspect_image(id)).await {
            Ok(found) => Ok(Some(EngineImage {
                id: found.id.unwrap_or_default(),
                names: named(found.repo_tags.unwrap_or_default()),
                digests: named(found.repo_digests.unwrap_or_default()),
                labels: found.config.and_then(|config| config.labels).unwrap_or_default(),
                size: found.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
                shared: 0,
                created: 0,
            })),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What containers have, all of them.
    pub async fn images_in_use(&self) -> Result<ImagesInUse, DockerError> {
        let options = ListContainersOptionsBuilder::default().all(true).build();
        let containers = self.ask(self.client.list_containers(Some(options))).await?;
        Ok(ImagesInUse(containers.into_iter().flat_map(|one| [one.image, one.image_id]).flatten().collect()))
    }

    /// Takes a name from its image, and with the last one the image. Refused while a container has it. False: there was no
    /// such name.
    pub async fn remove_image(&self, name: &str) -> Result<bool, DockerError> {
        let client = self.client.clone().with_timeout(REMOVE);
        match self.ask_within(REMOVE, client.remove_image(name, None::<RemoveImageOptions>, None)).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn image(raw: bollard::models::ImageSummary) -> EngineImage {
    EngineImage {
        id: raw.id,
        names: named(raw.repo_tags),
        digests: named(raw.repo_digests),
        labels: raw.labels,
        size: u64::try_from(raw.size).unwrap_or(0),
        // -1: the engine didn't work it out.
        shared: u64::try_from(raw.shared_size).unwrap_or(0),
        created: raw.created,
    }
}

/// Without the engine's words for no name.
fn named(mut names: Vec<String>) -> Vec<String> {
    names.retain(|name| !name.starts_with("<none>"));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_read_as_the_engine_lists_it() {
        let raw = serde_json::json!({
            "Id": "sha256:aa", "ParentId": "", "RepoTags": ["<none>:<none>"], "RepoDigests": ["h/a@sha256:aa", "<none>@<none>"],
            "Created": 5, "Size": 100, "SharedSize": -1, "Labels": {"slipway.service": "srv_1"}, "Containers": -1
        });
        let read = image(serde_json::from_value(raw).expect("as the engine answers"));
        assert!(read.names.is_empty() && read.digests == ["h/a@sha256:aa"]);
        assert_eq!((read.size, read.shared, read.created), (100, 0, 5));
        assert_eq!(read.labels.get("slipway.service").map(String::as_str), Some("srv_1"));
    }

    #[test]
    fn a_container_may_know_its_image_by_id_or_by_name() {
        let image = EngineImage { id: "sha256:aa".into(), names: vec!["h/a:1".into()], ..EngineImage::default() };
        let used = |text: &str| ImagesInUse(HashSet::from([text.to_owned()])).has(&image);
        assert!(used("sha256:aa") && used("h/a:1") && !used("h/a:2"));
    }
}
