//! Manifests and indexes as registries send them: read leniently, refused when they mean two things, capped.

use app::model::image::Layer;
use app::model::image_ref::Digest;
use app::model::platform::Platform;
use app::model::text::is_hidden;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Most entries of an index, and most layers of a manifest.
const ENTRIES: usize = 1_000;
/// Most annotations, labels and the like that are kept.
pub(super) const PAIRS: usize = 100;
/// Characters of a name that are kept, and of a value.
const NAME: usize = 200;
const VALUE: usize = 1_000;

/// Why a document can't be used: the sentence goes on from "its manifest".
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unusable(pub &'static str);

/// A descriptor.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    #[serde(default)]
    pub media_type: String,
    pub digest: Digest,
    #[serde(default)]
    pub size: u64,
    #[serde(default)]
    platform: Option<RawPlatform>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, Deserialize)]
struct RawPlatform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: Option<String>,
}

/// What stands behind an entry of an index.
pub(crate) enum Entry {
    /// The manifest of a platform.
    Image(Option<Platform>),
    /// An index within the index.
    Index,
    /// Something of BuildKit about another entry.
    Attestation(Option<Digest>),
}

impl Descriptor {
    pub(crate) fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.as_ref().and_then(|all| all.get(name)).map(String::as_str)
    }

    pub(crate) fn entry(&self) -> Entry {
        if self.annotation("vnd.docker.reference.type").is_some_and(|kind| kind == "attestation-manifest") {
            return Entry::Attestation(self.annotation("vnd.docker.reference.digest").and_then(|it| it.parse().ok()));
        }
        if is_index(&self.media_type) {
            return Entry::Index;
        }
        let platform = self.platform.as_ref();
        let platform = platform.filter(|it| it.os != "unknown" && it.architecture != "unknown");
        let of = |it: &RawPlatform| Platform::of(&it.os, &it.architecture, it.variant.as_deref()).ok();
        Entry::Image(platform.and_then(of))
    }

    pub(super) fn layer(&self) -> Layer {
        Layer { digest: self.digest.clone(), media_type: clean(&self.media_type, NAME), size: self.size }
    }
}

fn is_index(media_type: &str) -> bool {
    matches!(
        media_type,
        "application/vnd.oci.image.index.v1+json" | "application/vnd.docker.distribution.manifest.list.v2+json"
    )
}

/// Whether a blob is the configuration of an image.
pub(super) fn is_image_config(media_type: &str) -> bool {
    matches!(media_type, "application/vnd.oci.image.config.v1+json" | "application/vnd.docker.container.image.v1+json")
}

/// A manifest or an index.
#[derive(Debug)]
pub(crate) enum Document {
    Manifest { config: Option<Descriptor>, layers: Vec<Descriptor>, annotations: Vec<(String, String)> },
    Index { entries: Vec<Descriptor>, annotations: Vec<(String, String)> },
}

impl Document {
    /// Reads one; `media_type` is the registry's.
    pub(crate) fn parse(bytes: &[u8], media_type: &str) -> Result<Self, Unusable> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Raw {
            #[serde(default)]
            media_type: Option<String>,
            #[serde(default)]
            config: Option<Descriptor>,
            #[serde(default)]
            layers: Option<Vec<Descriptor>>,
            #[serde(default)]
            manifests: Option<Vec<Descriptor>>,
            #[serde(default)]
            annotations: Option<BTreeMap<String, String>>,
            #[serde(default)]
            fs_layers: Option<serde::de::IgnoredAny>,
        }
        let raw: Raw = serde_json::from_slice(bytes).map_err(|_| Unusable("can't be read"))?;
        // What one reader takes for an index and another for a manifest could hide something else from each.
        if raw.manifests.is_some() && (raw.layers.is_some() || raw.config.is_some()) {
            return Err(Unusable("says that it is both an index and a manifest"));
        }
        let is_said = |text: &str| text.starts_with("application/vnd.");
        if let Some(own) = raw.media_type.as_deref()
            && is_said(own)
            && is_said(media_type)
            && own != media_type
        {
            return Err(Unusable("names another media type than its registry does"));
        }
        let annotations = pairs(raw.annotations.unwrap_or_default());
        match (raw.manifests, raw.layers) {
            (Some(entries), _) if entries.len() <= ENTRIES => Ok(Self::Index { entries, annotations }),
            (None, Some(layers)) if layers.len() <= ENTRIES => {
                Ok(Self::Manifest { config: raw.config, layers, annotations })
            }
            (None, None) if raw.fs_layers.is_some() => {
                Err(Unusable("has the form of before 2017, which current Docker versions don't pull either"))
            }
            (None, None) if raw.config.is_some() => {
                Ok(Self::Manifest { config: raw.config, layers: Vec::new(), annotations })
            }
            (None, None) => Err(Unusable("is neither an index nor a manifest")),
            _ => Err(Unusable("has more than 1000 entries")),
        }
    }
}

