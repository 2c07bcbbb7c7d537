//! What is typed for a registry that Slipway runs.

use super::{S3Place, platforms};
use crate::error::FieldError;
use crate::model::image_ref::{ImageRef, RegistryHost};
use crate::model::platform::Platform;
use crate::model::secret::Secret;
use crate::model::text;
use serde::{Deserialize, Serialize};

/// What the form sends, for a new one and for an edit.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ManagedForm {
    /// What people call it.
    pub name: String,
    /// Present when ticked.
    pub is_default: Option<String>,
    /// Present when builds to it produce several platforms.
    pub multi_arch: Option<String>,
    /// Which platforms, with commas.
    pub platforms: String,
    /// The registry image; empty: the tested one.
    pub image: String,
    /// The port on every node; empty: a free one.
    pub port: String,
    /// A name under which a reverse proxy shows it; may be empty.
    pub domain: String,
    /// `volume` or `s3`.
    pub storage: String,
    /// A volume that exists already; empty: a new one.
    pub volume: String,
    /// The bucket's region.
    pub s3_region: String,
    /// The store's address; empty: Amazon's own.
    pub s3_endpoint: String,
    /// The bucket.
    pub s3_bucket: String,
    /// What comes before every key.
    pub s3_prefix: String,
    /// Present when ticked.
    pub s3_path_style: Option<String>,
    /// The key's id; empty in an edit: the kept one.
    pub s3_access_key: Secret,
    /// The key; empty in an edit: the kept one.
    pub s3_secret_key: Secret,
    /// Present when ticked.
    pub s3_encrypt: Option<String>,
    /// Present when ticked.
    pub s3_internal: Option<String>,
}

/// A bucket and how to sign in there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Fields {
    /// Where.
    pub place: S3Place,
    /// The key's id; empty: the kept one.
    pub access_key: Secret,
    /// The key; empty: the kept one.
    pub secret_key: Secret,
}

/// What keeps the images, as asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageFields {
    /// A volume; a name when one that exists already is to be used.
    Volume(Option<String>),
    /// A bucket.
    S3(S3Fields),
}

/// The fields, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedFields {
    /// What people call it.
    pub name: String,
    /// Builds use it when nothing else is chosen.
    pub is_default: bool,
    /// Platforms that builds to it produce; empty: the one of the engine that builds.
    pub platforms: Vec<Platform>,
    /// The registry image; None: the tested one.
    pub image: Option<ImageRef>,
    /// The port; None: a free one.
    pub port: Option<u16>,
    /// A name under which a reverse proxy shows it.
    pub domain: Option<RegistryHost>,
    /// What keeps the images.
    pub storage: StorageFields,
}

impl ManagedForm {
    /// All broken rules at once, or the fields. `is_new`: keys of a bucket have to be typed.
    pub fn validated(self, is_new: bool) -> Result<ManagedFields, Vec<FieldError>> {
        let mut errors = Vec::new();
        let name = text::name("name", &self.name, 60).map_err(|error| errors.push(error)).unwrap_or_default();
        let wants = if self.multi_arch.is_some() { self.platforms.as_str() } else { "" };
        let platforms = platforms("platforms", wants).map_err(|error| errors.push(error)).unwrap_or_default();
        if self.multi_arch.is_some() && platforms.is_empty() && errors.iter().all(|error| error.field != "platforms") {
            errors.push(FieldError::new("platforms", "Name the platforms, such as linux/amd64, linux/arm64."));
        }
        let image = optional("image", &self.image, &mut errors);
        let port = port(&self.port).map_err(|error| errors.push(error)).unwrap_or_default();
        let domain: Option<RegistryHost> = optional("domain", &self.domain, &mut errors);
        let storage = match self.storage.as_str() {
            "" | "volume" => StorageFields::Volume(volume(&self.volume).unwrap_or_else(|error| {
                errors.push(error);
                None
            })),
            "s3" => StorageFields::S3(self.s3(is_new, &mut errors)),
            _ => {
                errors.push(FieldError::new("storage", "Choose a volume or a bucket."));
                StorageFields::Volume(None)
            }
        };
        let is_default = self.is_default.is_some();
        if errors.is_empty() {
            Ok(ManagedFields { name, is_default, platforms, image, port, domain, storage })
        } else {
            Err(errors)
        }
    }
}

fn optional<T>(field: &str, text: &str, errors: &mut Vec<FieldError>) -> Option<T>
where
    T: std::str::FromStr<Err = crate::model::image_ref::Malformed>,
{
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    text.parse().map_err(|error: crate::model::image_ref::Malformed| errors.push(FieldError::new(field, error.0))).ok()
}

fn port(text: &str) -> Result<Option<u16>, FieldError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse() {
        Ok(port) if port >= 1024 => Ok(Some(port)),
        _ => Err(FieldError::new("port", "Write a number from 1024 to 65535, or leave it empty for a free one.")),
    }
}

/// Docker's own rule for names of volumes.
fn volume(text: &str) -> Result<Option<String>, FieldError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let first = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let rest = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if first && rest && (2..=200).contains(&text.len()) {
        Ok(Some(text.to_owned()))
    } else {
        Err(FieldError::new("volume", "A volume's name has letters, digits, dots, dashes and underscores."))
    }
}

/// What a form for a new one begins with, found by looking.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestions {
    /// A free port.
    pub port: u16,
    /// The tested image.
    pub image: String,
    /// How it would be reached, and why, in a sentence.
    pub reach: String,
    /// Where a volume would be, in a sentence.
    pub node: String,
    /// The platforms of the nodes.
    pub platforms: Vec<Platform>,
    /// Volumes of deleted registries that were kept.
    pub volumes: Vec<String>,
}
