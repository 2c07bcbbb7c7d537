//! People, sign-in, first run.
//!
//! What must always hold: passwords are kept as argon2id hashes only; whoever guesses is slowed down before a hash is
//! computed, and a wrong name costs what a wrong password costs; a password that changes ends the other sessions.

pub mod held;
pub mod limits;
mod password;
mod setup_token;
mod store;

use crate::activity;
use crate::clock::{Clock, random};
use crate::http::session::hash_id;
use crate::problems;
use crate::storage::{Db, Tx};
use app::api::accounts::{AccountsApi, Client};
use app::error::{AppError, FieldError};
use app::model::account::{
    Action, Actor, PASSWORD_MAX, PasswordForm, Role, SessionInfo, SetupForm, SignInForm, new_password, username,
};
use app::model::id::AccountId;
use app::model::secret::Secret;
use async_trait::async_trait;
use limits::Limits;
use password::Passwords;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The use cases behind `app::api::accounts`, and the command line's. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Accounts {
    db: Db,
    clock: Clock,
    passwords: Passwords,
    limits: Arc<Limits>,
    /// Once true, always true: the last account can't be deleted.
    is_set_up: Arc<AtomicBool>,
}

impl Accounts {
    /// The accounts of this database.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock, passwords: Passwords::default(), limits: Arc::default(), is_set_up: Arc::default() }
    }

    /// A new one-time token for the set-up page; the one before is void. None: somebody has an account already.
    pub async fn renew_setup_token(&self) -> Result<Option<String>, AppError> {
        let mut tx = self.db.write().await.map_err(problems::of)?;
        if store::any_account(&mut *tx).await.map_err(problems::of)? {
            return Ok(None);
        }
        let token = setup_token::new();
        let expires_at = self.clock.seconds() + setup_token::VALID_SECONDS;
        store::put_setup_token(&mut tx, &setup_token::hash(&token), expires_at).await.map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)?;
        Ok(Some(token))
    }

    /// Creates an account from the shell, also while the server runs.
    pub async fn create(&self, name: &str, password: &Secret) -> Result<Actor, AppError> {
        let name = username("username", name)?;
        new_password("password", password)?;
        let hash = self.passwords.hash(password).await?;
        let mut tx = self.db.write().await.map_err(problems::of)?;
        if store::find_by_name(&mut *tx, &name).await.map_err(problems::of)?.is_some() {
            return Err(AppError::field("username", format!("There is an account named {name} already.")));
        }
        let actor = self.insert(&mut tx, name, &hash, "shell").await?;
        tx.commit().await.map_err(problems::of)?;
        Ok(actor)
    }

    /// The account of this name, for the shell.
    pub async fn named(&self, name: &str) -> Result<Actor, AppError> {
        let name = username("username", name)?;
        let found = store::find_by_name(self.db.read(), &name).await.map_err(problems::of)?;
        found.map(|account| account.actor).ok_or_else(|| AppError::NotFound(format!("account named {name}")))
    }

    /// Sets a new password from the shell and ends all sessions of the account, also while the server runs.
    pub async fn reset_password(&self, name: &str, password: &Secret) -> Result<(), AppError> {
        let name = username("username", name)?;
        new_password("password", password)?;
        let hash = self.passwords.hash(password).await?;
        let mut tx = self.db.write().await.map_err(problems::of)?;
        let Some(account) = store::find_by_name(&mut *tx, &name).await.map_err(problems::of)? else {
            return Err(AppError::NotFound(format!("account named {name}")));
        };
        let now = self.clock.seconds();
        store::set_password(&mut tx, &account.actor.account, &hash, now).await.map_err(problems::of)?;
        store::end_sessions(&mut tx, &account.actor.account, None).await.map_err(problems::of)?;
        store::forget_devices(&mut tx, &account.actor.account).await.map_err(problems::of)?;
        self.record(&mut tx, "shell", "reset the password", &account.actor.account).await?;
        tx.commit().await.map_err(problems::of)?;
        Ok(())
    }

    async fn insert(&self, tx: &mut Tx, name: String, hash: &str, by: &str) -> Result<Actor, AppError> {
        let actor = Actor { account: AccountId::from_random(random()), username: name, role: Role::Owner };
        store::insert(tx, &actor, hash, self.clock.seconds()).await.map_err(problems::of)?;
        store::drop_setup_token(tx).await.map_err(problems::of)?;
        self.record(tx, by, "created the account", &actor.account).await?;
        Ok(actor)
    }

    async fn record(&self, tx: &mut Tx, by: &str, verb: &str, account: &AccountId) -> Result<(), AppError> {
        activity::record(tx, &self.clock, by, verb, account.as_str(), "").await.map_err(problems::of)
    }

    /// Takes note of a failed sign-in, once a minute for each account, however many there are.
    async fn record_failures(&self, name: &str) -> Result<(), AppError> {
        let Some(count) = self.limits.failures_to_record(name, self.clock.millis()) else { return Ok(()) };
        let mut tx = self.db.write().await.map_err(problems::of)?;
        // What was typed may be a password in the wrong field: only names of accounts are kept.
        let known = store::find_by_name(&mut *tx, name).await.map_err(problems::of)?;
        let subject = known.map_or_else(|| "unknown account".to_owned(), |account| account.actor.account.to_string());
        let detail = format!("{count} since the last entry");
        activity::record(&mut tx, &self.clock, "slipway", "refused sign-in", &subject, &detail)
            .await
            .map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)
    }

    /// From now on this browser is one that signed in to the account.
    async fn remember(&self, tx: &mut Tx, client: &Client, account: &AccountId) -> Result<(), AppError> {
        let Some(token) = &client.known_device else { return Ok(()) };
        store::remember_device(tx, &hash_id(token), account, self.clock.seconds()).await.map_err(problems::of)
    }

    /// The device token's hash, if this browser signed in to this account before.
    async fn known_device(
        &self,
        client: &Client,
        account: Option<&store::Account>,
    ) -> Result<Option<[u8; 32]>, AppError> {
        let (Some(token), Some(account)) = (&client.known_device, account) else { return Ok(None) };
        let hash = hash_id(token);
        let is_known =
            store::is_device_of(self.db.read(), &hash, &account.actor.account).await.map_err(problems::of)?;
        Ok(is_known.then_some(hash))
    }
}

