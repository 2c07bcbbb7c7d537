//! Seals and opens secrets: XChaCha20-Poly1305 (RFC 8439 with the extended nonce) under the master key.
//!
//! The place a secret belongs to (owner and name) is the cipher's associated data, so that a ciphertext moved to another
//! row doesn't open. Sealed form: version byte 1, 24 bytes nonce, ciphertext with tag.

use crate::clock::{Clock, random};
use crate::storage::Tx;
use app::model::secret::Secret;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroize as _;

const VERSION: u8 = 1;
const NONCE: usize = 24;

/// What can go wrong with the key or a secret.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key file can't be read or written.
    #[error("the master key file {path} can't be used")]
    Key {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The key file isn't 32 bytes long.
    #[error("the master key file {0} doesn't hold a key of 32 bytes")]
    NotAKey(PathBuf),
    /// There are secrets but no key.
    #[error("the master key file {0} is missing, but the database holds secrets sealed with it; put the file back")]
    Missing(PathBuf),
    /// Others may read the key.
    #[error("the master key file {0} may be read by others; run chmod 600 on it")]
    Exposed(PathBuf),
    /// The secret doesn't open: wrong key, wrong place or damaged.
    #[error("the secret {name} of {owner} can't be opened; it was sealed with another key or damaged")]
    Sealed {
        /// Whose.
        owner: String,
        /// Which.
        name: String,
    },
    /// There is no such secret.
    #[error("there is no secret {name} of {owner}")]
    NotThere {
        /// Whose.
        owner: String,
        /// Which.
        name: String,
    },
    /// The database failed.
    #[error("the database failed")]
    Sqlite(#[from] sqlx::Error),
}

/// Holds the master key.
#[derive(Clone)]
pub struct Vault {
    cipher: XChaCha20Poly1305,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// Reads the key file. It is created (mode 0600) when it is missing and `may_create`; that is false once the
    /// database holds secrets.
    pub fn open(path: &Path, may_create: bool) -> Result<Self, VaultError> {
        let failed = |source| VaultError::Key { path: path.to_owned(), source };
        let mut key = match std::fs::File::open(path) {
            Ok(file) => {
                let mode = file.metadata().map_err(failed)?.permissions().mode();
                if mode & 0o077 != 0 {
                    return Err(VaultError::Exposed(path.to_owned()));
                }
                let mut bytes = Vec::with_capacity(33);
                file.take(33).read_to_end(&mut bytes).map_err(failed)?;
                let key: Result<[u8; 32], _> = bytes.as_slice().try_into();
                bytes.zeroize();
                key.map_err(|_| VaultError::NotAKey(path.to_owned()))?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && may_create => {
                let key = random::<32>();
                write_new(path, &key).map_err(failed)?;
                key
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(VaultError::Missing(path.to_owned()));
            }
            Err(error) => return Err(failed(error)),
        };
        let cipher = XChaCha20Poly1305::new(&Key::from(key));
        key.zeroize();
        Ok(Self { cipher })
    }

    /// Seals `secret` for its place.
    pub fn seal(&self, owner: &str, name: &str, secret: &Secret) -> Result<Vec<u8>, VaultError> {
        let nonce = random::<NONCE>();
        let payload = Payload { msg: secret.expose("it is sealed").as_bytes(), aad: &place(owner, name) };
        let ciphertext = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| VaultError::Sealed { owner: owner.into(), name: name.into() })?;
        let mut sealed = Vec::with_capacity(1 + NONCE + ciphertext.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }

    /// Opens what was sealed for this place.
    pub fn unseal(&self, owner: &str, name: &str, sealed: &[u8]) -> Result<Secret, VaultError> {
        let failed = || VaultError::Sealed { owner: owner.into(), name: name.into() };
        let (nonce, ciphertext) = match sealed {
            [VERSION, rest @ ..] => rest.split_first_chunk::<NONCE>().ok_or_else(failed)?,
            _ => return Err(failed()),
        };
        let payload = Payload { msg: ciphertext, aad: &place(owner, name) };
        let plain = self.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| failed())?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| failed())
    }

    /// Seals and keeps a secret; replaces the one that was there.
    pub async fn put(
        &self,
        tx: &mut Tx,
        clock: &Clock,
        owner: &str,
        name: &str,
        secret: &Secret,
    ) -> Result<(), VaultError> {
        let sealed = self.seal(owner, name, secret)?;
        sqlx::query(
            "INSERT INTO secrets (owner, name, sealed, set_at) VALUES (?, ?, ?, ?)
             ON CONFLICT (owner, name) DO UPDATE SET sealed = excluded.sealed, set_at = excluded.set_at",
        )
        .bind(owner)
        .bind(name)
        .bind(sealed)
        .bind(clock.seconds())
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Reads and opens a secret.
    pub async fn get<'e>(
        &self,
        db: impl sqlx::SqliteExecutor<'e>,
        owner: &str,
        name: &str,
    ) -> Result<Secret, VaultError> {
        let sealed: Option<Vec<u8>> = sqlx::query_scalar("SELECT sealed FROM secrets WHERE owner = ? AND name = ?")
            .bind(owner)
            .bind(name)
            .fetch_optional(db)
            .await?;
        let sealed = sealed.ok_or_else(|| VaultError::NotThere { owner: owner.into(), name: name.into() })?;
        self.unseal(owner, name, &sealed)
    }

    /// Forgets one secret; one that isn't there is fine.
    pub async fn forget_one(&self, tx: &mut Tx, owner: &str, name: &str) -> Result<(), VaultError> {
        let sql = "DELETE FROM secrets WHERE owner = ? AND name = ?";
        sqlx::query(sql).bind(owner).bind(name).execute(&mut **tx).await?;
        Ok(())
    }

    /// Forgets all secrets of an owner.
    pub async fn forget(&self, tx: &mut Tx, owner: &str) -> Result<(), VaultError> {
        sqlx::query("DELETE FROM secrets WHERE owner = ?").bind(owner).execute(&mut **tx).await?;
        Ok(())
    }
}

