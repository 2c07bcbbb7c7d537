//! New registries as programs ask for them, and how that becomes the form that people fill in.

use crate::http::api::extract::{Wish, typed};
use app::error::FieldError;
use app::model::registry::{ManagedForm, RegistryForm};
use app::model::secret::Secret;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A new registry: one that somebody else runs, or one that Slipway runs.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(discriminator(property_name = "kind", mapping(
    ("external" = "#/components/schemas/NewExternal"),
    ("managed" = "#/components/schemas/NewManaged"),
)))]
pub enum NewRegistry {
    External(NewExternal),
    Managed(NewManaged),
}

/// `external`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ExternalKind {
    External,
}

/// `managed`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ManagedKind {
    Managed,
}

/// A registry that somebody else runs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewExternal {
    #[expect(dead_code, reason = "it tells the two apart")]
    kind: ExternalKind,
    /// What people call it.
    name: String,
    /// The id of the credential with which to sign in; it carries the host.
    credential: String,
    /// What comes before `<project>/<service>` in names of images.
    #[serde(default)]
    base_path: String,
    /// Builds use it when nothing else is chosen. The first registry always is.
    #[serde(default)]
    is_default: bool,
    /// Platforms that builds to it produce, such as `linux/arm64`; empty: the one of the engine that builds.
    #[serde(default)]
    platforms: Vec<String>,
}

/// A registry that Slipway runs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewManaged {
    #[expect(dead_code, reason = "it tells the two apart")]
    kind: ManagedKind,
    /// What people call it.
    name: String,
    /// Builds use it when nothing else is chosen. The first registry always is.
    #[serde(default)]
    is_default: bool,
    /// Platforms that builds to it produce, such as `linux/arm64`; empty: the one of the engine that builds.
    #[serde(default)]
    platforms: Vec<String>,
    /// The registry image; empty: the tested one.
    #[serde(default)]
    image: String,
    /// The port on every node; left out: a free one.
    #[serde(default)]
    #[schema(minimum = 1024)]
    port: Option<u16>,
    /// A name under which a reverse proxy shows it.
    #[serde(default)]
    domain: String,
    /// What keeps the images; left out: a new volume.
    #[serde(default)]
    storage: NewStorage,
}

/// What keeps the images.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum NewStorage {
    /// A volume on one node.
    Volume {
        /// One that exists already; empty: a new one.
        #[serde(default)]
        volume: String,
    },
    /// A bucket of an S3-compatible store. It is tried out before anything is kept.
    S3 {
        /// The region; may be left out where the store has none.
        #[serde(default)]
        region: String,
        /// The store's address; empty: Amazon's own.
        #[serde(default)]
        endpoint: String,
        /// The bucket.
        bucket: String,
        /// What comes before every key.
        #[serde(default)]
        prefix: String,
        /// `endpoint/bucket` instead of `bucket.endpoint`.
        #[serde(default)]
        path_style: bool,
        /// The key's id.
        #[schema(value_type = String, format = Password, write_only)]
        access_key: Secret,
        /// The key.
        #[schema(value_type = String, format = Password, write_only)]
        secret_key: Secret,
        /// Ask the store to encrypt what it keeps.
        #[serde(default)]
        encrypt: bool,
        /// Allow private addresses and plain HTTP.
        #[serde(default)]
        internal_network: bool,
    },
}

impl Default for NewStorage {
    fn default() -> Self {
        Self::Volume { volume: String::new() }
    }
}

impl Wish for NewRegistry {
    /// By `kind`, so that errors are about the one that was meant.
    fn read(value: Value) -> Result<Self, FieldError> {
        match value.get("kind").and_then(Value::as_str) {
            Some("external") => typed(value).map(Self::External),
            Some("managed") => typed(value).map(Self::Managed),
            _ => Err(FieldError::new("kind", "Send external or managed.")),
        }
    }
}

fn ticked(is_ticked: bool) -> Option<String> {
    is_ticked.then(|| "on".to_owned())
}

impl From<NewExternal> for RegistryForm {
    fn from(wish: NewExternal) -> Self {
        Self {
            name: wish.name,
            credential: wish.credential,
            base_path: wish.base_path,
            is_default: ticked(wish.is_default),
            platforms: wish.platforms.join(","),
        }
    }
}

