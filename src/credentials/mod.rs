//! How to sign in at registry hosts: the use cases behind `app::api::credentials`.
//!
//! What must always hold: a password is sealed in the database and nowhere else; it only ever goes to the address it was
//! typed for; nothing is saved that the registry didn't accept.

mod field;
mod limit;
mod store;
mod users;

pub use users::Users;

use crate::activity;
use crate::clock::{Clock, random};
use crate::oci::{self, Access, Login, OciError};
use crate::problems;
use crate::providers::Providers;
use crate::storage::Db;
use crate::vault::{Vault, VaultError};
use app::api::credentials::CredentialsApi;
use app::error::{AppError, Blocker, Link, Problem};
use app::model::account::{Action, Actor};
use app::model::credential::{Credential, CredentialFields, CredentialForm};
use app::model::id::CredentialId;
use app::model::secret::Secret;
use app::paths;
use async_trait::async_trait;
use limit::TestLimit;
use std::sync::Arc;

/// The name of the password among a credential's secrets.
const PASSWORD: &str = "password";

/// Credentials: the use cases behind `app::api::credentials`. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Credentials {
    db: Db,
    vault: Vault,
    clock: Clock,
    oci: oci::Client,
    providers: Providers,
    tests: Arc<TestLimit>,
    users: users::Socket,
}

impl Credentials {
    /// The use cases over their parts.
    pub fn new(db: Db, vault: Vault, clock: Clock, oci: oci::Client, providers: Providers) -> Self {
        let tests = Arc::new(TestLimit::new(clock.clone()));
        Self { db, vault, clock, oci, providers, tests, users: users::Socket::default() }
    }

    /// Plugs in who has to know that a login changed. Once, before anything runs.
    pub fn set_users(&self, users: Arc<dyn Users>) {
        self.users.plug(users);
    }

    /// What it takes to ask the credential's registry, for the parts of Slipway that talk to it.
    pub async fn access(&self, id: &CredentialId) -> Result<Access, AppError> {
        let credential = self.find(id).await?;
        let password = self.password(&credential).await?;
        let stored = Login { username: credential.username, password };
        let mut access = Access { url: credential.url, login: None, trust: credential.trust };
        let login = self.providers.of(credential.provider).login(&access, &stored).await;
        access.login = Some(login.map_err(|error| with_link(error, id))?);
        Ok(access)
    }

    /// The kept password.
    async fn password(&self, of: &Credential) -> Result<Secret, AppError> {
        match self.vault.get(self.db.read(), of.id.as_str(), PASSWORD).await {
            Ok(password) => Ok(password),
            Err(error @ (VaultError::Sealed { .. } | VaultError::NotThere { .. })) => {
                tracing::error!(credential.id = %of.id, %error, "a password can't be opened");
                Err(sealed(of).into())
            }
            Err(error) => Err(problems::of(error)),
        }
    }

    /// All credentials, for the parts that look at their registries in the background.
    pub async fn every(&self) -> Result<Vec<Credential>, AppError> {
        store::list(self.db.read()).await.map_err(problems::of)
    }

    async fn find(&self, id: &CredentialId) -> Result<Credential, AppError> {
        let found = store::find(self.db.read(), id).await.map_err(problems::of)?;
        found.ok_or_else(|| AppError::NotFound("credential".into()))
    }

    /// Asks the registry whether it accepts the login; a refusal sits at the field that causes it.
    async fn test(&self, actor: &Actor, access: &Access) -> Result<(), AppError> {
        self.tests.take(&actor.account)?;
        match self.oci.check(access).await {
            Ok(()) => Ok(()),
            Err(error) => {
                tracing::info!(registry.host = %access.url.host, %error, "a credential was refused");
                Err(field::of(&error).into())
            }
        }
    }

