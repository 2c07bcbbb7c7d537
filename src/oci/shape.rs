//! Whether a manifest is one thing alone. Pure.
//!
//! A document that is an image to one reader and an index to another hides one of the two (GHSA-77vh-xpmg-72qh,
//! GHSA-qq97-vm5h-rrhg). What must always hold: what passes here is read the same way by everybody.

use serde::Deserialize;
use serde::de::IgnoredAny;

/// Manifests that one index may have.
const MOST_ENTRIES: usize = 1_000;

const INDEXES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
const IMAGES: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];

/// The fields that decide what a document is. A field that stands in it twice is refused, as by all `serde` structures.
#[derive(Deserialize)]
pub(super) struct Shape {
    #[serde(default, rename = "mediaType")]
    media_type: Option<String>,
    #[serde(default)]
    manifests: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    layers: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    config: Option<IgnoredAny>,
}

impl Shape {
    /// The media type that header and body agree on; else why the document is refused.
    pub fn read(body: &[u8], header: &str) -> Result<String, &'static str> {
        let shape: Self = serde_json::from_slice(body).map_err(|_| "a manifest that isn't one")?;
        let is_index = shape.manifests.is_some();
        if is_index && (shape.layers.is_some() || shape.config.is_some()) {
            return Err("a manifest that is an image and an index at once");
        }
        if shape.manifests.is_some_and(|entries| entries.len() > MOST_ENTRIES) {
            return Err("an index of more than 1000 manifests");
        }
        // What servers say that don't know what they serve.
        let header = match header {
            "application/json" | "application/octet-stream" | "text/plain" => "",
            header => header,
        };
        let inside = shape.media_type.as_deref().unwrap_or_default();
        if !header.is_empty() && !inside.is_empty() && header != inside {
            return Err("a manifest whose media type isn't the one in its header");
        }
        let kind = if inside.is_empty() { header } else { inside };
        let is_image = shape.layers.is_some();
        if (INDEXES.contains(&kind) && is_image) || (IMAGES.contains(&kind) && is_index) {
            return Err("a manifest that isn't what its media type says");
        }
        Ok(match kind {
            "" if is_index => INDEXES[0],
            "" if is_image => IMAGES[0],
            kind => kind,
        }
        .to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The conformance cases of REGISTRIES §9.10.
    #[test]
    fn a_document_is_one_thing() {
        let [index, list] = INDEXES;
        let [image, docker] = IMAGES;
        let typed = |kind: &str, rest: &str| format!(r#"{{"schemaVersion":2,"mediaType":"{kind}",{rest}}}"#);
        for (body, header, expected) in [
            (typed(image, r#""config":{},"layers":[]"#), image, Ok(image)),
            (typed(docker, r#""config":{},"layers":[]"#), docker, Ok(docker)),
            (typed(index, r#""manifests":[]"#), index, Ok(index)),
            (typed(list, r#""manifests":[{}]"#), list, Ok(list)),
            (r#"{"config":{},"layers":[]}"#.into(), "", Ok(image)),
            (r#"{"manifests":[]}"#.into(), "", Ok(index)),
            (r#"{"manifests":[]}"#.into(), list, Ok(list)),
            (r#"{"layers":[],"manifests":null}"#.into(), "text/plain", Ok(image)),
            (typed(image, r#""layers":[]"#), "application/json", Ok(image)),
            ("{}".into(), "", Ok("")),
            (r#"{"layers":[],"manifests":[]}"#.into(), image, Err("at once")),
            (r#"{"config":{},"manifests":[]}"#.into(), index, Err("at once")),
            (typed(index, r#""manifests":[]"#), image, Err("in its header")),
            (typed(image, r#""layers":[]"#), docker, Err("in its header")),
            (typed(index, r#""layers":[]"#), index, Err("what its media type says")),
            (r#"{"manifests":[]}"#.into(), image, Err("what its media type says")),
            (typed(image, r#""manifests":[]"#), "", Err("what its media type says")),
            (r#"{"layers":[],"layers":[]}"#.into(), image, Err("isn't one")),
            (typed(image, &format!(r#""mediaType":"{index}","layers":[]"#)), image, Err("isn't one")),
            (r#"{"manifests":{}}"#.into(), index, Err("isn't one")),
            ("[1]".into(), index, Err("isn't one")),
            ("<html>".into(), index, Err("isn't one")),
            (format!(r#"{{"manifests":[{}{{}}]}}"#, "{},".repeat(999)), index, Ok(index)),
            (format!(r#"{{"manifests":[{}{{}}]}}"#, "{},".repeat(1_000)), index, Err("1000")),
        ] {
            let short = &body[..body.len().min(120)];
            match (Shape::read(body.as_bytes(), header), expected) {
                (Ok(kind), Ok(expected)) => assert_eq!(kind, expected, "{short} {header}"),
                (Err(reason), Err(part)) => assert!(reason.contains(part), "{short} {header}: {reason}"),
                (found, expected) => panic!("{short} {header}: {found:?} instead of {expected:?}"),
            }
        }
    }
}