impl From<NewManaged> for ManagedForm {
    fn from(wish: NewManaged) -> Self {
        let mut form = Self {
            name: wish.name,
            is_default: ticked(wish.is_default),
            multi_arch: ticked(!wish.platforms.is_empty()),
            platforms: wish.platforms.join(","),
            image: wish.image,
            port: wish.port.map(|port| port.to_string()).unwrap_or_default(),
            domain: wish.domain,
            ..Self::default()
        };
        match wish.storage {
            NewStorage::Volume { volume } => {
                form.storage = "volume".into();
                form.volume = volume;
            }
            NewStorage::S3 {
                region,
                endpoint,
                bucket,
                prefix,
                path_style,
                access_key,
                secret_key,
                encrypt,
                internal_network,
            } => {
                form.storage = "s3".into();
                form.s3_region = region;
                form.s3_endpoint = endpoint;
                form.s3_bucket = bucket;
                form.s3_prefix = prefix;
                form.s3_path_style = ticked(path_style);
                form.s3_access_key = access_key;
                form.s3_secret_key = secret_key;
                form.s3_encrypt = ticked(encrypt);
                form.s3_internal = ticked(internal_network);
            }
        }
        form
    }
}

/// A field of the form by the name that programs know.
pub fn field(name: &str) -> String {
    match name {
        "volume" => "storage.volume".into(),
        "s3_internal" => "storage.internal_network".into(),
        "multi_arch" => "platforms".into(),
        name => match name.strip_prefix("s3_") {
            Some(rest) => format!("storage.{rest}"),
            None => name.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn managed(value: Value) -> ManagedForm {
        match NewRegistry::read(value) {
            Ok(NewRegistry::Managed(wish)) => wish.into(),
            Ok(NewRegistry::External(_)) => panic!("the other kind"),
            Err(error) => panic!("{error:?}"),
        }
    }

    #[test]
    fn a_bucket_and_a_volume_become_the_same_form_that_people_fill_in() {
        let form = managed(json!({
            "kind": "managed", "name": "Ours", "platforms": ["linux/amd64", "linux/arm64"], "port": 5001,
            "storage": { "kind": "s3", "region": "eu-1", "endpoint": "https://s3.example", "bucket": "b",
                         "access_key": "id", "secret_key": "hunter2", "path_style": true, "internal_network": true },
        }));
        assert_eq!((form.storage.as_str(), form.s3_bucket.as_str(), form.port.as_str()), ("s3", "b", "5001"));
        assert_eq!(form.s3_secret_key.expose("the test compares it"), "hunter2");
        assert!(form.s3_path_style.is_some() && form.s3_internal.is_some() && form.s3_encrypt.is_none());
        assert_eq!((form.platforms.as_str(), form.multi_arch.is_some()), ("linux/amd64,linux/arm64", true));
        let form = managed(json!({ "kind": "managed", "name": "Ours" }));
        assert_eq!((form.storage.as_str(), form.volume.as_str(), form.port.as_str()), ("volume", "", ""));
        assert!(form.multi_arch.is_none() && form.is_default.is_none());
    }

    #[test]
    fn what_is_wrong_is_told_at_its_field() {
        for (value, wrong) in [
            (json!({}), "kind"),
            (json!({ "kind": "internal" }), "kind"),
            (json!({ "kind": "external", "name": "a" }), "credential"),
            (json!({ "kind": "external", "name": "a", "credential": "c", "storage": {} }), "storage"),
            (json!({ "kind": "managed", "name": "a", "credential": "c" }), "credential"),
            (json!({ "kind": "managed", "name": "a", "port": "5000" }), "port"),
            (
                json!({ "kind": "managed", "name": "a", "storage": { "kind": "s3", "access_key": "a", "secret_key": "s" } }),
                "storage.bucket",
            ),
            (
                json!({ "kind": "managed", "name": "a", "storage": { "kind": "volume", "bucket": "b" } }),
                "storage.bucket",
            ),
            (json!({ "kind": "managed", "name": "a", "storage": { "kind": "tape" } }), "storage"),
        ] {
            let text = value.to_string();
            let error = NewRegistry::read(value).err().unwrap_or_else(|| panic!("{text} was taken"));
            assert!(error.field.starts_with(wrong), "{text}: {error:?}");
        }
        assert_eq!(field("s3_secret_key"), "storage.secret_key");
        assert_eq!(field("name"), "name");
    }
}
