//! The text of a token: `slw_` and 43 letters and digits, which hold 256 random bits. Every one is as long as any other.

use crate::clock::random;
use app::model::secret::Secret;
use app::model::token::PREFIX;
use sha2::{Digest as _, Sha256};

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The fewest digits that hold every number of 256 bits.
const LENGTH: usize = 43;

/// A new one.
pub(super) fn new() -> Secret {
    Secret::new(written(random()))
}

/// The number in base 62, all digits.
fn written(mut number: [u8; 32]) -> String {
    let mut text = String::with_capacity(PREFIX.len() + LENGTH);
    text.push_str(PREFIX);
    for _ in 0..LENGTH {
        let mut rest: u16 = 0;
        for byte in &mut number {
            let value = rest * 256 + u16::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            rest = value % 62;
        }
        text.push(char::from(DIGITS[usize::from(rest)]));
    }
    text
}

/// Under what it is kept. None: this is no token, so there is nothing to look up.
pub(super) fn hash(text: &Secret) -> Option<[u8; 32]> {
    let text = text.expose("its hash is looked up");
    let digits = text.strip_prefix(PREFIX)?;
    let is_one = digits.len() == LENGTH && digits.bytes().all(|digit| digit.is_ascii_alphanumeric());
    is_one.then(|| Sha256::digest(text.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_alike_and_differ() {
        let (one, two) = (new(), new());
        assert_ne!(one, two);
        assert_eq!((one.len(), two.len()), (47, 47));
        assert!(hash(&one).is_some() && hash(&one) != hash(&two));
        assert_eq!(written([0; 32]), format!("slw_{}", "0".repeat(43)));
        let largest = written([255; 32]);
        assert!(largest.len() == 47 && !largest.ends_with('0'), "{largest}: the last digit counts most and fits");
        let mut seven = [0; 32];
        seven[31] = 7;
        assert!(written(seven).starts_with("slw_70"));
    }

    #[test]
    fn what_is_no_token_is_not_looked_up() {
        for text in ["", "slw_", "slw_short", "Bearer", &format!("slw_{}", "é".repeat(43)), &"0".repeat(47)] {
            assert_eq!(hash(&Secret::new(text.to_owned())), None, "{text}");
        }
        assert_eq!(hash(&Secret::new(format!("slw_{}", "0".repeat(44)))), None);
    }
}
