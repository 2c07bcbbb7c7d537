//! The order of tags by version: `latest`, then versions from the highest on, then other names, then commit hashes.
//!
//! `1.10` is above `1.9`, a `v` in front doesn't count, a variant (`1.27-alpine`) follows its release, a pre-release
//! (`2.0.0-rc.1`) follows both.

use app::model::build_options::CACHE_TAG;
use std::cmp::Ordering;

/// Words that make a suffix a pre-release; anything else is a variant.
const BEFORE_RELEASE: [&str; 14] = [
    "alpha",
    "beta",
    "rc",
    "pre",
    "preview",
    "dev",
    "snapshot",
    "nightly",
    "canary",
    "milestone",
    "next",
    "unstable",
    "edge",
    "cr",
];

/// What kind of tag it is, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Latest,
    Version,
    Name,
    Hash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Release,
    Variant,
    BeforeRelease,
}

/// What decides about a tag's place; made once for each tag.
#[derive(Clone, Debug)]
pub(super) struct Rank {
    kind: Kind,
    numbers: [u64; 4],
    parts: u8,
    stage: Stage,
    /// Where the rest behind the numbers begins.
    rest: u8,
}

impl Rank {
    pub(super) fn of(tag: &str) -> Self {
        let kind = |kind| Self { kind, numbers: [0; 4], parts: 0, stage: Stage::Release, rest: 0 };
        if tag == "latest" {
            return kind(Kind::Latest);
        }
        if is_hash(tag) {
            return kind(Kind::Hash);
        }
        version(tag).unwrap_or_else(|| kind(Kind::Name))
    }

    /// The order of two tags with their ranks.
    pub(super) fn order(&self, tag: &str, other: &Self, other_tag: &str) -> Ordering {
        let rest = |rank: &Self, tag| str::get(tag, usize::from(rank.rest)..).unwrap_or_default();
        self.kind
            .cmp(&other.kind)
            .then_with(|| other.numbers.cmp(&self.numbers))
            .then_with(|| self.stage.cmp(&other.stage))
            .then_with(|| self.parts.cmp(&other.parts))
            .then_with(|| {
                let order = natural(rest(self, tag), rest(other, other_tag));
                if self.stage == Stage::BeforeRelease { order.reverse() } else { order }
            })
            .then_with(|| tag.cmp(other_tag))
    }
}

/// `[v]1[.2[.3[.4]]][rest]`.
fn version(tag: &str) -> Option<Rank> {
    let bytes = tag.as_bytes();
    let mut at = usize::from(matches!(bytes.first(), Some(b'v' | b'V')));
    let mut rank = Rank { kind: Kind::Version, numbers: [0; 4], parts: 0, stage: Stage::Release, rest: 0 };
    loop {
        let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            break;
        }
        rank.numbers[usize::from(rank.parts)] = tag[at..at + digits].parse().unwrap_or(u64::MAX);
        rank.parts += 1;
        at += digits;
        let goes_on =
            rank.parts < 4 && bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        if !goes_on {
            break;
        }
        at += 1;
    }
    if rank.parts == 0 {
        return None;
    }
    rank.rest = u8::try_from(at).ok()?;
    rank.stage = stage(&tag[at..]);
    Some(rank)
}

fn stage(rest: &str) -> Stage {
    if rest.is_empty() {
        return Stage::Release;
    }
    let mut words = rest.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    let is_before = |word: &str| BEFORE_RELEASE.iter().any(|known| known.eq_ignore_ascii_case(word));
    // Python writes 1.0a1, 1.0b2.
    let short =
        rest.len() > 1 && rest.starts_with(['a', 'b', 'm']) && rest[1..].bytes().all(|byte| byte.is_ascii_digit());
    if short || words.any(is_before) { Stage::BeforeRelease } else { Stage::Variant }
}

/// `5f3a9c1`, `sha-5f3a9c1`: a commit, not a version. Digits alone are a number.
fn is_hash(tag: &str) -> bool {
    let (marked, hex) = match ["sha-", "git-", "commit-", "sha256-"].iter().find_map(|prefix| tag.strip_prefix(prefix))
    {
        Some(hex) => (true, hex),
        None => (false, tag),
    };
    let is_hex = (7..=64).contains(&hex.len()) && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_hex
        && (marked
            || (hex.bytes().any(|byte| byte.is_ascii_digit()) && hex.bytes().any(|byte| byte.is_ascii_alphabetic())))
}

