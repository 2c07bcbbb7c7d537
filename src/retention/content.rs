//! What an image is made of, in the form that it is kept and judged in: one row of bytes for all that stands below a digest,
//! because a preview reads tens of thousands of them.

use app::model::image_ref::Digest;
use app::model::text::hex;

/// A digest as bytes. Of a longer one the first half, which tells it apart as surely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark([u8; 32]);

/// A part of a digest is as well spread as the whole; previews hash millions.
impl std::hash::Hash for Mark {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let mut part = [0; 8];
        part.copy_from_slice(&self.0[..8]);
        state.write_u64(u64::from_le_bytes(part));
    }
}

impl Mark {
    /// Of a digest.
    pub(super) fn of(digest: &Digest) -> Self {
        let (_, digits) = digest.as_str().split_once(':').unwrap_or_default();
        let nibble = |byte: u8| match byte {
            b'0'..=b'9' => byte - b'0',
            _ => byte.wrapping_sub(b'a').wrapping_add(10),
        };
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            *byte = (nibble(pair[0]) << 4) | nibble(pair[1]);
        }
        Self(bytes)
    }

    /// Of a digest that is one byte again and again, for tests.
    #[cfg(test)]
    pub(super) fn repeated(byte: u8) -> Self {
        Self([byte; 32])
    }

    /// The digest again, of a SHA-256 one.
    pub(super) fn digest(self) -> Option<Digest> {
        format!("sha256:{}", hex(&self.0)).parse().ok()
    }
}

/// Bytes of a mark and a size.
const ENTRY: usize = 40;
/// Bytes of the number of manifests.
const HEAD: usize = 4;

/// All that is reachable from an image: its own manifest first, then the manifests below it, then blobs; each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content(Vec<u8>);

impl Content {
    /// Of manifests, the image's own first, and blobs, with their sizes.
    pub(super) fn new(manifests: &[(Mark, u64)], blobs: &[(Mark, u64)]) -> Self {
        let mut bytes = Vec::with_capacity(HEAD + (manifests.len() + blobs.len()) * ENTRY);
        bytes.extend(u32::try_from(manifests.len()).unwrap_or(u32::MAX).to_le_bytes());
        for (mark, size) in manifests.iter().chain(blobs) {
            bytes.extend(mark.0);
            bytes.extend(size.to_le_bytes());
        }
        Self(bytes)
    }

    /// As it was kept; none: something else.
    pub(super) fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let count = bytes.first_chunk::<HEAD>().map(|head| u32::from_le_bytes(*head))?;
        let rest = bytes.len() - HEAD;
        let fits = rest.is_multiple_of(ENTRY) && (1..=rest / ENTRY).contains(&usize::try_from(count).ok()?);
        fits.then_some(Self(bytes))
    }

    /// To be kept.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Everything.
    pub(super) fn all(&self) -> impl Iterator<Item = (Mark, u64)> + '_ {
        self.0[HEAD..].chunks_exact(ENTRY).map(|entry| {
            let (mut mark, mut size) = ([0; 32], [0; 8]);
            mark.copy_from_slice(&entry[..32]);
            size.copy_from_slice(&entry[32..]);
            (Mark(mark), u64::from_le_bytes(size))
        })
    }

    /// The manifests below the image's own.
    pub(super) fn below(&self) -> impl Iterator<Item = Mark> + '_ {
        let count = self.0.first_chunk::<HEAD>().map_or(0, |head| u32::from_le_bytes(*head));
        self.all().take(usize::try_from(count).unwrap_or(0)).skip(1).map(|(mark, _)| mark)
    }

    /// What it takes by itself.
    pub(super) fn size(&self) -> u64 {
        self.all().fold(0, |sum, (_, size)| sum.saturating_add(size))
    }
}

/// What is kept of an image with these manifests, its own first, and blobs; for measurements.
#[cfg(feature = "testing")]
pub fn packed(manifests: &[(Digest, u64)], blobs: &[(Digest, u64)]) -> Vec<u8> {
    let marks = |all: &[(Digest, u64)]| all.iter().map(|(digest, size)| (Mark::of(digest), *size)).collect::<Vec<_>>();
    Content::new(&marks(manifests), &marks(blobs)).0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(n: u8) -> Digest {
        format!("sha256:{}", hex(&[n; 32])).parse().expect("a digest")
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let mark = |n| Mark::of(&digest(n));
        let content = Content::new(&[(mark(1), 10), (mark(2), 20)], &[(mark(0xaf), u64::MAX)]);
        let read = Content::from_bytes(content.as_bytes().to_vec()).expect("content");
        assert_eq!(read.all().collect::<Vec<_>>(), [(mark(1), 10), (mark(2), 20), (mark(0xaf), u64::MAX)]);
        assert_eq!(read.below().collect::<Vec<_>>(), [mark(2)]);
        assert_eq!((read.size(), mark(0xaf).digest()), (u64::MAX, Some(digest(0xaf))));
        for bytes in [vec![], vec![0; 4], vec![1; 43], vec![2, 0, 0, 0], {
            let mut bytes = content.as_bytes().to_vec();
            bytes[0] = 9;
            bytes
        }] {
            assert_eq!(Content::from_bytes(bytes), None);
        }
    }

    #[test]
    fn longer_digests_are_told_apart_by_their_first_half() {
        let long = |n: u8| format!("sha512:{}", hex(&[n; 64])).parse::<Digest>().expect("a digest");
        assert!(Mark::of(&long(3)) != Mark::of(&long(4)) && Mark::of(&long(3)) == Mark::of(&long(3)));
    }
}