    /// The login that an edit leads to: with the new password, or with the kept one if that goes where it went before.
    async fn edited_login(&self, old: &Credential, fields: &CredentialFields) -> Result<Login, AppError> {
        let username = fields.username.clone();
        if !fields.password.is_empty() {
            return Ok(Login { username, password: fields.password.clone() });
        }
        if fields.url != old.url {
            return Err(AppError::field(
                "password",
                format!(
                    "Type the password again: the kept one was typed for {} and isn't sent to another address.",
                    old.url
                ),
            ));
        }
        match self.password(old).await {
            Ok(password) => Ok(Login { username, password }),
            Err(AppError::Problem(problem)) => {
                Err(AppError::field("password", format!("{} Type the password again.", problem.cause)))
            }
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl CredentialsApi for Credentials {
    async fn list(&self, actor: &Actor) -> Result<Vec<Credential>, AppError> {
        actor.may(Action::Read)?;
        store::list(self.db.read()).await.map_err(problems::of)
    }

    async fn get(&self, actor: &Actor, id: &CredentialId) -> Result<Credential, AppError> {
        actor.may(Action::Read)?;
        self.find(id).await
    }

    async fn create(&self, actor: &Actor, form: CredentialForm) -> Result<CredentialId, AppError> {
        actor.may(Action::ManageCredentials)?;
        let fields = form.validated(true)?;
        // Asked here too, so that a taken name costs no test; the index has the last word.
        if store::has_name(self.db.read(), &fields.name, None).await.map_err(problems::of)? {
            return Err(name_is_taken());
        }
        let login = Login { username: fields.username.clone(), password: fields.password.clone() };
        let access = Access { url: fields.url.clone(), login: Some(login.clone()), trust: fields.trust.clone() };
        self.test(actor, &access).await?;

        let id = CredentialId::from_random(random());
        let mut tx = self.db.write().await.map_err(problems::of)?;
        if !store::insert(&mut tx, &id, &fields, self.clock.seconds()).await.map_err(problems::of)? {
            return Err(name_is_taken());
        }
        self.keep_password(&mut tx, &id, &login.password).await?;
        self.record(&mut tx, actor, "created", &id, &fields.name).await?;
        tx.commit().await.map_err(problems::of)?;
        tracing::info!(credential.id = %id, registry.host = %fields.url.host, "a credential was created");
        Ok(id)
    }

    async fn update(
        &self,
        actor: &Actor,
        id: &CredentialId,
        version: i64,
        form: CredentialForm,
    ) -> Result<(), AppError> {
        actor.may(Action::ManageCredentials)?;
        let old = self.find(id).await?;
        if old.version != version {
            return Err(stale(id));
        }
        let fields = form.validated(false)?;
        if store::has_name(self.db.read(), &fields.name, Some(id)).await.map_err(problems::of)? {
            return Err(name_is_taken());
        }
        let login = self.edited_login(&old, &fields).await?;
        self.refuse_move(&old, &fields).await?;
        let access = Access { url: fields.url.clone(), login: Some(login.clone()), trust: fields.trust.clone() };
        self.test(actor, &access).await?;

        let mut tx = self.db.write().await.map_err(problems::of)?;
        match store::update(&mut tx, id, version, &fields, self.clock.seconds()).await.map_err(problems::of)? {
            store::Updated::Yes => {}
            store::Updated::Stale => return Err(stale(id)),
            store::Updated::NameTaken => return Err(name_is_taken()),
        }
        if !fields.password.is_empty() {
            self.keep_password(&mut tx, id, &login.password).await?;
        }
        if !fields.password.is_empty() || fields.username != old.username {
            self.users.login_changed(&mut tx, id, &actor.username).await?;
        }
        self.record(&mut tx, actor, "changed", id, &changes(&old, &fields)).await?;
        tx.commit().await.map_err(problems::of)?;
        tracing::info!(credential.id = %id, "a credential was changed");
        Ok(())
    }

    async fn check(&self, actor: &Actor, id: &CredentialId) -> Result<Credential, AppError> {
        actor.may(Action::ManageCredentials)?;
        let credential = self.find(id).await?;
        let problem = match self.access(id).await {
            Ok(access) => {
                self.tests.take(&actor.account)?;
                self.oci.check(&access).await.err().map(|error| with_link(error, id))
            }
            Err(AppError::Problem(problem)) => Some(*problem),
            Err(error) => return Err(error),
        };
        let mut tx = self.db.write().await.map_err(problems::of)?;
        // An edit that came in between knows better: it was tested with what is kept now.
        store::keep_state(&mut tx, id, credential.version, problem.as_ref(), self.clock.seconds())
            .await
            .map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)?;
        self.find(id).await
    }

    async fn delete(&self, actor: &Actor, id: &CredentialId) -> Result<(), AppError> {
        actor.may(Action::ManageCredentials)?;
        let mut tx = self.db.write().await.map_err(problems::of)?;
        let users = store::registries_of(&mut tx, id).await.map_err(problems::of)?;
        if !users.is_empty() {
            let blocker = |(registry, name)| Blocker {
                reason: format!("The registry {name} signs in with it."),
                link: Some(Link { href: paths::registry(&registry), text: format!("Open {name}") }),
            };
            return Err(AppError::Blocked(users.into_iter().map(blocker).collect()));
        }
        let Some(name) = store::delete(&mut tx, id).await.map_err(problems::of)? else {
            return Err(AppError::NotFound("credential".into()));
        };
        self.vault.forget(&mut tx, id.as_str()).await.map_err(problems::of)?;
        self.record(&mut tx, actor, "deleted", id, &name).await?;
        tx.commit().await.map_err(problems::of)?;
        tracing::info!(credential.id = %id, "a credential was deleted");
        Ok(())
    }
}

impl Credentials {
    async fn keep_password(
        &self,
        tx: &mut crate::storage::Tx,
        id: &CredentialId,
        password: &Secret,
    ) -> Result<(), AppError> {
        self.vault.put(tx, &self.clock, id.as_str(), PASSWORD, password).await.map_err(problems::of)
    }

    async fn record(
        &self,
        tx: &mut crate::storage::Tx,
        actor: &Actor,
        verb: &str,
        id: &CredentialId,
        detail: &str,
    ) -> Result<(), AppError> {
        let verb = format!("credential.{verb}");
        activity::record(tx, &self.clock, &actor.username, &verb, id.as_str(), detail).await.map_err(problems::of)
    }

    /// A credential whose registry holds images of running services stays at its host: the images don't move with it,
    /// and their host must never be asked with another host's password.
    async fn refuse_move(&self, old: &Credential, fields: &CredentialFields) -> Result<(), AppError> {
        if fields.url.host == old.url.host {
            return Ok(());
        }
        if fields.url.host.is_docker_hub() {
            let bare = store::registries_without_base_path(self.db.read(), &old.id).await.map_err(problems::of)?;
            if let Some(name) = bare.first() {
                let message = format!("Docker Hub needs a base path. Give the registry {name} one first.");
                return Err(AppError::field("url", message));
            }
        }
        let services = store::services_with_images_of(self.db.read(), &old.id).await.map_err(problems::of)?;
        if services.is_empty() {
            return Ok(());
        }
        Err(AppError::field(
            "url",
            format!(
                "Images of {} lie at {}. Create a credential and a registry for the new address instead.",
                services.join(", "),
                old.url.host
            ),
        ))
    }
}

/// Which fields an edit changed, for the record; never their values.
fn changes(old: &Credential, fields: &CredentialFields) -> String {
    let changed = [
        ("name", old.name != fields.name),
        ("url", old.url != fields.url),
        ("username", old.username != fields.username),
        ("password", !fields.password.is_empty()),
    ];
    changed.iter().filter(|(_, changed)| *changed).map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

fn name_is_taken() -> AppError {
    AppError::field("name", "Another credential has this name. Choose a different one.")
}

fn stale(id: &CredentialId) -> AppError {
    AppError::Blocked(vec![Blocker {
        reason: "Somebody changed this credential meanwhile. Look at it as it is now, then change it again.".into(),
        link: Some(Link { href: paths::credential(id), text: "Open the credential".into() }),
    }])
}

fn sealed(credential: &Credential) -> Problem {
    Problem::new(
        "credential.sealed",
        format!("The kept password of {} can't be opened with this master key.", credential.name),
        "Put the right master key file back, or type the password again.",
    )
    .with_link(paths::credential(&credential.id), "Open the credential")
}

fn with_link(error: OciError, id: &CredentialId) -> Problem {
    error.problem().with_link(paths::credential(id), "Open the credential")
}
