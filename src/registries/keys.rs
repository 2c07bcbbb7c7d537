//! What a registry has to know that nobody else may: its password, the keys of its bucket, and what it signs uploads with.
//! All of it is in the vault, under the registry's id, but for the password, which is its credential's.

use super::Registries;
use super::config;
use super::record::Record;
use crate::clock::random_token;
use crate::jobs::{self, JobContext, JobError};
use crate::problems;
use crate::s3::Keys;
use crate::storage::Tx;
use crate::vault::VaultError;
use app::error::{AppError, Problem};
use app::model::id::RegistryId;
use app::model::registry::Storage;
use app::model::secret::Secret;

/// What uploads are signed with; one for all revisions, so that a push survives a restart.
const HTTP_SECRET: &str = "http_secret";

/// The name of a password that isn't the credential's yet: that of a rotation under way.
pub(super) fn coming_password(revision: i64) -> String {
    format!("password/{revision}")
}

fn access_key(revision: i64) -> String {
    format!("s3_access_key/{revision}")
}

fn secret_key(revision: i64) -> String {
    format!("s3_secret_key/{revision}")
}

/// A password that nobody has to remember: 256 random bits.
pub(super) fn new_password() -> Secret {
    Secret::new(random_token())
}

/// Failures of other use cases inside a job.
pub(super) fn inner(error: AppError) -> JobError {
    JobError::Fail(match error {
        AppError::Problem(problem) => *problem,
        other => Problem::new("registry.refused", other.to_string(), "Correct that and try again."),
    })
}

impl Registries {
    /// Keeps what a new registry signs uploads with.
    pub(super) async fn keep_http_secret(&self, tx: &mut Tx, id: &RegistryId) -> Result<(), AppError> {
        let secret = Secret::new(random_token());
        self.parts.vault.put(tx, &self.parts.clock, id.as_str(), HTTP_SECRET, &secret).await.map_err(problems::of)
    }

    /// Keeps the keys of a bucket, from this revision on.
    pub(super) async fn keep_keys(
        &self,
        tx: &mut Tx,
        id: &RegistryId,
        revision: i64,
        keys: &Keys,
    ) -> Result<(), AppError> {
        for (name, value) in [(access_key(revision), &keys.access), (secret_key(revision), &keys.secret)] {
            self.parts.vault.put(tx, &self.parts.clock, id.as_str(), &name, value).await.map_err(problems::of)?;
        }
        Ok(())
    }

    /// Forgets the keys and the password of a revision that nothing returns to.
    pub(super) async fn forget_revision(&self, tx: &mut Tx, id: &RegistryId, revision: i64) -> Result<(), VaultError> {
        for name in [access_key(revision), secret_key(revision), coming_password(revision)] {
            self.parts.vault.forget_one(tx, id.as_str(), &name).await?;
        }
        Ok(())
    }

    /// The keys of its bucket; None: it has none.
    pub(super) async fn keys_of(&self, record: &Record) -> Result<Option<Keys>, VaultError> {
        if !matches!(record.wanted.storage, Storage::S3(_)) {
            return Ok(None);
        }
        let (db, owner, revision) = (self.parts.db.read(), record.id.as_str(), record.wanted.keys);
        let access = self.parts.vault.get(db, owner, &access_key(revision)).await?;
        let secret = self.parts.vault.get(db, owner, &secret_key(revision)).await?;
        Ok(Some(Keys { access, secret }))
    }

    /// User and password that its revision accepts: those of its credential, or of the rotation under way.
    pub(super) async fn login_of(&self, record: &Record) -> Result<(String, Secret), AppError> {
        let login = self.parts.credentials.access(&record.credential).await?.login;
        let Some(login) = login else {
            return Err(Problem::new(
                "registry.no_login",
                format!("The credential of {} has no password.", record.name),
                "Give the registry a new password on its page.",
            )
            .into());
        };
        let name = coming_password(record.revision);
        match self.parts.vault.get(self.parts.db.read(), record.id.as_str(), &name).await {
            Ok(password) => Ok((login.username, password)),
            Err(VaultError::NotThere { .. }) => Ok((login.username, login.password)),
            Err(error) => Err(problems::of(error)),
        }
    }

    /// The whole configuration of its revision.
    pub(super) async fn config_of(&self, record: &Record) -> Result<Secret, JobError> {
        let (db, owner) = (self.parts.db.read(), record.id.as_str());
        let http_secret = self.parts.vault.get(db, owner, HTTP_SECRET).await.map_err(jobs::internal)?;
        let keys = self.keys_of(record).await.map_err(jobs::internal)?;
        Ok(config::config(&record.wanted, &http_secret, keys.as_ref()))
    }

    /// Who may sign in at its revision, as the registry reads it.
    pub(super) async fn htpasswd_of(&self, record: &Record) -> Result<Secret, JobError> {
        let (username, password) = self.login_of(record).await.map_err(inner)?;
        config::htpasswd(&username, &password).map_err(jobs::internal)
    }

    /// None of it shows in the job's log.
    pub(super) async fn mask(&self, record: &Record, cx: &JobContext) -> Result<(), JobError> {
        cx.mask(&self.login_of(record).await.map_err(inner)?.1);
        let (db, owner) = (self.parts.db.read(), record.id.as_str());
        cx.mask(&self.parts.vault.get(db, owner, HTTP_SECRET).await.map_err(jobs::internal)?);
        if let Some(keys) = self.keys_of(record).await.map_err(jobs::internal)? {
            cx.mask(&keys.access);
            cx.mask(&keys.secret);
        }
        Ok(())
    }
}
