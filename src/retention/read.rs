//! Asks a registry for lists, digests and manifests, patiently, and makes of an image's manifests what it is made of.

use super::content::{Content, Mark};
use super::judge::Known;
use crate::images::document::{Descriptor, Document};
use crate::jobs::{JobContext, JobError};
use crate::oci::{self, Access, Manifest, Names, OciError};
use app::model::image_ref::{Digest, Repository, Tag};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Tries for one question.
const TRIES: u32 = 4;
/// The first pause; each is twice the one before.
const PAUSE: Duration = Duration::from_millis(250);
/// Longest wait that a registry may ask for, in seconds.
const LONGEST: u64 = 60;
/// Most pages of a list.
const PAGES: usize = 10_000;
/// Most manifests of one image.
const MANIFESTS: usize = 2_000;

/// Manifests below images that were read in this look; images share them.
#[derive(Default)]
pub(super) struct Memo(Mutex<HashMap<Digest, Arc<Part>>>);

/// A manifest: its size, what it leads to.
struct Part {
    size: u64,
    manifests: Vec<Descriptor>,
    blobs: Vec<Descriptor>,
}

/// Why a manifest gives nothing.
enum NoPart {
    Missing,
    Unreadable,
}

/// Whether it would be the same for every other question: then a look ends, and nothing that was known is taken away.
pub(super) fn is_fatal(error: &OciError) -> bool {
    !matches!(error, OciError::Denied { .. } | OciError::NotOffered { .. } | OciError::Unexpected { .. })
}

/// Asks one registry for one job.
pub(super) struct Reader<'a> {
    pub(super) oci: &'a oci::Client,
    pub(super) access: &'a Access,
    pub(super) cx: &'a JobContext,
}

