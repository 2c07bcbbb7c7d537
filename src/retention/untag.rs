//! Deletes a tag while what it leads to stays, so that the trash can give it back.
//!
//! By the registry's own interface, by DELETE of the tag, or, where a registry knows no deletion of tags (distribution 2.8),
//! by a stand-in: a tiny manifest of ours takes the tag's place and is deleted by its own digest. What must always hold: the
//! row of the trash is written before anything happens; a tag that leads to something else by now isn't touched; and a
//! stand-in that can't be deleted gives its place back.

use super::family::Family;
use super::store_trash::{self, Entry};
use super::{Retention, words};
use crate::jobs::{self, JobContext, JobError};
use crate::oci::{self, Access, Manifest, OciError, Put};
use crate::providers::Untag;
use crate::registries::Target;
use app::error::Problem;
use app::model::image_ref::{Digest, Repository};
use app::model::provider::Provider;

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
/// The stand-in's configuration: an empty one.
const CONFIG: &[u8] = b"{}";

/// What became of a tag.
#[derive(Debug)]
pub(super) enum Gone {
    /// It is gone, and its digest is still there.
    Yes,
    /// It leads to something else by now, and wasn't touched.
    Moved,
    /// This registry can't do it, for no tag.
    Never(Problem),
    /// This once it couldn't; the tag leads where it led.
    Failed(Problem),
}

/// Why a piece of work ended early.
pub(super) enum Broken {
    /// The registry.
    Registry(OciError),
    /// The job.
    Job(JobError),
}

impl From<OciError> for Broken {
    fn from(error: OciError) -> Self {
        Self::Registry(error)
    }
}

impl From<JobError> for Broken {
    fn from(error: JobError) -> Self {
        Self::Job(error)
    }
}

impl Retention {
    /// Deletes the tag of a row that was written and not yet done. Idempotent.
    pub(super) async fn untag(
        &self,
        target: &Target,
        entry: &Entry,
        family: &Family,
        cx: &JobContext,
    ) -> Result<Gone, Broken> {
        let (oci, access) = (&self.parts.oci, &target.access);
        let (repository, tag) = (&entry.repository, &entry.tag);
        let adapter = self.parts.providers.of(target.provider);
        let is_done = match adapter.untag(access, repository, tag).await? {
            Untag::Done => true,
            Untag::Protocol => oci.delete_tag(access, repository, tag).await?,
            Untag::Cannot(why, remedy) => return Ok(Gone::Never(words::cannot(why, remedy))),
        };
        cx.point("tag.asked").await;
        let now = oci.digest(access, repository, tag.as_str()).await?;
        if is_done && now.is_some() {
            let problem = words::not_gone(&access.host(), tag);
            return Ok(if now.as_ref() == Some(&entry.digest) { Gone::Failed(problem) } else { Gone::Moved });
        }
        if let Some(now) = now {
            if now != entry.digest {
                return Ok(Gone::Moved);
            }
            if target.provider != Provider::Generic {
                return Ok(Gone::Never(words::no_tags(&access.host())));
            }
            match self.stand_in(access, entry, family, cx).await? {
                Gone::Yes => {}
                other => return Ok(other),
            }
        }
        self.keep_digest(access, repository, family).await?;
        Ok(Gone::Yes)
    }

    /// The tag by way of a manifest of ours.
    async fn stand_in(&self, access: &Access, entry: &Entry, family: &Family, cx: &JobContext) -> Result<Gone, Broken> {
        let (client, repository) = (&self.parts.oci, &entry.repository);
        // Whether anything can be deleted is asked with a digest that nothing has.
        let nothing = oci::digest_of(access, format!("nothing of {}", entry.id).as_bytes(), false)?;
        if let Err(OciError::NotOffered { .. }) = client.delete_manifest(access, repository, &nothing).await {
            return Ok(Gone::Never(words::deletion_is_off(&access.host())));
        }
        let config = client.push_blob(access, repository, CONFIG).await?;
        let stand_in = stand_in(access, entry, &config)?;
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store_trash::set_stand_in(&mut tx, &entry.id, &stand_in.digest).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        // Once more, as late as can be.
        if client.digest(access, repository, entry.tag.as_str()).await?.as_ref() != Some(&entry.digest) {
            return Ok(Gone::Moved);
        }
        cx.point("tag.before_stand_in").await;
        if let Put::Incomplete(said) = client.put_manifest(access, repository, Some(&entry.tag), &stand_in).await? {
            return Ok(Gone::Failed(words::refused(&access.host(), &said)));
        }
        cx.point("tag.stand_in").await;
        match client.delete_manifest(access, repository, &stand_in.digest).await {
            Ok(_) => {}
            Err(error) => {
                let problem = self.parts.credentials.explain(Provider::Generic, &error);
                if let Some(root) = family.root() {
                    client.put_manifest(access, repository, Some(&entry.tag), root).await?;
                }
                return Ok(match error {
                    OciError::NotOffered { .. } => Gone::Never(words::deletion_is_off(&access.host())),
                    _ => Gone::Failed(problem),
                });
            }
        }
        cx.point("tag.deleted").await;
        match client.digest(access, repository, entry.tag.as_str()).await? {
            None => Ok(Gone::Yes),
            Some(now) if now == entry.digest => Ok(Gone::Failed(words::not_gone(&access.host(), &entry.tag))),
            Some(_) => Ok(Gone::Moved),
        }
    }

    /// What the tag led to is still there; where a registry threw it away with the tag, it is put back by its digest.
    pub(super) async fn keep_digest(
        &self,
        access: &Access,
        repository: &Repository,
        family: &Family,
    ) -> Result<(), Broken> {
        let Some(root) = family.root() else { return Ok(()) };
        if self.parts.oci.digest(access, repository, root.digest.as_str()).await?.is_some() {
            return Ok(());
        }
        for manifest in &family.manifests {
            self.parts.oci.put_manifest(access, repository, None, manifest).await?;
        }
        Ok(())
    }

    /// A deletion that was broken off: what the tag leads to now says how far it came. True: the tag is gone.
    pub(super) async fn settle(&self, access: &Access, entry: &Entry) -> Result<bool, OciError> {
        let oci = &self.parts.oci;
        let now = oci.digest(access, &entry.repository, entry.tag.as_str()).await?;
        match now {
            None => Ok(true),
            Some(now) if Some(&now) == entry.stand_in.as_ref() => {
                oci.delete_manifest(access, &entry.repository, &now).await?;
                Ok(oci.digest(access, &entry.repository, entry.tag.as_str()).await?.is_none())
            }
            Some(_) => Ok(false),
        }
    }
}

/// A manifest of nothing, unlike any other: it is made of the row's id, and so the same after a restart.
fn stand_in(access: &Access, entry: &Entry, config: &Digest) -> Result<Manifest, OciError> {
    let bytes = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": CONFIG.len() },
        "layers": [],
        "annotations": { "slipway.deletes": entry.tag, "slipway.trash": entry.id },
    })
    .to_string()
    .into_bytes();
    Ok(Manifest { digest: oci::digest_of(access, &bytes, false)?, media_type: IMAGE.into(), bytes })
}