/// Whether any secret is kept, in which case a missing key must stop the start.
pub async fn holds_secrets<'e>(db: impl sqlx::SqliteExecutor<'e>) -> Result<bool, VaultError> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM secrets)").fetch_one(db).await?)
}

fn place(owner: &str, name: &str) -> Vec<u8> {
    format!("slipway/secrets/{}:{owner}/{name}", owner.len()).into_bytes()
}

/// Writes a new file beside, syncs it and links it into place, so that a crash leaves a whole key or none.
fn write_new(path: &Path, key: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    file.write_all(key)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> (tempfile::TempDir, Vault) {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = Vault::open(&folder.path().join("master.key"), true).expect("a vault");
        (folder, vault)
    }

    #[test]
    fn a_secret_opens_only_at_its_place_and_only_unchanged() {
        let (_folder, vault) = vault();
        let sealed = vault.seal("cred_1", "password", &Secret::new("hunter2".into())).expect("sealed");
        let opened = vault.unseal("cred_1", "password", &sealed).expect("opens");
        assert_eq!(opened.expose("the test compares it"), "hunter2");
        assert!(vault.unseal("cred_2", "password", &sealed).is_err());
        assert!(vault.unseal("cred_1", "token", &sealed).is_err());
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            let error = vault.unseal("cred_1", "password", &changed).expect_err("a flipped bit is noticed");
            assert!(error.to_string().contains("cred_1") && !error.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn the_key_is_kept_private_and_never_made_anew_over_old_secrets() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("master.key");
        assert!(matches!(Vault::open(&path, false), Err(VaultError::Missing(_))));
        Vault::open(&path, true).expect("created");
        let mode = std::fs::metadata(&path).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("chmod");
        assert!(matches!(Vault::open(&path, true), Err(VaultError::Exposed(_))));
        std::fs::write(&path, b"short").expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("chmod");
        assert!(matches!(Vault::open(&path, true), Err(VaultError::NotAKey(_))));
    }
}