#[async_trait]
impl AccountsApi for Accounts {
    async fn needs_setup(&self) -> Result<bool, AppError> {
        if self.is_set_up.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let any = store::any_account(self.db.read()).await.map_err(problems::of)?;
        self.is_set_up.fetch_or(any, Ordering::Relaxed);
        Ok(!any)
    }

    async fn set_up(&self, client: &Client, form: SetupForm) -> Result<Actor, AppError> {
        let mut errors = Vec::new();
        let name = username("username", &form.username).map_err(|error| errors.push(error)).ok();
        errors.extend(new_password("password", &form.password).err());
        if form.password != form.repeat {
            errors.push(FieldError::new("repeat", "This is not the same password."));
        }
        self.limits.take_setup(client.address, self.clock.millis())?;
        let given = setup_token::hash(form.token.expose("it is compared with the stored hash"));
        // Looked at before the costly hash, and again in the transaction that uses it up.
        let stored = store::setup_token(self.db.read()).await.map_err(problems::of)?;
        errors.extend(setup_token::check(stored.as_ref(), &given, self.clock.seconds()).err());
        let (true, Some(name)) = (errors.is_empty(), name) else { return Err(AppError::Invalid(errors)) };

        let hash = self.passwords.hash(&form.password).await?;
        let mut tx = self.db.write().await.map_err(problems::of)?;
        let stored = store::setup_token(&mut *tx).await.map_err(problems::of)?;
        setup_token::check(stored.as_ref(), &given, self.clock.seconds())?;
        if store::any_account(&mut *tx).await.map_err(problems::of)? {
            return Err(AppError::field("token", "Slipway has been set up already. Sign in instead."));
        }
        let actor = self.insert(&mut tx, name.clone(), &hash, &name).await?;
        self.remember(&mut tx, client, &actor.account).await?;
        tx.commit().await.map_err(problems::of)?;
        self.limits.give_back_setup(client.address);
        Ok(actor)
    }

