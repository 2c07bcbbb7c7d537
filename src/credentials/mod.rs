//! How to sign in at registry hosts: the use cases behind `app::api::credentials`.
//!
//! What must always hold: a password is sealed in the database and nowhere else; it only ever goes to the address it was
//! typed for; nothing is saved that the registry didn't accept, but for the credentials of registries that Slipway runs.

mod doctor;
mod field;
mod fitting;
mod import;
mod limit;
mod login;
mod owned;
mod store;
mod users;
mod watch;

pub use users::Users;

use crate::activity;
use crate::clock::{Clock, random};
use crate::oci::{self, Access, Login, OciError};
use crate::problems;
use crate::providers::Providers;
use crate::storage::Db;
use crate::vault::Vault;
use app::api::credentials::CredentialsApi;
use app::error::{AppError, Blocker, FieldError, Link, Problem};
use app::model::account::{Action, Actor};
use app::model::credential::{
    Credential, CredentialFields, CredentialForm, ImportLine, ImportPick, ImportText, RegistryUrl,
};
use app::model::id::{CredentialId, ImportId};
use app::model::provider::Provider;
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
    renewals: Arc<watch::Renewals>,
}

impl Credentials {
    /// The use cases over their parts.
    pub fn new(db: Db, vault: Vault, clock: Clock, oci: oci::Client, providers: Providers) -> Self {
        let tests = Arc::new(TestLimit::new(clock.clone()));
        let (users, renewals) = (users::Socket::default(), Arc::default());
        Self { db, vault, clock, oci, providers, tests, users, renewals }
    }

    /// Plugs in who has to know that a login changed. Once, before anything runs.
    pub fn set_users(&self, users: Arc<dyn Users>) {
        self.users.plug(users);
    }

    /// All credentials, for the parts that look at their registries in the background.
    pub async fn every(&self) -> Result<Vec<Credential>, AppError> {
        store::list(self.db.read()).await.map_err(problems::of)
    }

    /// What an answer means, in the provider's terms where they are known.
    pub fn explain(&self, provider: Provider, error: &OciError) -> Problem {
        self.providers.of(provider).explain(error).unwrap_or_else(|| error.problem())
    }

    /// Takes one test from the account's allowance, or says how long to wait: for everything that asks registries because
    /// somebody pressed a button.
    pub fn may_test(&self, actor: &Actor) -> Result<(), AppError> {
        self.tests.take(&actor.account)
    }

    async fn find(&self, id: &CredentialId) -> Result<Credential, AppError> {
        let found = store::find(self.db.read(), id).await.map_err(problems::of)?;
        found.ok_or_else(|| AppError::NotFound("credential".into()))
    }

    /// Asks the registry whether it accepts the login; a refusal sits at the field that causes it.
    async fn test(&self, actor: &Actor, fields: &CredentialFields, login: &Login) -> Result<(), AppError> {
        self.tests.take(&actor.account)?;
        let adapter = self.providers.of(fields.provider);
        let access = Access { url: fields.url.clone(), login: None, trust: fields.trust.clone() };
        let tested = match adapter.login(&access, login).await {
            Ok(login) => self.oci.check(&Access { login: Some(login), ..access }).await,
            Err(error) => Err(error),
        };
        tested.map_err(|error| {
            tracing::info!(registry.host = %fields.url.host, %error, "a credential was refused");
            field::of(&error, adapter.explain(&error)).into()
        })
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
        let fields = checked(form.validated(true))?;
        // Asked here too, so that a taken name costs no test; the index has the last word.
        if store::has_name(self.db.read(), &fields.name, None).await.map_err(problems::of)? {
            return Err(name_is_taken());
        }
        let login = Login { username: fields.username.clone(), password: fields.password.clone() };
        self.test(actor, &fields, &login).await?;

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
        owned::refuse_owned(&old)?;
        if old.version != version {
            return Err(stale(id));
        }
        let mut form = form;
        if form.url.parse::<RegistryUrl>().is_ok_and(|url| url.host == old.url.host) {
            // Whoever saved it was asked then.
            form.sure = Some("kept".into());
        }
        let fields = checked(form.validated(false))?;
        if store::has_name(self.db.read(), &fields.name, Some(id)).await.map_err(problems::of)? {
            return Err(name_is_taken());
        }
        let login = self.edited_login(&old, &fields).await?;
        self.refuse_move(&old, &fields).await?;
        self.test(actor, &fields, &login).await?;

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
        if store::resting(self.db.read()).await.map_err(problems::of)?.contains(id) {
            return Err(owned::resting(&credential).into());
        }
        self.tests.take(&actor.account)?;
        self.examine_and_keep(&credential, doctor::Occasion::Asked).await?;
        self.find(id).await
    }

    async fn delete(&self, actor: &Actor, id: &CredentialId) -> Result<(), AppError> {
        actor.may(Action::ManageCredentials)?;
        // Whose it is never changes.
        owned::refuse_owned(&self.find(id).await?)?;
        let mut tx = self.db.write().await.map_err(problems::of)?;
        let registries = store::registries_of(&mut tx, id).await.map_err(problems::of)?;
        let services = store::services_of(&mut tx, id).await.map_err(problems::of)?;
        let registries = registries.into_iter().map(|(registry, name)| Blocker {
            reason: format!("The registry {name} signs in with it."),
            link: Some(Link { href: paths::registry(&registry), text: format!("Open {name}") }),
        });
        let services = services.into_iter().map(|(service, name)| Blocker {
            reason: format!("The service {name} pulls its image with it."),
            link: Some(Link { href: paths::service(&service), text: format!("Open {name}") }),
        });
        let blockers: Vec<Blocker> = registries.chain(services).collect();
        if !blockers.is_empty() {
            return Err(AppError::Blocked(blockers));
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

    async fn read_logins(&self, actor: &Actor, text: ImportText) -> Result<ImportId, AppError> {
        self.read_list(actor, text).await
    }

    async fn found_logins(&self, actor: &Actor, id: &ImportId) -> Result<Vec<ImportLine>, AppError> {
        self.list_lines(actor, id).await
    }

    async fn import_logins(&self, actor: &Actor, id: &ImportId, picks: Vec<ImportPick>) -> Result<usize, AppError> {
        self.import_lines(actor, id, picks).await
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

/// The form's rules, and the one that takes a look into certificates.
fn checked(fields: Result<CredentialFields, Vec<FieldError>>) -> Result<CredentialFields, AppError> {
    let fields = fields?;
    if let Some(Err(reason)) = fields.trust.ca.as_deref().map(oci::check_ca) {
        return Err(AppError::field("ca", reason));
    }
    Ok(fields)
}

/// Which fields an edit changed, for the record; never their values.
fn changes(old: &Credential, fields: &CredentialFields) -> String {
    let changed = [
        ("name", old.name != fields.name),
        ("url", old.url != fields.url),
        ("username", old.username != fields.username),
        ("password", !fields.password.is_empty()),
        ("provider", old.provider != fields.provider),
        ("namespaces", old.namespaces != fields.namespaces),
        ("internal network", old.trust.internal != fields.trust.internal),
        ("private authority", old.trust.ca != fields.trust.ca),
        ("sign-in service", old.trust.realm != fields.trust.realm),
        ("expiry date", old.expires_on != fields.expires_on),
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

fn with_link(problem: Problem, id: &CredentialId) -> Problem {
    problem.with_link(paths::credential(id), "Open the credential")
}
