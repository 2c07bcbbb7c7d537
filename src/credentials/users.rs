//! Who has to know that a login changed: what runs with it. Services come after credentials in the order of nouns, so they
//! are plugged in.

use crate::storage::Tx;
use app::error::AppError;
use app::model::id::CredentialId;
use async_trait::async_trait;
use std::sync::{Arc, OnceLock};

/// What signs in with credentials outside of Slipway, and so has a copy of the login: running services.
#[async_trait]
pub trait Users: Send + Sync {
    /// User name or password changed, or an exchanged login was renewed. Called in the transaction that keeps the new one,
    /// so that either both happen or neither: what takes time belongs into a job. `by` is who did it, for the record.
    async fn login_changed(&self, tx: &mut Tx, credential: &CredentialId, by: &str) -> Result<(), AppError>;
}

/// The place that they are plugged into.
#[derive(Clone, Default)]
pub(super) struct Socket(Arc<OnceLock<Arc<dyn Users>>>);

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.get().is_some() { "Socket(in use)" } else { "Socket(empty)" })
    }
}

impl Socket {
    pub fn plug(&self, users: Arc<dyn Users>) {
        if self.0.set(users).is_err() {
            tracing::warn!("credentials have their users already");
        }
    }

    pub async fn login_changed(&self, tx: &mut Tx, credential: &CredentialId, by: &str) -> Result<(), AppError> {
        match self.0.get() {
            Some(users) => users.login_changed(tx, credential, by).await,
            None => Ok(()),
        }
    }
}