/// Names and values, fit to be shown.
pub(super) fn pairs(all: BTreeMap<String, String>) -> Vec<(String, String)> {
    all.into_iter().take(PAIRS).map(|(name, value)| (clean(&name, NAME), clean(&value, VALUE))).collect()
}

/// At most so many characters, none of them a control or invisible one.
pub(super) fn clean(text: &str, longest: usize) -> String {
    let text = text.trim_matches(|c: char| c.is_whitespace() || is_hidden(c));
    let mut shown: String = text.chars().map(|c| if is_hidden(c) { ' ' } else { c }).take(longest).collect();
    if text.chars().nth(longest).is_some() {
        shown.pop();
        shown.push('…');
    }
    shown
}

/// JSON's `null` is a missing value.
pub(super) fn or_default<'de, T: DeserializeOwned + Default, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

    fn refused(text: &str) -> &'static str {
        Document::parse(text.as_bytes(), MANIFEST).expect_err("refused").0
    }

    #[test]
    fn what_means_two_things_is_refused() {
        assert!(refused(r#"{"layers":[],"manifests":[]}"#).contains("both"));
        assert!(refused(r#"{"config":null,"layers":null,"manifests":null}"#).contains("neither"));
        assert!(refused(r#"{"mediaType":"application/vnd.oci.image.index.v1+json","layers":[]}"#).contains("another"));
        assert!(refused(r#"{"schemaVersion":1,"fsLayers":[{"blobSum":"x"}]}"#).contains("2017"));
        assert!(refused("[]").contains("neither") && refused("[").contains("read") && refused("").contains("read"));
        let digest = format!("sha256:{}", "a".repeat(64));
        let entry = format!(r#"{{"digest":"{digest}"}}"#);
        let many = vec![entry.as_str(); 1_001].join(",");
        assert!(refused(&format!(r#"{{"layers":[{many}]}}"#)).contains("1000"));
        assert!(refused(r#"{"layers":[{"digest":"../../x"}]}"#).contains("read"));
    }

    #[test]
    fn entries_are_images_indexes_or_attestations() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let entry = |rest: &str| {
            let text = format!(r#"{{"digest":"{digest}","size":7{rest}}}"#);
            serde_json::from_str::<Descriptor>(&text).unwrap_or_else(|error| panic!("{text}: {error}")).entry()
        };
        let platform = r#","platform":{"os":"linux","architecture":"arm64","variant":"v8"}"#;
        assert!(matches!(entry(platform), Entry::Image(Some(it)) if it.as_str() == "linux/arm64"));
        assert!(matches!(entry(r#","platform":null"#), Entry::Image(None)));
        assert!(matches!(entry(r#","mediaType":"application/vnd.oci.image.index.v1+json""#), Entry::Index));
        let attestation = format!(
            r#","platform":{{"os":"unknown","architecture":"unknown"}},"annotations":{{"vnd.docker.reference.type":"attestation-manifest","vnd.docker.reference.digest":"{digest}"}}"#
        );
        assert!(matches!(entry(&attestation), Entry::Attestation(Some(about)) if about.as_str() == digest));
    }

    #[test]
    fn text_is_made_fit_to_be_shown() {
        assert_eq!(clean(" a\x1b[31m\u{202e}b ", 9), "a [31m b");
        assert_eq!(clean("abcdef", 3), "ab…");
        let many = (0..500).map(|n| (n.to_string(), "x".repeat(5_000))).collect();
        let kept = pairs(many);
        assert!(kept.len() == PAIRS && kept.iter().all(|(_, value)| value.chars().count() == VALUE));
    }
}
