//! Credentials of registries that Slipway runs: made, changed and deleted with their registry, never by hand.
//!
//! What must always hold: what happens to one happens in its registry's own transaction, so that the two always agree; its
//! password is known to nobody but Slipway, until somebody asks to see it.

use super::{Credentials, PASSWORD, doctor, store};
use crate::activity;
use crate::clock::random;
use crate::problems;
use crate::storage::Tx;
use crate::vault::VaultError;
use app::error::{AppError, Blocker, Link, Problem};
use app::model::credential::{Credential, CredentialFields, RegistryUrl, Trust};
use app::model::id::{CredentialId, RegistryId};
use app::model::provider::Provider;
use app::model::secret::Secret;
use app::paths;

/// Longest name of a credential, in characters.
const NAME: usize = 60;
/// So many numbers are tried behind a name that others have.
const NUMBERS: usize = 1_000;

impl Credentials {
    /// Makes the credential of a registry that doesn't run yet, so it isn't tried: it counts as working until the registry
    /// runs and somebody looks. A name that is taken gets a number.
    pub async fn create_owned(
        &self,
        tx: &mut Tx,
        owner: &RegistryId,
        name: &str,
        url: RegistryUrl,
        username: &str,
        password: &Secret,
    ) -> Result<CredentialId, AppError> {
        let id = CredentialId::from_random(random());
        let mut fields = CredentialFields {
            name: String::new(),
            url,
            username: username.to_owned(),
            password: password.clone(),
            provider: Provider::Generic,
            namespaces: Vec::new(),
            // It is on this machine and its nodes, reached as each node's own loopback.
            trust: Trust { internal: true, ..Trust::default() },
            expires_on: None,
        };
        for candidate in names(name) {
            fields.name = candidate;
            if store::insert(tx, &id, &fields, self.clock.seconds()).await.map_err(problems::of)? {
                store::set_owner(tx, &id, owner).await.map_err(problems::of)?;
                self.keep_password(tx, &id, password).await?;
                tracing::info!(credential.id = %id, registry.id = %owner, "a registry's own credential was created");
                return Ok(id);
            }
        }
        Err(AppError::field("name", "Too many credentials have this name. Choose a different one."))
    }

    /// Deletes the credential of a registry, whose row is gone by now; the vault forgets its password.
    pub async fn delete_owned(&self, tx: &mut Tx, owner: &RegistryId) -> Result<(), AppError> {
        for id in store::owned_by(&mut **tx, owner).await.map_err(problems::of)? {
            store::delete(tx, &id).await.map_err(problems::of)?;
            self.vault.forget(tx, id.as_str()).await.map_err(problems::of)?;
            tracing::info!(credential.id = %id, registry.id = %owner, "a registry's own credential was deleted");
        }
        Ok(())
    }

    /// Keeps another password, and tells those who run with it. The same one again changes nothing. Wake the jobs after the
    /// commit.
    pub async fn set_owned_password(
        &self,
        tx: &mut Tx,
        owner: &RegistryId,
        password: &Secret,
        by: &str,
    ) -> Result<(), AppError> {
        for id in store::owned_by(&mut **tx, owner).await.map_err(problems::of)? {
            let kept = match self.vault.get(&mut **tx, id.as_str(), PASSWORD).await {
                Ok(kept) => Some(kept),
                // What can't be opened any more is replaced.
                Err(VaultError::Sealed { .. } | VaultError::NotThere { .. }) => None,
                Err(error) => return Err(problems::of(error)),
            };
            if kept.as_ref() == Some(password) {
                continue;
            }
            self.keep_password(tx, &id, password).await?;
            store::renew(tx, &id, self.clock.seconds()).await.map_err(problems::of)?;
            self.users.login_changed(tx, &id, by).await?;
            activity::record(tx, &self.clock, by, "credential.changed", id.as_str(), "password")
                .await
                .map_err(problems::of)?;
            tracing::info!(credential.id = %id, registry.id = %owner, "a registry's own credential has a new password");
        }
        Ok(())
    }

    /// Looks at the credential of a registry now, so that pages don't show for hours what was true while it didn't run.
    pub async fn examine_owned(&self, owner: &RegistryId) -> Result<(), AppError> {
        for id in store::owned_by(self.db.read(), owner).await.map_err(problems::of)? {
            let credential = self.find(&id).await?;
            self.examine_and_keep(&credential, doctor::Occasion::Schedule).await?;
        }
        Ok(())
    }
}

/// A credential that belongs to a registry isn't changed or deleted by hand.
pub(super) fn refuse_owned(credential: &Credential) -> Result<(), AppError> {
    let Some(owner) = &credential.owned_by else { return Ok(()) };
    let name = credential.used_by.first().map_or("a registry", String::as_str);
    Err(AppError::Blocked(vec![Blocker {
        reason: format!(
            "It belongs to {name}, which Slipway runs. It is made and deleted with that registry, where it gets a new password \
             too."
        ),
        link: Some(Link { href: paths::registry(owner), text: "Open the registry".into() }),
    }]))
}

/// Why it can't be tested now.
pub(super) fn resting(credential: &Credential) -> Problem {
    let problem = Problem::new(
        "credential.resting",
        format!("{} belongs to a registry that Slipway runs, and that registry isn't running yet.", credential.name),
        "Wait until the registry was created; its page says how far that is.",
    );
    match &credential.owned_by {
        Some(owner) => problem.with_link(paths::registry(owner), "Open the registry"),
        None => problem,
    }
}

/// The name, then the name with numbers; none longer than names may be.
fn names(name: &str) -> impl Iterator<Item = String> + use<> {
    let name = name.to_owned();
    let cut = move |rest: &str| {
        let room = NAME.saturating_sub(rest.chars().count());
        let kept: String = name.chars().take(room).collect();
        format!("{}{rest}", kept.trim_end())
    };
    std::iter::once(String::new()).chain((2..NUMBERS).map(|number| format!(" {number}"))).map(move |rest| cut(&rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_short_and_differ() {
        let long = "ä".repeat(60);
        let found: Vec<_> = names(&long).take(200).collect();
        assert_eq!(found[0], long);
        assert!(found.iter().all(|name| name.chars().count() <= NAME), "{found:?}");
        assert_eq!(found.iter().collect::<std::collections::HashSet<_>>().len(), 200);
        assert_eq!(names("Main").take(3).collect::<Vec<_>>(), ["Main", "Main 2", "Main 3"]);
    }
}
