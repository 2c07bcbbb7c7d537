//! What the registry has of a push: the image of each platform with its size, and what is said about it.

use crate::images::document::{Descriptor, Document, Entry};
use crate::images::image_config;
use crate::oci::{Client, Manifest, OciError};
use crate::registries::Target;
use app::model::build_record::{Attestation, PlatformImage};
use app::model::image_ref::{Digest, Repository};
use app::model::platform::Platform;

/// Most entries of an index that are read.
const ENTRIES: usize = 64;
/// Largest configuration that is read.
const CONFIG: usize = 8 << 20;
/// Largest statement that is kept: a bill of materials with all files of a system is larger.
pub(super) const STATEMENT: u64 = 2 << 20;
/// What layers with statements are.
const IN_TOTO: &str = "application/vnd.in-toto+json";

/// What a push consists of.
#[derive(Debug, Default)]
pub(super) struct Pushed {
    pub(super) platforms: Vec<PlatformImage>,
    pub(super) attestations: Vec<Attestation>,
    /// Statements that are small enough, by their place among the attestations.
    pub(super) statements: Vec<(usize, String)>,
}

/// Why it isn't known.
#[derive(Debug)]
pub(super) enum Unread {
    /// The registry has the image but not this part of it: nobody can pull it.
    Incomplete(String),
    /// The registry didn't say, or said something else.
    Unknown(String),
}

impl From<OciError> for Unread {
    fn from(error: OciError) -> Self {
        Self::Unknown(error.problem().cause)
    }
}

/// Reads the push behind a digest.
pub(super) async fn read(
    oci: &Client,
    target: &Target,
    repository: &Repository,
    digest: &Digest,
) -> Result<Pushed, Unread> {
    let reader = Reader { oci, target, repository };
    let mut pushed = Pushed::default();
    match reader.document(digest, "the image itself").await? {
        Document::Manifest { config, layers, .. } => {
            let bytes = size(config.as_ref(), &layers);
            let platform = reader.platform(config.as_ref()).await?;
            pushed.platforms = vec![PlatformImage { platform, digest: digest.clone(), bytes }];
        }
        Document::Index { entries, .. } => {
            let mut about = Vec::new();
            for descriptor in entries.into_iter().take(ENTRIES) {
                match descriptor.entry() {
                    Entry::Image(Some(platform)) => {
                        let bytes = reader.image_size(&descriptor.digest, &platform).await?;
                        pushed.platforms.push(PlatformImage { platform, digest: descriptor.digest, bytes });
                    }
                    Entry::Attestation(Some(image)) => about.push((descriptor.digest, image)),
                    Entry::Image(None) | Entry::Index | Entry::Attestation(None) => {}
                }
            }
            for (manifest, image) in about {
                let of = pushed.platforms.iter().find(|one| one.digest == image).map(|one| one.platform.clone());
                if let Some(platform) = of {
                    reader.attestations(&manifest, &platform, &mut pushed).await?;
                }
            }
        }
    }
    Ok(pushed)
}

struct Reader<'a> {
    oci: &'a Client,
    target: &'a Target,
    repository: &'a Repository,
}

impl Reader<'_> {
    async fn document(&self, digest: &Digest, what: &str) -> Result<Document, Unread> {
        let found = self.oci.manifest(&self.target.access, self.repository, digest.as_str()).await?;
        let Some(Manifest { bytes, media_type, .. }) = found else { return Err(Unread::Incomplete(what.to_owned())) };
        Document::parse(&bytes, &media_type)
            .map_err(|why| Unread::Unknown(format!("The manifest of {what} {}.", why.0)))
    }

    async fn blob(&self, digest: &Digest, limit: usize) -> Result<Option<Vec<u8>>, Unread> {
        Ok(self.oci.blob(&self.target.access, self.repository, digest, limit).await?)
    }

    async fn image_size(&self, digest: &Digest, platform: &Platform) -> Result<u64, Unread> {
        let what = format!("the image for {platform}");
        match self.document(digest, &what).await? {
            Document::Manifest { config, layers, .. } => Ok(size(config.as_ref(), &layers)),
            Document::Index { .. } => Err(Unread::Unknown(format!("{what} is an index once more."))),
        }
    }

    /// An image without an index says in its configuration what it is for.
    async fn platform(&self, config: Option<&Descriptor>) -> Result<Platform, Unread> {
        let missing = || Unread::Incomplete("the image's configuration".into());
        let config = config.ok_or_else(missing)?;
        let bytes = self.blob(&config.digest, CONFIG).await?.ok_or_else(missing)?;
        let (platform, _) =
            image_config::parse(&bytes).map_err(|why| Unread::Unknown(format!("The image {}.", why.0)))?;
        platform.ok_or_else(|| Unread::Unknown("The image doesn't say what platform it is for.".into()))
    }

    async fn attestations(&self, manifest: &Digest, platform: &Platform, pushed: &mut Pushed) -> Result<(), Unread> {
        let Document::Manifest { layers, .. } = self.document(manifest, "an attestation").await? else { return Ok(()) };
        for layer in layers.into_iter().filter(|layer| layer.media_type == IN_TOTO).take(ENTRIES) {
            let predicate = layer.annotation("in-toto.io/predicate-type").unwrap_or_default();
            let predicate: String = predicate.chars().filter(char::is_ascii_graphic).take(200).collect();
            let position = pushed.attestations.len();
            if layer.size <= STATEMENT {
                let limit = usize::try_from(STATEMENT).unwrap_or(usize::MAX);
                let bytes = self.blob(&layer.digest, limit).await?;
                let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
                pushed.statements.extend(text.map(|text| (position, text)));
            }
            let (digest, bytes) = (layer.digest, layer.size);
            pushed.attestations.push(Attestation { platform: platform.clone(), predicate, digest, bytes });
        }
        Ok(())
    }
}

/// Compressed bytes.
fn size(config: Option<&Descriptor>, layers: &[Descriptor]) -> u64 {
    config.into_iter().chain(layers).map(|part| part.size).fold(0, u64::saturating_add)
}
