//! Tokens for programs: the use cases behind `app::api::tokens`, and the command line's.
//!
//! What must always hold: a token's text is known to who made it alone, what is kept is its hash; a token that is revoked,
//! expired or whose account is gone opens nothing; a token for reading makes a reader of whoever shows it.

mod store;
mod text;

use crate::accounts::held::Shelf;
use crate::accounts::limits::Limits;
use crate::activity;
use crate::clock::{Clock, random};
use crate::problems;
use crate::storage::Db;
use app::api::tokens::{Bearer, TokenRefusal, TokensApi};
use app::error::AppError;
use app::model::account::{Action, Actor, Role};
use app::model::id::TokenId;
use app::model::secret::Secret;
use app::model::token::{MOST, Scope, Token, TokenForm, TokenState};
use async_trait::async_trait;
use std::net::IpAddr;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// How often "last used" is written.
const TOUCH_SECONDS: i64 = 60;
/// How long it is remembered that a token was good once.
const REMEMBERED_SECONDS: i64 = 90 * 86_400;

/// The use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tokens {
    db: Db,
    clock: Clock,
    limits: Arc<Limits>,
    shelf: Arc<Shelf<TokenId>>,
}

impl Tokens {
    /// The tokens of this database.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock, limits: Arc::default(), shelf: Arc::default() }
    }

    /// The token with this name that isn't revoked, for the shell.
    pub async fn named(&self, actor: &Actor, name: &str) -> Result<TokenId, AppError> {
        let tokens = self.list(actor).await?;
        let found =
            tokens.into_iter().find(|token| token.revoked_at.is_none() && token.name.eq_ignore_ascii_case(name));
        found.map(|token| token.id).ok_or_else(|| AppError::NotFound(format!("token named {name}")))
    }

    async fn find(&self, text: &Secret) -> Result<Bearer, TokenRefusal> {
        let failed = |error| TokenRefusal::Other(problems::of::<crate::storage::StorageError>(error));
        let hash = text::hash(text).ok_or(TokenRefusal::Unknown)?;
        let found = store::find(self.db.read(), &hash).await.map_err(failed)?;
        let found = found.filter(|found| bool::from(found.hash.ct_eq(&hash))).ok_or(TokenRefusal::Unknown)?;
        let now = self.clock.seconds();
        match found.token.state(now) {
            TokenState::Good => {}
            TokenState::Expired => return Err(TokenRefusal::Expired),
            TokenState::Revoked => return Err(TokenRefusal::Revoked),
        }
        if found.token.used_at.is_none_or(|at| now - at >= TOUCH_SECONDS) {
            let mut tx = self.db.write().await.map_err(failed)?;
            store::touch(&mut tx, &found.token.id, now).await.map_err(failed)?;
            tx.commit().await.map_err(|error| failed(error.into()))?;
        }
        let owner = found.owner;
        let role = match found.token.scope {
            Scope::Read => Role::Reader,
            Scope::Everything => owner.role,
        };
        // The record says who it was and with what.
        let username = format!("{} (token {})", owner.username, found.token.name);
        Ok(Bearer { token: found.token.id, actor: Actor { account: owner.account, username, role } })
    }
}

#[async_trait]
impl TokensApi for Tokens {
    async fn list(&self, actor: &Actor) -> Result<Vec<Token>, AppError> {
        actor.may(Action::ManageOwnAccount)?;
        store::list(self.db.read(), &actor.account).await.map_err(problems::of)
    }

    async fn create(&self, actor: &Actor, form: TokenForm) -> Result<(TokenId, Secret), AppError> {
        actor.may(Action::ManageOwnAccount)?;
        let fields = form.validated()?;
        let (id, text) = (TokenId::from_random(random()), text::new());
        let Some(hash) = text::hash(&text) else { return Err(AppError::NotFound("token".into())) };
        let now = self.clock.seconds();
        let mut tx = self.db.write().await.map_err(problems::of)?;
        store::forget(&mut tx, now - REMEMBERED_SECONDS).await.map_err(problems::of)?;
        let count = store::count(&mut tx, &actor.account).await.map_err(problems::of)?;
        if usize::try_from(count).is_ok_and(|count| count >= MOST) {
            let words = format!("You have {count} tokens. Revoke some that nothing uses any more.");
            return Err(AppError::field("name", words));
        }
        if !store::insert(&mut tx, &id, &actor.account, &fields, &hash, now).await.map_err(problems::of)? {
            return Err(AppError::field("name", "Another token of yours has this name. Choose a different one."));
        }
        let detail = format!("{} ({})", fields.name, fields.scope.as_str());
        activity::record(&mut tx, &self.clock, &actor.username, "token.created", id.as_str(), &detail)
            .await
            .map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)?;
        tracing::info!(token.id = %id, scope = fields.scope.as_str(), "an API token was created");
        Ok((id, text))
    }

    async fn show_once(&self, actor: &Actor, id: &TokenId, text: Secret) {
        self.shelf.put(actor, id, text, self.clock.millis());
    }

    async fn take_shown(&self, actor: &Actor, id: &TokenId) -> Option<Secret> {
        self.shelf.take(actor, id, self.clock.millis())
    }

    async fn revoke(&self, actor: &Actor, id: &TokenId) -> Result<(), AppError> {
        actor.may(Action::ManageOwnAccount)?;
        let mut tx = self.db.write().await.map_err(problems::of)?;
        let name = store::revoke(&mut tx, &actor.account, id, self.clock.seconds()).await.map_err(problems::of)?;
        let name = name.ok_or_else(|| AppError::NotFound("token that could be revoked".into()))?;
        activity::record(&mut tx, &self.clock, &actor.username, "token.revoked", id.as_str(), &name)
            .await
            .map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)?;
        tracing::info!(token.id = %id, "an API token was revoked");
        Ok(())
    }

    /// A guess at 256 bits never hits, so the limit is there for the load and the log; whoever has a good token isn't made
    /// to wait for the mistakes of others behind the same address.
    async fn authenticate(&self, from: IpAddr, text: &Secret) -> Result<Bearer, TokenRefusal> {
        let outcome = self.find(text).await;
        if matches!(outcome, Err(TokenRefusal::Unknown | TokenRefusal::Expired | TokenRefusal::Revoked)) {
            self.limits.take_token(from, self.clock.millis()).map_err(TokenRefusal::Other)?;
        }
        outcome
    }

    async fn is_good(&self, id: &TokenId) -> Result<bool, AppError> {
        store::is_good(self.db.read(), id, self.clock.seconds()).await.map_err(problems::of)
    }
}
