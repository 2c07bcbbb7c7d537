//! Deploy keys: Ed25519 pairs in the forms of OpenSSH (PROTOCOL.key).

use app::model::secret::Secret;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

const KIND: &[u8] = b"ssh-ed25519";
/// Characters of a line between the marks, as OpenSSH writes it.
const LINE: usize = 70;

/// A pair that couldn't be made.
#[derive(Debug, thiserror::Error)]
#[error("the cryptographic library refuses to make a key")]
pub(super) struct NoKey;

/// A new pair.
pub(super) struct Pair {
    /// What goes to the host, as one line.
    pub public: String,
    /// What stays, as a file of OpenSSH without a passphrase.
    pub private: Secret,
}

impl Pair {
    /// A pair of fresh random bits.
    pub(super) fn new(comment: &str) -> Result<Self, NoKey> {
        let seed = Zeroizing::new(crate::clock::random::<32>());
        Self::of(&seed, comment)
    }

    fn of(seed: &[u8; 32], comment: &str) -> Result<Self, NoKey> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| NoKey)?;
        let public = pair.public_key().as_ref();
        let mut blob = Vec::new();
        put(&mut blob, KIND);
        put(&mut blob, public);

        // Twice the same number, by which a wrong passphrase would be noticed.
        let check = crate::clock::random::<4>();
        let mut inner = Zeroizing::new([check, check].concat());
        put(&mut inner, KIND);
        put(&mut inner, public);
        put(&mut inner, &Zeroizing::new([seed.as_slice(), public].concat()));
        put(&mut inner, comment.as_bytes());
        let missing = inner.len().next_multiple_of(8) - inner.len();
        inner.extend((1_u8..).take(missing));

        let mut file = Zeroizing::new(b"openssh-key-v1\0".to_vec());
        put(&mut file, b"none");
        put(&mut file, b"none");
        put(&mut file, b"");
        file.extend(1_u32.to_be_bytes());
        put(&mut file, &blob);
        put(&mut file, &inner);

        let encoded = Zeroizing::new(STANDARD.encode(&*file));
        let mut text = String::with_capacity(encoded.len() + 128);
        text.push_str("-----BEGIN OPENSSH PRIVATE KEY-----\n");
        for (index, c) in encoded.chars().enumerate() {
            if index > 0 && index.is_multiple_of(LINE) {
                text.push('\n');
            }
            text.push(c);
        }
        text.push_str("\n-----END OPENSSH PRIVATE KEY-----\n");
        Ok(Self { public: format!("ssh-ed25519 {} {comment}", STANDARD.encode(&blob)), private: Secret::new(text) })
    }
}

/// A string of RFC 4251: its length, and what it is.
fn put(into: &mut Vec<u8>, bytes: &[u8]) {
    into.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    into.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// OpenSSH itself reads the file and names the same public key.
    #[test]
    fn openssh_reads_what_is_made() {
        for comment in ["slipway", "slipway 0123456789ab", "x"] {
            let pair = Pair::new(comment).expect("a pair");
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("key");
            std::fs::write(&file, pair.private.expose("OpenSSH reads it")).expect("written");
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("chmod");
            #[expect(clippy::disallowed_methods, reason = "OpenSSH's own program judges")]
            let done = std::process::Command::new("ssh-keygen").arg("-y").arg("-f").arg(&file).output();
            let Ok(done) = done else {
                eprintln!("skipped: ssh-keygen isn't here");
                return;
            };
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            assert_eq!(String::from_utf8_lossy(&done.stdout).trim(), pair.public);
        }
    }

    #[test]
    fn no_two_are_the_same() {
        let pairs = [Pair::new("a").expect("a pair"), Pair::new("a").expect("a pair")];
        assert_ne!(pairs[0].public, pairs[1].public);
        assert_ne!(pairs[0].private, pairs[1].private);
    }
}
