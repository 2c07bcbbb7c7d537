//! What is there before and after: the bytes of the volume, and an image that has to be there still.

use super::super::record::Record;
use super::super::{Registries, probe};
use crate::jobs::{JobContext, JobError};
use crate::oci::{Access, Client, OciError};
use app::error::Problem;
use app::model::id::RegistryId;
use app::model::image_ref::{Digest, Repository};
use app::model::registry::Storage;
use app::model::text;
use app::paths;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Repositories that are asked for an image; most have one.
const ASKED: usize = 20;

/// What was there before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Before {
    /// Bytes of the volume; None: they can't be seen from here.
    pub bytes: Option<u64>,
    /// An image, if there is one.
    pub known: Option<Known>,
}

/// An image that is there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Known {
    repository: Repository,
    digest: Digest,
    /// Its configuration, or that of one of its platforms.
    blob: Option<Digest>,
}

#[derive(Deserialize)]
struct Document {
    config: Option<Descriptor>,
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: Digest,
}

impl Registries {
    /// Looks while nothing can change any more.
    pub(super) async fn measure(&self, record: &Record, cx: &JobContext) -> Result<Before, JobError> {
        let bytes = cx.or_cancel(self.bytes_of(record)).await?;
        if let Some(bytes) = bytes {
            cx.log(&format!("{} are in its volume.", text::bytes(bytes)));
        }
        let known = match cx.or_cancel(self.known(record)).await? {
            Ok(known) => known,
            Err(reason) => {
                cx.log(&format!("No image was found to look at afterwards: {reason}."));
                None
            }
        };
        Ok(Before { bytes, known })
    }

    /// Bytes of the volume, if this process can see it.
    pub(super) async fn bytes_of(&self, record: &Record) -> Option<u64> {
        let Storage::Volume { name } = &record.wanted.storage else { return None };
        let volume = self.parts.docker.find_volume(name).await.ok().flatten()?;
        tokio::task::spawn_blocking(move || bytes_in(&volume.folder)).await.ok().flatten()
    }

    async fn known(&self, record: &Record) -> Result<Option<Known>, String> {
        let access = self.parts.credentials.access(&record.credential).await.map_err(|error| error.to_string())?;
        let client = self.parts.oci.named(probe::AGENT);
        find(&client, &access).await.map_err(|error| error.to_string())
    }

    /// The image of before is there still.
    pub(super) async fn check_known(
        &self,
        record: &Record,
        known: Option<&Known>,
        cx: &JobContext,
    ) -> Result<(), JobError> {
        let Some(known) = known else { return Ok(()) };
        let access = self.parts.credentials.access(&record.credential).await.map_err(super::super::keys::inner)?;
        let client = self.parts.oci.named(probe::AGENT);
        let unreachable = |error: OciError| JobError::Fail(super::super::causes::of(&error, record));
        let Known { repository, digest, blob } = known;
        let found = cx.or_cancel(client.digest(&access, repository, digest.as_str())).await?.map_err(unreachable)?;
        if found.is_none() {
            return Err(damaged(&record.id, &format!("{repository}@{digest}")).into());
        }
        if let Some(blob) = blob {
            let (path, scope) = (format!("/v2/{repository}/blobs/{blob}"), format!("repository:{repository}:pull"));
            let answer = cx.or_cancel(client.head(&access, &path, &scope)).await?.map_err(unreachable)?;
            if answer.status != 200 {
                return Err(damaged(&record.id, &format!("{blob} of {repository}")).into());
            }
        }
        cx.log(&format!("✓ {repository}@{digest} is there with its configuration."));
        Ok(())
    }
}

/// The first image that a repository has.
async fn find(client: &Client, access: &Access) -> Result<Option<Known>, OciError> {
    let page = client.repositories(access, None).await?;
    for repository in page.names.iter().filter_map(|name| name.parse::<Repository>().ok()).take(ASKED) {
        let tags = match client.tags(access, &repository, None).await {
            // It has blobs alone.
            Err(OciError::NotOffered { .. }) => continue,
            tags => tags?.names,
        };
        let Some(tag) = tags.first() else { continue };
        let Some(manifest) = client.manifest(access, &repository, tag).await? else { continue };
        let mut document: Option<Document> = serde_json::from_slice(&manifest.bytes).ok();
        if let Some(child) = document.as_ref().and_then(|document| document.manifests.first()) {
            let child = client.manifest(access, &repository, child.digest.as_str()).await?;
            document = child.and_then(|child| serde_json::from_slice(&child.bytes).ok());
        }
        let blob = document.and_then(|document| document.config).map(|config| config.digest);
        return Ok(Some(Known { repository, digest: manifest.digest, blob }));
    }
    Ok(None)
}

/// Must never happen, and so it is told without any softening.
fn damaged(id: &RegistryId, what: &str) -> Problem {
    Problem::new(
        "registry.garbage_damaged",
        format!("After its garbage was collected, the registry doesn't have {what} any more."),
        "Don't collect garbage there again before you know why: read the job's log. Build what is missing anew.",
    )
    .with_link(paths::registry(id), "Open the registry")
}

/// The bytes of all files below a folder; None: it can't be read.
fn bytes_in(folder: &Path) -> Option<u64> {
    std::fs::read_dir(folder).ok()?;
    let (mut sum, mut folders) = (0_u64, vec![PathBuf::from(folder)]);
    while let Some(folder) = folders.pop() {
        // What goes while we look, goes.
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            match entry.metadata() {
                Ok(found) if found.is_dir() => folders.push(entry.path()),
                Ok(found) if found.is_file() => sum = sum.saturating_add(found.len()),
                _ => {}
            }
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_count_wherever_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("a/b")).expect("folders");
        std::fs::write(folder.path().join("a/b/c"), "1234").expect("a file");
        std::fs::write(folder.path().join("d"), "12").expect("a file");
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("e")).expect("a link");
        assert_eq!(bytes_in(folder.path()), Some(6));
        assert_eq!(bytes_in(&folder.path().join("none")), None);
    }
}
