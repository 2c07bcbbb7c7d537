//! Digests of bytes.

use super::{Access, OciError};
use app::model::image_ref::Digest;
use app::model::text::hex;
use sha2::Digest as _;

/// Whether it is SHA-512; else it is SHA-256.
pub(super) fn is_long(digest: &Digest) -> bool {
    digest.as_str().starts_with("sha512:")
}

/// The digest of bytes.
pub fn of(access: &Access, bytes: &[u8], is_long: bool) -> Result<Digest, OciError> {
    let text = if is_long {
        format!("sha512:{}", hex(&sha2::Sha512::digest(bytes)))
    } else {
        format!("sha256:{}", hex(&sha2::Sha256::digest(bytes)))
    };
    text.parse().map_err(|_| access.unexpected("a digest that couldn't be computed"))
}

/// Refuses bytes that aren't those that were asked for.
pub(super) fn check(access: &Access, asked: &Digest, bytes: &[u8]) -> Result<(), OciError> {
    let got = of(access, bytes, is_long(asked))?;
    if got == *asked { Ok(()) } else { Err(lie(access, asked, &got)) }
}

/// What a registry is told that gives something else.
pub(super) fn lie(access: &Access, asked: &Digest, got: &Digest) -> OciError {
    access.unexpected(format!("the digest {} instead of {}", got.brief(), asked.brief()))
}