    async fn sign_in(&self, client: &Client, form: SignInForm) -> Result<Actor, AppError> {
        let wrong = || AppError::field("password", "The user name or the password is wrong.");
        // A name that breaks the rules belongs to nobody; it is treated as one that belongs to nobody.
        let name = username("username", &form.username).unwrap_or_else(|_| String::from("?"));
        if form.password.len() > PASSWORD_MAX {
            return Err(AppError::field("password", format!("A password has at most {PASSWORD_MAX} bytes.")));
        }
        let account = store::find_by_name(self.db.read(), &name).await.map_err(problems::of)?;
        let device = self.known_device(client, account.as_ref()).await?;
        let taken = match self.limits.take_sign_in(&name, client.address, device, self.clock.millis()) {
            Ok(taken) => taken,
            Err(wait) => {
                self.record_failures(&name).await?;
                return Err(wait);
            }
        };
        let stored = account.as_ref().map(|account| account.password_hash.as_str());
        if !self.passwords.verify(&form.password, stored).await? {
            self.record_failures(&name).await?;
            return Err(wrong());
        }
        let Some(account) = account else { return Err(wrong()) };
        self.limits.give_back(&taken);
        let mut tx = self.db.write().await.map_err(problems::of)?;
        self.remember(&mut tx, client, &account.actor.account).await?;
        self.record(&mut tx, &account.actor.username, "signed in", &account.actor.account).await?;
        tx.commit().await.map_err(problems::of)?;
        Ok(account.actor)
    }

    async fn change_password(&self, actor: &Actor, session: &str, form: PasswordForm) -> Result<(), AppError> {
        actor.may(Action::ManageOwnAccount)?;
        let mut errors = Vec::new();
        errors.extend(new_password("password", &form.password).err());
        if form.password != form.repeat {
            errors.push(FieldError::new("repeat", "This is not the same password."));
        }
        if form.current.len() > PASSWORD_MAX {
            errors.push(FieldError::new("current", "This is not your password."));
        }
        if !errors.is_empty() {
            return Err(AppError::Invalid(errors));
        }
        let account = store::get(self.db.read(), &actor.account).await.map_err(problems::of)?;
        let Some(account) = account else { return Err(AppError::SignIn) };
        // A stolen session must not be a place to guess the password at.
        let taken = self.limits.take_own(&actor.account, self.clock.millis())?;
        if !self.passwords.verify(&form.current, Some(&account.password_hash)).await? {
            return Err(AppError::field("current", "This is not your password."));
        }
        self.limits.give_back(&taken);
        let hash = self.passwords.hash(&form.password).await?;
        let mut tx = self.db.write().await.map_err(problems::of)?;
        store::set_password(&mut tx, &actor.account, &hash, self.clock.seconds()).await.map_err(problems::of)?;
        store::end_sessions(&mut tx, &actor.account, Some(&hash_id(session))).await.map_err(problems::of)?;
        self.record(&mut tx, &actor.username, "changed the password", &actor.account).await?;
        tx.commit().await.map_err(problems::of)?;
        Ok(())
    }

    async fn sessions(&self, actor: &Actor, session: &str) -> Result<Vec<SessionInfo>, AppError> {
        actor.may(Action::ManageOwnAccount)?;
        store::sessions(self.db.read(), &actor.account, &hash_id(session), self.clock.seconds())
            .await
            .map_err(problems::of)
    }

    async fn sign_out_everywhere(&self, actor: &Actor) -> Result<(), AppError> {
        actor.may(Action::ManageOwnAccount)?;
        let mut tx = self.db.write().await.map_err(problems::of)?;
        store::end_sessions(&mut tx, &actor.account, None).await.map_err(problems::of)?;
        self.record(&mut tx, &actor.username, "signed out everywhere", &actor.account).await?;
        tx.commit().await.map_err(problems::of)?;
        Ok(())
    }
}