/// By letters, and by value where both have a number.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        let (Some(first_a), Some(first_b)) = (a.first(), b.first()) else {
            return a.len().cmp(&b.len());
        };
        if first_a.is_ascii_digit() && first_b.is_ascii_digit() {
            let (number_a, rest_a) = number(a);
            let (number_b, rest_b) = number(b);
            let order = number_a.len().cmp(&number_b.len()).then_with(|| number_a.cmp(number_b));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (rest_a, rest_b);
        } else {
            let order = first_a.to_ascii_lowercase().cmp(&first_b.to_ascii_lowercase());
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (&a[1..], &b[1..]);
        }
    }
}

/// A number in front without its zeros, and what follows.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let zeros = text[..end].iter().take_while(|byte| **byte == b'0').count();
    (&text[zeros..end], &text[end..])
}

/// Tags that nobody deploys: the cache of builds, and those that stand for signatures and attestations of another image
/// (cosign's and the referrers fallback), `sha256-<hex>` with or without an ending.
pub(super) fn is_no_image(tag: &str) -> bool {
    if tag == CACHE_TAG {
        return true;
    }
    let Some((algorithm, rest)) = tag.split_once('-') else { return false };
    let length = match algorithm {
        "sha256" => 64,
        "sha512" => 128,
        _ => return false,
    };
    let hex = rest.split('.').next().unwrap_or_default();
    hex.len() == length.min(rest.len()) && hex.len() >= 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(tags: &[&str]) -> Vec<String> {
        let mut ranked: Vec<(Rank, &str)> = tags.iter().map(|tag| (Rank::of(tag), *tag)).collect();
        ranked.sort_by(|(a, tag_a), (b, tag_b)| a.order(tag_a, b, tag_b));
        ranked.into_iter().map(|(_, tag)| tag.to_owned()).collect()
    }

    #[test]
    fn versions_are_in_order() {
        let expected = [
            "latest",
            "20240601",
            "v2.0.0",
            "2.0.0-rc.10",
            "2.0.0-rc.2",
            "2.0.0-beta",
            "1.27.3",
            "1.27.3-alpine",
            "1.27.3-alpine3.20",
            "1.10",
            "1.9",
            "1",
            "1.0",
            "1.0.0",
            "1.0b2",
            "1.0a1",
            "edge",
            "main",
            "pr-9",
            "pr-10",
            "0a1b2c3",
            "5f3a9c1e",
            "sha-5f3a9c1",
        ];
        let mut shuffled = expected;
        shuffled.reverse();
        shuffled.swap(2, 9);
        shuffled.swap(5, 14);
        assert_eq!(sorted(&shuffled), expected);
    }

    #[test]
    fn attachments_are_known() {
        let hex = "a".repeat(64);
        for (tag, expected) in [
            (format!("sha256-{hex}"), true),
            (format!("sha256-{hex}.sig"), true),
            (format!("sha256-{hex}.att"), true),
            (format!("sha512-{}", "b".repeat(128)), true),
            ("sha256-abc".into(), false),
            ("sha-5f3a9c1".into(), false),
            ("1.0".into(), false),
            (CACHE_TAG.into(), true),
            ("buildcache2".into(), false),
        ] {
            assert_eq!(is_no_image(&tag), expected, "{tag}");
        }
    }

    proptest::proptest! {
        #[test]
        fn it_is_an_order(a in "[a-z0-9v._-]{1,12}", b in "[a-z0-9v._-]{1,12}", c in "[a-z0-9v._-]{1,12}") {
            let order = |x: &str, y: &str| Rank::of(x).order(x, &Rank::of(y), y);
            proptest::prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
            if order(&a, &b) != Ordering::Greater && order(&b, &c) != Ordering::Greater {
                proptest::prop_assert!(order(&a, &c) != Ordering::Greater);
            }
            proptest::prop_assert_eq!(order(&a, &b) == Ordering::Equal, a == b);
        }
    }
}
