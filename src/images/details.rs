//! What stands behind a digest: platforms, sizes, configurations, attestations, read from the registry.
//!
//! Digests are checked where bytes come in (`oci`); here everything is capped, and what means two things is refused. Docker
//! Hub counts each manifest that is read as a pull, so there the fewest are.

use super::Spot;
use super::document::{Descriptor, Document, Entry, Unusable, is_image_config};
use super::image_config;
use crate::oci::{self, Manifest};
use crate::providers::Providers;
use app::error::Problem;
use app::model::image::{Attestation, Image, ImageConfig, PlatformImage};
use app::model::image_ref::{Digest, ImageRef};
use app::model::platform::Platform;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::collections::HashSet;

/// Largest configuration that is read.
const CONFIG: usize = 8 * 1024 * 1024;
/// Most entries, of all nested indexes together, and how deep they may be nested.
const ENTRIES: usize = 1_000;
const DEPTH: usize = 3;
/// Most nested indexes.
const INDEXES: usize = 10;
/// Requests for one image at the same time.
const AT_ONCE: usize = 4;
/// Platforms whose manifest and configuration are read, and the same at Docker Hub.
const PLATFORMS: usize = 16;
const PLATFORMS_OF_HUB: usize = 2;
/// Attestations whose manifest is read.
const ATTESTATIONS: usize = 8;

/// Reads images of one repository.
pub(super) struct Reader<'a> {
    pub oci: &'a oci::Client,
    pub providers: &'a Providers,
    pub spot: &'a Spot,
    /// Platforms of the Swarm's nodes; what they can run is read first.
    pub nodes: &'a [Platform],
}

/// What an index lists, nested ones too.
#[derive(Default)]
struct Listed {
    images: Vec<(Descriptor, Option<Platform>)>,
    attestations: Vec<(Descriptor, Option<Digest>)>,
}

