//! Replaces secrets in text before it is written anywhere.
//!
//! A secret shows up in other clothes too: in base64 at any of its three alignments (as inside `user:password`),
//! percent-encoded in an address, escaped in JSON. All of them are looked for.

use aho_corasick::{AhoCorasick, MatchKind};
use app::model::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::RwLock;

/// What stands where a secret was.
pub const MASK: &str = "•••";
/// Encoded forms of shorter secrets would hide ordinary words.
const SHORTEST_ENCODED: usize = 4;

/// The secrets of one job.
#[derive(Default)]
pub(super) struct Masks {
    inner: RwLock<Patterns>,
}

#[derive(Default)]
struct Patterns {
    texts: BTreeSet<Vec<u8>>,
    longest: usize,
    search: Option<AhoCorasick>,
}

impl Masks {
    /// From now on this value is masked.
    pub(super) fn add(&self, secret: &Secret) {
        let value = secret.expose("its forms are looked for in log lines");
        if value.is_empty() {
            return;
        }
        let mut inner = self.inner.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        inner.texts.extend(forms(value));
        inner.longest = inner.texts.iter().map(Vec::len).max().unwrap_or(0);
        inner.search = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&inner.texts).ok();
    }

    /// The text without secrets.
    pub(super) fn apply(&self, text: &str) -> String {
        let inner = self.inner.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &inner.search {
            Some(search) => search.replace_all(text, &vec![MASK; inner.texts.len()]),
            // Patterns that can't be searched for hide everything rather than nothing.
            None if !inner.texts.is_empty() => MASK.to_owned(),
            None => text.to_owned(),
        }
    }

    /// Where `bytes` may be cut so that no secret is cut in two: at `at` or before. What follows stays for later.
    pub(super) fn cut(&self, bytes: &[u8], at: usize) -> usize {
        let inner = self.inner.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let at = at.min(bytes.len().saturating_sub(inner.longest));
        let Some(search) = &inner.search else { return at };
        search.find_iter(bytes).find(|found| found.end() > at).map_or(at, |found| at.min(found.start()))
    }
}

/// The value and the forms it takes, as bytes to look for.
fn forms(value: &str) -> BTreeSet<Vec<u8>> {
    let mut forms = BTreeSet::from([value.to_owned()]);
    // Lines are looked at one by one, so each line of a longer secret counts.
    forms.extend(value.lines().filter(|line| line.len() >= SHORTEST_ENCODED).map(str::to_owned));
    if let Ok(json) = serde_json::to_string(value) {
        forms.insert(json.trim_matches('"').to_owned());
    }
    if value.len() >= SHORTEST_ENCODED {
        for before in 0..3 {
            let mut shifted = vec![0; before];
            shifted.extend_from_slice(value.as_bytes());
            // Only the characters that depend on nothing but the secret: 6 bits each.
            let (first, last) = ((before * 8).div_ceil(6), shifted.len() * 8 / 6);
            for text in [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
                forms.insert(text[first..last].to_owned());
            }
        }
        for (keep, upper) in [("-._~", true), ("-._~", false), ("-._~!$&'()*+,;=:@/", true), ("-_.*", true)] {
            forms.insert(percent(value, keep, upper));
        }
        forms.insert(value.bytes().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        }));
    }
    forms.into_iter().filter(|form| !form.is_empty()).map(String::into_bytes).collect()
}

fn percent(value: &str, keep: &str, upper: bool) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || keep.as_bytes().contains(&byte) {
            text.push(char::from(byte));
        } else if upper {
            let _ = write!(text, "%{byte:02X}");
        } else {
            let _ = write!(text, "%{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks(values: &[&str]) -> Masks {
        let masks = Masks::default();
        for value in values {
            masks.add(&Secret::new((*value).to_owned()));
        }
        masks
    }

    #[test]
    fn a_secret_is_hidden_in_all_its_forms() {
        let secret = "pä$$/w0rd+?~%\"x";
        let masks = masks(&[secret]);
        let around = ["", "a", "ab", "user:"];
        let mut texts =
            vec![secret.to_owned(), percent(secret, "-._~", true), serde_json::to_string(secret).expect("json")];
        for before in around {
            for after in around {
                texts.push(STANDARD_NO_PAD.encode(format!("{before}{secret}{after}")));
                texts.push(URL_SAFE_NO_PAD.encode(format!("{before}{secret}{after}")));
            }
        }
        for text in texts {
            let masked = masks.apply(&format!("> {text} <"));
            assert!(masked.contains(MASK), "{text}");
            assert!(masked.len() <= text.len().min(16) + MASK.len() + 4, "{masked} shows too much of {text}");
            assert!(!masked.contains(secret));
        }
    }

    #[test]
    fn the_longest_secret_wins_and_other_text_stays() {
        let masks = masks(&["abc", "abcdef", "x"]);
        assert_eq!(masks.apply("1 abcdef 2 abc 3"), "1 ••• 2 ••• 3");
        assert_eq!(masks.apply("nothing here"), "nothing here");
        assert_eq!(Masks::default().apply("free"), "free");
    }

    #[test]
    fn a_cut_never_splits_a_secret() {
        let masks = masks(&["secret-token"]);
        let text = b"0123456789secret-token0123456789012345678901234567890123456789";
        for at in 0..text.len() {
            let cut = masks.cut(text, at);
            assert!(cut <= 10 || cut >= 22, "cut at {cut}");
            assert!(cut <= at);
        }
    }
}
