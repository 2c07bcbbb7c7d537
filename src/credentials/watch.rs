//! The look at credentials in the background: each one is examined again every six hours, so that a revoked token is
//! noticed before a deployment needs it; logins that last for hours are renewed before they end.
//!
//! What must always hold: one at a time; no credential is tried more often than that (many registries lock an account
//! after wrong passwords), except that a registry that couldn't be reached is looked at again after half an hour. Those of
//! registries of our own that don't run yet, or are being deleted, are left alone.

use super::doctor::Occasion;
use super::{Credentials, store};
use crate::oci::Login;
use crate::problems;
use app::error::AppError;
use app::model::credential::{Credential, CredentialState};
use app::model::id::CredentialId;
use app::model::provider::Provider;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks at the clock.
const TICK: Duration = Duration::from_secs(60);
/// Seconds between two examinations of a credential.
const EVERY: i64 = 6 * 3_600;
/// The same when its registry couldn't be reached.
const SOON: i64 = 1_800;
/// Seconds between two looks whether a login was renewed.
const RENEWED_EVERY: i64 = 900;

/// The logins that were handed on last, of credentials whose registry wants others than the kept one.
#[derive(Debug, Default)]
pub(super) struct Renewals(Mutex<HashMap<CredentialId, Renewal>>);

#[derive(Debug)]
struct Renewal {
    login: Option<Login>,
    look_at: i64,
}

impl Credentials {
    /// Looks after all credentials until `stop`. Started by `start.rs`.
    pub async fn watch(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let looked = tokio::select! {
                looked = self.look() => looked,
                () = stop.cancelled() => return,
            };
            if let Err(error) = looked {
                tracing::warn!(%error, "credentials couldn't be looked after");
            }
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Examines those whose time has come, and hands renewed logins on. How many were examined.
    pub async fn look(&self) -> Result<usize, AppError> {
        self.sweep_imports().await?;
        let mut examined = 0;
        let resting = store::resting(self.db.read()).await.map_err(problems::of)?;
        for credential in self.every().await? {
            if resting.contains(&credential.id) {
                continue;
            }
            if due_at(&credential) <= self.clock.seconds() {
                self.examine_and_keep(&credential, Occasion::Schedule).await?;
                examined += 1;
            }
            if is_exchanged(credential.provider) {
                self.hand_on(&credential).await?;
            }
        }
        Ok(examined)
    }

    /// Examines it and keeps what was found; an edit that came in between knows better.
    pub(super) async fn examine_and_keep(&self, credential: &Credential, occasion: Occasion) -> Result<(), AppError> {
        let found = self.examine(credential, occasion).await?;
        let worked = credential.state == CredentialState::Works;
        match &found.problem {
            Some(problem) if worked => {
                tracing::warn!(credential.id = %credential.id, problem.code, "a credential stopped working");
            }
            None if !worked => tracing::info!(credential.id = %credential.id, "a credential works again"),
            _ => {}
        }
        let mut tx = self.db.write().await.map_err(problems::of)?;
        let now = self.clock.seconds();
        store::keep_state(&mut tx, &credential.id, credential.version, found.problem.as_ref(), &found.report, now)
            .await
            .map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)
    }

    /// Tells those who run with it when the registry's login is another one than before.
    async fn hand_on(&self, credential: &Credential) -> Result<(), AppError> {
        let now = self.clock.seconds();
        {
            let mut renewals = self.renewals.0.lock().unwrap_or_else(PoisonError::into_inner);
            let renewal = renewals.entry(credential.id.clone()).or_insert(Renewal { login: None, look_at: now });
            if renewal.look_at > now {
                return Ok(());
            }
            renewal.look_at = now + RENEWED_EVERY;
        }
        let login = match self.access_of(credential).await {
            Ok(access) => access.login,
            // The examination says so on the credential's page.
            Err(AppError::Problem(problem)) => {
                tracing::warn!(credential.id = %credential.id, problem.code, "a login couldn't be renewed");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let is_known = |renewal: &Renewal| match (&renewal.login, &login) {
            (Some(old), Some(new)) => old.username == new.username && old.password == new.password,
            _ => false,
        };
        {
            let renewals = self.renewals.0.lock().unwrap_or_else(PoisonError::into_inner);
            if renewals.get(&credential.id).is_some_and(is_known) {
                return Ok(());
            }
        }
        let mut tx = self.db.write().await.map_err(problems::of)?;
        self.users.login_changed(&mut tx, &credential.id, "slipway").await?;
        tx.commit().await.map_err(problems::of)?;
        let mut renewals = self.renewals.0.lock().unwrap_or_else(PoisonError::into_inner);
        renewals.insert(credential.id.clone(), Renewal { login, look_at: now + RENEWED_EVERY });
        Ok(())
    }
}

/// Whether the registry wants another login than the kept one, which ends after hours.
fn is_exchanged(provider: Provider) -> bool {
    provider == Provider::Ecr
}

/// When it is examined next, Unix seconds. Spread over half an hour by its id, so that not all come at once.
fn due_at(credential: &Credential) -> i64 {
    let spread = credential.id.as_str().bytes().fold(0_i64, |sum, byte| (sum * 31 + i64::from(byte)) % SOON);
    let wait = match &credential.state {
        CredentialState::Fails(problem) if is_passing(&problem.code) => SOON + spread / 4,
        _ => EVERY + spread,
    };
    credential.checked_at + wait
}

/// Whether it may have gone by itself, without a password being tried in vain.
fn is_passing(code: &str) -> bool {
    matches!(code, "registry.dns" | "registry.refused" | "registry.tls" | "registry.timeout" | "registry.rate_limited")
}
