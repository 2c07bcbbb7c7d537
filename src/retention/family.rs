//! A manifest and all that it leads to: platforms of an index, and what BuildKit says about them.

use crate::images::document::Document;
use crate::oci::{Access, Client, Manifest, OciError};
use app::model::image_ref::{Digest, Repository};
use std::collections::{HashMap, HashSet};

/// Indexes within indexes that are followed.
const DEPTH: usize = 3;

/// A manifest with all manifests below it.
#[derive(Clone, Debug)]
pub(super) struct Family {
    /// Those that others lead to first, the one that was asked for last.
    pub manifests: Vec<Manifest>,
    /// Bytes of them and of all blobs, each once.
    pub size: u64,
}

impl Family {
    /// Their digests, in the same order.
    pub fn digests(&self) -> Vec<Digest> {
        self.manifests.iter().map(|manifest| manifest.digest.clone()).collect()
    }

    /// The one that was asked for.
    pub fn root(&self) -> Option<&Manifest> {
        self.manifests.last()
    }
}

/// What a manifest names.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// Further manifests.
    pub manifests: Vec<Digest>,
    /// Blobs and their sizes.
    pub blobs: Vec<(Digest, u64)>,
}

/// What a manifest names; None: it isn't in a form that is known.
pub(super) fn named(manifest: &Manifest) -> Option<Named> {
    match Document::parse(&manifest.bytes, &manifest.media_type).ok()? {
        Document::Index { entries, .. } => {
            let manifests = entries.into_iter().map(|entry| entry.digest).collect();
            Some(Named { manifests, blobs: Vec::new() })
        }
        Document::Manifest { config, layers, .. } => {
            let blobs = config.into_iter().chain(layers).map(|blob| (blob.digest, blob.size)).collect();
            Some(Named { manifests: Vec::new(), blobs })
        }
    }
}

/// Reads a family; None: the root isn't there. What an index names and the registry doesn't have is left out.
pub(super) async fn read(
    oci: &Client,
    access: &Access,
    repository: &Repository,
    root: &Digest,
) -> Result<Option<Family>, OciError> {
    let mut found: Vec<Manifest> = Vec::new();
    let mut seen: HashSet<Digest> = HashSet::from([root.clone()]);
    let mut level = vec![root.clone()];
    for _ in 0..=DEPTH {
        let mut below = Vec::new();
        for digest in level {
            let Some(manifest) = oci.manifest(access, repository, digest.as_str()).await? else {
                if digest == *root {
                    return Ok(None);
                }
                continue;
            };
            let names = named(&manifest).unwrap_or_default().manifests;
            below.extend(names.into_iter().filter(|digest| seen.insert(digest.clone())));
            found.push(manifest);
        }
        level = below;
    }
    // Each level leads to the next, so that the reverse is an order in which they can be put back.
    found.reverse();
    let mut blobs = HashMap::new();
    for manifest in &found {
        blobs.insert(manifest.digest.clone(), manifest.bytes.len() as u64);
        blobs.extend(named(manifest).unwrap_or_default().blobs);
    }
    Ok(Some(Family { manifests: found, size: blobs.values().sum() }))
}
