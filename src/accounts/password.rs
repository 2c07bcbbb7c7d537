//! argon2id, off the async threads, two at once at most.
//!
//! Passwords are compared in Unicode's normal form C, so that the same characters typed on another keyboard match.

use app::error::AppError;
use app::model::secret::Secret;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization as _;

/// KiB of memory; OWASP asks for 19 MiB with two passes at least.
const MEMORY_KIB: u32 = 46 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes and verifies. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Passwords {
    /// Bounds memory and processor time, however many people sign in at once.
    permits: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(2)) }
    }
}

/// Compared with when there is no such account, so that a wrong name takes as long as a wrong password.
static NOBODY: LazyLock<Option<String>> =
    LazyLock::new(|| hash_now(&crate::clock::random_token()).map(|hash| hash.to_string()).ok());

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).unwrap_or(Params::DEFAULT);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash_now(password: &str) -> Result<PasswordHash, argon2::password_hash::Error> {
    argon2().hash_password_with_salt(password.as_bytes(), &crate::clock::random::<16>())
}

fn normal(password: &Secret) -> Secret {
    Secret::new(password.expose("it is hashed").nfc().collect())
}

impl Passwords {
    /// A PHC string with the hash, its salt and its parameters.
    pub async fn hash(&self, password: &Secret) -> Result<String, AppError> {
        let password = normal(password);
        let hashed = self.off_thread(move || hash_now(password.expose("it is hashed"))).await?;
        Ok(hashed.map_err(crate::problems::of)?.to_string())
    }

    /// Whether the password is the one that was hashed; false after the usual time when there is no hash.
    pub async fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<bool, AppError> {
        let password = normal(password);
        let hash = hash.map(str::to_owned);
        self.off_thread(move || {
            let is_somebody = hash.is_some();
            let Some(hash) = hash.or_else(|| NOBODY.clone()) else { return Ok(false) };
            let hash = PasswordHash::new(&hash).map_err(crate::problems::of)?;
            let fits = argon2().verify_password(password.expose("it is verified").as_bytes(), &hash).is_ok();
            Ok(fits && is_somebody)
        })
        .await?
    }

    async fn off_thread<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
        // Owned and moved along: a request that goes away must not let a third hash start.
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(crate::problems::of)?;
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        })
        .await
        .map_err(crate::problems::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn a11_hashes_are_strong_nfc_stable_and_not_truncated() {
        let passwords = Passwords::default();
        let long = "x".repeat(72);
        let hash = passwords.hash(&secret(&format!("{long}é"))).await.expect("hashed");
        let parsed = PasswordHash::new(&hash).expect("a PHC string");
        assert_eq!(parsed.algorithm.as_str(), "argon2id");
        let param = |name: &str| parsed.params.get_decimal(name).expect("is there");
        assert!(param("m") >= 19_456 && param("t") >= 2 && param("p") == 1, "{hash}");
        assert!(passwords.verify(&secret(&format!("{long}e\u{301}")), Some(&hash)).await.expect("verified"));
        assert!(!passwords.verify(&secret(&format!("{long}e")), Some(&hash)).await.expect("verified"));
        assert!(!passwords.verify(&secret(&long), Some(&hash)).await.expect("verified"));
        assert!(!passwords.verify(&secret(&long), None).await.expect("verified"));
        assert_ne!(hash, passwords.hash(&secret(&format!("{long}é"))).await.expect("hashed"), "salts differ");
    }
}