impl Reader<'_> {
    /// Asks until there is an answer or no hope.
    async fn patient<T, F: Future<Output = Result<T, OciError>> + Send>(
        &self,
        mut question: impl FnMut() -> F,
    ) -> Result<Result<T, OciError>, JobError> {
        let mut tries = 0;
        loop {
            let outcome = self.cx.or_cancel(question()).await?;
            tries += 1;
            let pause = match &outcome {
                Err(OciError::RateLimited { seconds, .. }) => {
                    Duration::from_secs(seconds.unwrap_or(2 << tries).min(LONGEST + 1))
                }
                Err(OciError::Timeout { .. } | OciError::Refused { .. } | OciError::Unexpected { .. }) => {
                    PAUSE * 2_u32.pow(tries - 1)
                }
                _ => return Ok(outcome),
            };
            if tries == TRIES || pause > Duration::from_secs(LONGEST) {
                return Ok(outcome);
            }
            self.cx.or_cancel(tokio::time::sleep(pause)).await?;
        }
    }

    /// All pages of a list. One that never ends is an error and no list.
    async fn whole<F: Future<Output = Result<Names, OciError>> + Send>(
        &self,
        mut page: impl FnMut(Option<String>) -> F,
    ) -> Result<Result<Vec<String>, OciError>, JobError> {
        let (mut names, mut next) = (Vec::new(), None);
        for _ in 0..PAGES {
            let part = match self.patient(|| page(next.clone())).await? {
                Ok(part) => part,
                Err(error) => return Ok(Err(error)),
            };
            names.extend(part.names);
            if part.next.is_none() {
                return Ok(Ok(names));
            }
            if part.next == next {
                break;
            }
            next = part.next;
        }
        let answer = "its list never ends".into();
        Ok(Err(OciError::Unexpected { host: self.access.host(), answer }))
    }

    /// All repositories.
    pub(super) async fn repositories(&self) -> Result<Result<Vec<String>, OciError>, JobError> {
        self.whole(|next| async move { self.oci.repositories(self.access, next.as_deref()).await }).await
    }

    /// The tags of a repository; none when there is no such repository.
    pub(super) async fn tags(&self, name: &Repository) -> Result<Result<Vec<Tag>, OciError>, JobError> {
        let listed = self.whole(|next| async move { self.oci.tags(self.access, name, next.as_deref()).await }).await?;
        Ok(match listed {
            Ok(names) => {
                let unique: HashSet<String> = names.into_iter().collect();
                Ok(unique.into_iter().filter_map(|name| name.parse().ok()).collect())
            }
            Err(OciError::NotOffered { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        })
    }

    /// Where a tag leads to; none: it isn't there.
    pub(super) async fn digest(
        &self,
        name: &Repository,
        tag: &Tag,
    ) -> Result<Result<Option<Digest>, OciError>, JobError> {
        self.patient(|| self.oci.digest(self.access, name, tag.as_str())).await
    }

    /// What an image is made of.
    pub(super) async fn image(
        &self,
        name: &Repository,
        digest: &Digest,
        memo: &Memo,
    ) -> Result<Result<Known, OciError>, JobError> {
        let (mut manifests, mut blobs) = (Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        let mut todo = vec![(digest.clone(), false)];
        while let Some((next, may_be_missing)) = todo.pop() {
            if !seen.insert(next.clone()) {
                continue;
            }
            // Content is packed by SHA-256 marks; nobody pushes manifests by others.
            if manifests.len() == MANIFESTS || !next.as_str().starts_with("sha256:") {
                return Ok(Ok(Known::Unread));
            }
            let part = match self.part(name, &next, memo).await? {
                Ok(Ok(part)) => part,
                Ok(Err(NoPart::Missing)) if manifests.is_empty() => return Ok(Ok(Known::Gone)),
                // A platform that somebody deleted leads nowhere.
                Ok(Err(NoPart::Missing)) if may_be_missing => {
                    manifests.push((Mark::of(&next), 0));
                    continue;
                }
                Ok(Err(_)) => return Ok(Ok(Known::Unread)),
                Err(error) => return Ok(Err(error)),
            };
            manifests.push((Mark::of(&next), part.size));
            todo.extend(part.manifests.iter().map(|it| (it.digest.clone(), !is_index(&it.media_type))));
            blobs.extend(part.blobs.iter().map(|blob| (Mark::of(&blob.digest), blob.size)));
        }
        blobs.sort_unstable();
        blobs.dedup_by_key(|(mark, _)| *mark);
        Ok(Ok(Known::Content(Content::new(&manifests, &blobs))))
    }

    async fn part(
        &self,
        name: &Repository,
        digest: &Digest,
        memo: &Memo,
    ) -> Result<Result<Result<Arc<Part>, NoPart>, OciError>, JobError> {
        if let Some(part) = memo.0.lock().unwrap_or_else(PoisonError::into_inner).get(digest) {
            return Ok(Ok(Ok(Arc::clone(part))));
        }
        let manifest = match self.patient(|| self.oci.manifest(self.access, name, digest.as_str())).await? {
            Ok(Some(manifest)) => manifest,
            Ok(None) => return Ok(Ok(Err(NoPart::Missing))),
            Err(error) if is_fatal(&error) => return Ok(Err(error)),
            Err(_) => return Ok(Ok(Err(NoPart::Unreadable))),
        };
        let Some(part) = taken_apart(&manifest) else { return Ok(Ok(Err(NoPart::Unreadable))) };
        let part = Arc::new(part);
        memo.0.lock().unwrap_or_else(PoisonError::into_inner).insert(digest.clone(), Arc::clone(&part));
        Ok(Ok(Ok(part)))
    }
}

fn taken_apart(manifest: &Manifest) -> Option<Part> {
    let size = u64::try_from(manifest.bytes.len()).ok()?;
    Some(match Document::parse(&manifest.bytes, &manifest.media_type).ok()? {
        Document::Manifest { config, layers, .. } => {
            Part { size, manifests: Vec::new(), blobs: config.into_iter().chain(layers).collect() }
        }
        Document::Index { entries, .. } => {
            // BuildKit's older caches are indexes of layers.
            let (manifests, blobs) = entries.into_iter().partition(|entry| is_manifest(&entry.media_type));
            Part { size, manifests, blobs }
        }
    })
}

fn is_index(media_type: &str) -> bool {
    // An entry that doesn't say what it is may be one.
    media_type.is_empty()
        || matches!(
            media_type,
            "application/vnd.oci.image.index.v1+json" | "application/vnd.docker.distribution.manifest.list.v2+json"
        )
}

fn is_manifest(media_type: &str) -> bool {
    is_index(media_type)
        || matches!(
            media_type,
            "application/vnd.oci.image.manifest.v1+json"
                | "application/vnd.docker.distribution.manifest.v2+json"
                | "application/vnd.docker.distribution.manifest.v1+json"
                | "application/vnd.docker.distribution.manifest.v1+prettyjws"
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::text::hex;

    #[test]
    fn caches_of_layers_have_no_manifests() {
        let entry =
            |n: u8, kind: &str| format!(r#"{{"mediaType":"{kind}","digest":"sha256:{}","size":{n}}}"#, hex(&[n; 32]));
        let bytes = format!(
            r#"{{"schemaVersion":2,"manifests":[{},{},{}]}}"#,
            entry(1, "application/vnd.oci.image.manifest.v1+json"),
            entry(2, "application/vnd.oci.image.layer.v1.tar+gzip"),
            entry(3, "application/vnd.buildkit.cacheconfig.v0")
        );
        let manifest = Manifest {
            digest: format!("sha256:{}", hex(&[9; 32])).parse().expect("a digest"),
            media_type: "application/vnd.oci.image.index.v1+json".into(),
            bytes: bytes.into_bytes(),
        };
        let part = taken_apart(&manifest).expect("an index");
        let sizes = |all: &[Descriptor]| all.iter().map(|it| it.size).collect::<Vec<_>>();
        assert_eq!((sizes(&part.manifests), sizes(&part.blobs)), (vec![1], vec![2, 3]));
    }
}
