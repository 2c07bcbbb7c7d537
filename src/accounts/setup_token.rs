//! The one-time token of the first run: 160 random bits, shown once in the log, kept as a hash, valid for an hour.

use crate::clock::random_hex;
use crate::http::session::hash_id;
use app::error::FieldError;
use subtle::ConstantTimeEq as _;

/// How long a token is good for.
pub const VALID_SECONDS: i64 = 60 * 60;

/// What the database keeps of it.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Of the token.
    pub hash: Vec<u8>,
    /// Unix seconds.
    pub expires_at: i64,
}

/// A new token.
pub fn new() -> String {
    random_hex::<20>()
}

/// What is kept of a token, or compared with what is kept. White space around a pasted token doesn't count.
pub fn hash(token: &str) -> [u8; 32] {
    hash_id(token.trim())
}

/// Whether the given token is the one in the log and still good.
pub fn check(stored: Option<&Stored>, given: &[u8; 32], now: i64) -> Result<(), FieldError> {
    let wrong = "This is not the set-up token. Copy it from the newest line in Slipway's log that says “Set-up token”.";
    let is_same = stored.is_some_and(|stored| stored.hash.as_slice().ct_eq(given).into());
    match stored {
        Some(stored) if is_same && now < stored.expires_at => Ok(()),
        Some(_) if is_same => {
            Err(FieldError::new("token", "This token is older than an hour. Restart Slipway: its log shows a new one."))
        }
        _ => Err(FieldError::new("token", wrong)),
    }
}