impl Reader<'_> {
    /// The image behind a digest; None: the registry doesn't have it.
    pub(super) async fn read(&self, digest: &Digest, now: i64) -> Result<Option<Image>, Problem> {
        let Some(manifest) = self.manifest(digest).await? else { return Ok(None) };
        let reference = ImageRef {
            host: self.spot.key.host.clone(),
            repository: self.spot.key.repository.clone(),
            tag: None,
            digest: Some(digest.clone()),
        };
        let media_type = super::document::clean(&manifest.media_type, 200);
        let mut image =
            Image { reference, media_type, platforms: vec![], attestations: vec![], annotations: vec![], at: now };
        match self.parse(&manifest)? {
            Document::Manifest { config, layers, annotations } => {
                image.annotations = annotations;
                image.platforms = vec![self.platform_image(digest.clone(), None, config, layers).await?];
            }
            Document::Index { entries, annotations } => {
                image.annotations = annotations;
                let listed = self.flatten(entries).await?;
                image.platforms = self.platforms(listed.images).await?;
                image.attestations = self.attestations(listed.attestations).await;
            }
        }
        Ok(Some(image))
    }

    async fn manifest(&self, digest: &Digest) -> Result<Option<Manifest>, Problem> {
        let found = self.oci.manifest(&self.spot.access, &self.spot.key.repository, digest.as_str()).await;
        found.map_err(|error| self.spot.explain(self.providers, &error))
    }

    fn parse(&self, manifest: &Manifest) -> Result<Document, Problem> {
        Document::parse(&manifest.bytes, &manifest.media_type).map_err(|why| self.unusable(&why))
    }

    fn unusable(&self, why: &Unusable) -> Problem {
        Problem::new(
            "image.unusable",
            format!("This image of {} can't be used: its manifest {}.", self.spot.key.host, why.0),
            "Push it again with a current tool, or choose another tag.",
        )
    }

    /// All entries, those of nested indexes too.
    async fn flatten(&self, entries: Vec<Descriptor>) -> Result<Listed, Problem> {
        let mut listed = Listed::default();
        let mut seen = HashSet::new();
        let (mut left, mut indexes) = (vec![(entries, 1)], 0);
        while let Some((entries, depth)) = left.pop() {
            for descriptor in entries {
                if listed.images.len() + listed.attestations.len() >= ENTRIES {
                    return Err(self.unusable(&Unusable("has more than 1000 entries")));
                }
                match descriptor.entry() {
                    Entry::Image(platform) => listed.images.push((descriptor, platform)),
                    Entry::Attestation(about) => listed.attestations.push((descriptor, about)),
                    Entry::Index if !seen.insert(descriptor.digest.clone()) => {}
                    Entry::Index if depth >= DEPTH || indexes >= INDEXES => {
                        return Err(self.unusable(&Unusable("has indexes in indexes in indexes")));
                    }
                    Entry::Index => {
                        indexes += 1;
                        let Some(manifest) = self.manifest(&descriptor.digest).await? else { continue };
                        if let Document::Index { entries, .. } = self.parse(&manifest)? {
                            left.push((entries, depth + 1));
                        }
                    }
                }
            }
        }
        Ok(listed)
    }

    /// Those that the nodes can run first; of these configuration and layers are read.
    async fn platforms(&self, mut listed: Vec<(Descriptor, Option<Platform>)>) -> Result<Vec<PlatformImage>, Problem> {
        listed.sort_by_key(|(_, platform)| !self.is_wanted(platform.as_ref()));
        let most = if self.spot.key.host.is_docker_hub() {
            let wanted = listed.iter().filter(|(_, platform)| self.is_wanted(platform.as_ref())).count();
            wanted.clamp(1, PLATFORMS_OF_HUB)
        } else {
            PLATFORMS
        };
        stream::iter(listed.into_iter().enumerate())
            .map(async |(place, (descriptor, platform))| {
                let unread = |platform| PlatformImage {
                    platform,
                    digest: descriptor.digest.clone(),
                    size: 0,
                    config: None,
                    layers: Vec::new(),
                };
                if place >= most {
                    return Ok(unread(platform));
                }
                // An index may name more than its registry has: somebody copied one platform alone.
                let Some(manifest) = self.manifest(&descriptor.digest).await? else { return Ok(unread(platform)) };
                match self.parse(&manifest)? {
                    Document::Manifest { config, layers, .. } => {
                        self.platform_image(descriptor.digest.clone(), platform, config, layers).await
                    }
                    Document::Index { .. } => {
                        Err(self.unusable(&Unusable("lists an index as the manifest of a platform")))
                    }
                }
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    fn is_wanted(&self, platform: Option<&Platform>) -> bool {
        let Some(platform) = platform else { return false };
        match self.nodes {
            [] => platform.as_str() == "linux/amd64",
            nodes => nodes.iter().any(|node| node.runs(platform)),
        }
    }

    async fn platform_image(
        &self,
        digest: Digest,
        platform: Option<Platform>,
        config: Option<Descriptor>,
        layers: Vec<Descriptor>,
    ) -> Result<PlatformImage, Problem> {
        let mut seen = HashSet::new();
        let once = config.iter().chain(&layers).filter(|part| seen.insert(part.digest.clone()));
        // What isn't distributable lies at its vendor.
        let here =
            once.filter(|part| !part.media_type.contains("nondistributable") && !part.media_type.contains("foreign"));
        let size = here.fold(0_u64, |sum, part| sum.saturating_add(part.size));
        let read = match config.filter(|config| is_image_config(&config.media_type)) {
            Some(config) => self.config(&config).await?,
            None => None,
        };
        let (own, config) = match read {
            Some((own, config)) => (own, Some(config)),
            None => (None, None),
        };
        let layers = layers.iter().map(Descriptor::layer).collect();
        Ok(PlatformImage { platform: platform.or(own), digest, size, config, layers })
    }

    async fn config(&self, config: &Descriptor) -> Result<Option<(Option<Platform>, ImageConfig)>, Problem> {
        let blob = self.oci.blob(&self.spot.access, &self.spot.key.repository, &config.digest, CONFIG).await;
        let Some(bytes) = blob.map_err(|error| self.spot.explain(self.providers, &error))? else { return Ok(None) };
        image_config::parse(&bytes).map(Some).map_err(|why| self.unusable(&why))
    }

    /// Kinds are read where that is cheap; an attestation that can't be read is no reason not to show the image.
    async fn attestations(&self, listed: Vec<(Descriptor, Option<Digest>)>) -> Vec<Attestation> {
        let most = if self.spot.key.host.is_docker_hub() { 0 } else { ATTESTATIONS };
        stream::iter(listed.into_iter().enumerate())
            .map(async |(place, (descriptor, about))| {
                let mut attestation =
                    Attestation { digest: descriptor.digest.clone(), about, kinds: Vec::new(), size: descriptor.size };
                if place < most {
                    match self.manifest(&descriptor.digest).await {
                        Ok(Some(manifest)) => describe(&mut attestation, &manifest),
                        Ok(None) => {}
                        Err(problem) => tracing::debug!(%problem, "an attestation can't be read"),
                    }
                }
                attestation
            })
            .buffered(AT_ONCE)
            .collect()
            .await
    }
}

fn describe(attestation: &mut Attestation, manifest: &Manifest) {
    let Ok(Document::Manifest { layers, .. }) = Document::parse(&manifest.bytes, &manifest.media_type) else { return };
    attestation.size = layers.iter().fold(0_u64, |sum, layer| sum.saturating_add(layer.size));
    for kind in layers.iter().filter_map(|layer| layer.annotation("in-toto.io/predicate-type")).take(20) {
        let kind = super::document::clean(kind, 200);
        if !attestation.kinds.contains(&kind) {
            attestation.kinds.push(kind);
        }
    }
}
