//! What starts builds and deployments from outside: webhooks of git hosts, and the signed deploy hook.
//!
//! What must always hold: nothing is looked at before its signature is right; a delivery does its work once, because its
//! row and what it starts are written in one transaction; who isn't signed learns nothing.
//!
//! `signature` says who sends; `payload` what it tells; `wish` what that asks for; `rate` how often.

mod payload;
mod rate;
mod signature;
mod store;
mod wish;

use crate::accounts::held::Shelf;
use crate::accounts::limits::Limits;
use crate::activity;
use crate::builds::{Ask, Builds};
use crate::clock::{Clock, random, random_token};
use crate::config::Config;
use crate::jobs::Jobs;
use crate::problems;
use crate::services::{Ready, Services};
use crate::storage::{Db, Tx};
use crate::vault::{Vault, VaultError};
use app::api::triggers::{Answer, Incoming, Refusal, TriggersApi};
use app::error::AppError;
use app::model::account::{Action, Actor};
use app::model::id::{BuildId, DeploymentId, ServiceId, TriggerId};
use app::model::secret::Secret;
use app::model::trigger::{Delivery, Outcome, Trigger, TriggerForm};
use async_trait::async_trait;
use signature::{Bad, Sender};
use std::sync::Arc;
use wish::Wish;

/// The name of a trigger's secret; its owner is `<service>:trigger`.
const SECRET: &str = "secret";

/// What triggers work with.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// What time it is.
    pub clock: Clock,
    /// Seals secrets.
    pub vault: Vault,
    /// Woken when something was queued.
    pub jobs: Jobs,
    /// What is built.
    pub builds: Builds,
    /// What is deployed.
    pub services: Services,
    /// Where Slipway is reached.
    pub config: Config,
}

/// Triggers of services. Cheap to clone.
#[derive(Clone)]
pub struct Triggers {
    inner: Arc<Inner>,
}

struct Inner {
    parts: Parts,
    rate: rate::Rate,
    limits: Limits,
    shelf: Shelf<ServiceId>,
}

impl std::ops::Deref for Inner {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

/// A signed request, with what it asks for.
struct Signed<'a> {
    trigger: &'a Trigger,
    delivery: String,
    host: &'static str,
    event: String,
}

fn owner(service: &ServiceId) -> String {
    format!("{service}:trigger")
}

/// What people are told who send something again.
const AGAIN: &str = "This delivery came before. Nothing was done again.";

impl Triggers {
    /// The use cases over their parts.
    pub fn new(parts: Parts) -> Self {
        let inner = Inner { parts, rate: rate::Rate::default(), limits: Limits::default(), shelf: Shelf::default() };
        Self { inner: Arc::new(inner) }
    }

    async fn write(&self) -> Result<Tx, AppError> {
        self.inner.db.write().await.map_err(problems::of)
    }

    async fn seal(&self, tx: &mut Tx, service: &ServiceId) -> Result<Secret, AppError> {
        let (inner, secret) = (&self.inner, Secret::new(random_token()));
        inner
            .vault
            .put(tx, &inner.clock, &owner(service), SECRET, &secret)
            .await
            .map_err(problems::of::<VaultError>)?;
        Ok(secret)
    }

    async fn record(&self, tx: &mut Tx, actor: &Actor, verb: &str, service: &ServiceId) -> Result<(), AppError> {
        activity::record(tx, &self.inner.clock, &actor.username, verb, service.as_str(), "").await.map_err(problems::of)
    }

    /// Who sends, by what is signed; whoever isn't has to wait after a while.
    fn signed<'a>(&self, trigger: &'a Trigger, incoming: &Incoming, secret: &Secret) -> Result<Signed<'a>, Refusal> {
        let now = self.inner.clock.seconds();
        let refuse = || {
            self.inner.rate.refuse(&trigger.id, now);
            match self.inner.limits.take_token(incoming.from, self.inner.clock.millis()) {
                Ok(()) => Refusal::Unsigned,
                Err(error) => Refusal::Other(error),
            }
        };
        if incoming.is_deploy_hook {
            let delivery = signature::deploy_hook(incoming, secret, now).map_err(|bad| match bad {
                Bad::Wrong => refuse(),
                Bad::Stale => Refusal::Malformed(
                    "The signature's time is more than five minutes from this server's. Sign it anew, and check the clocks."
                        .into(),
                ),
            })?;
            return Ok(Signed { trigger, delivery, host: "Deploy hook", event: "deploy".into() });
        }
        let Some((sender, event)) = Sender::of(incoming) else { return Err(refuse()) };
        if !sender.is_signed(incoming, secret) {
            return Err(refuse());
        }
        let delivery = sender.delivery(incoming);
        Ok(Signed { trigger, delivery, host: sender.name(), event: payload::clean(event) })
    }

    /// Does what a delivery asks for, once, and writes down what became of it.
    async fn fulfil(&self, signed: &Signed<'_>, wish: Wish) -> Result<Answer, Refusal> {
        let outcome = match &wish {
            Wish::Nothing(_) => Outcome::Ignored,
            Wish::Build { .. } | Wish::Deploy { .. } => Outcome::Started,
        };
        match self.begin(signed, outcome, wish).await {
            Ok(answer) => Ok(answer),
            Err(error) => {
                self.failed(signed, &error.to_string()).await.map_err(Refusal::Other)?;
                Err(Refusal::Other(error))
            }
        }
    }

    async fn begin(&self, signed: &Signed<'_>, outcome: Outcome, wish: Wish) -> Result<Answer, AppError> {
        let reason = wish.reason().to_owned();
        let mut tx = self.write().await?;
        if !store::take(&mut tx, &self.came(signed, outcome, &reason)).await.map_err(problems::of)? {
            return Ok(Answer { outcome: None, reason: AGAIN.into(), started: None });
        }
        let started = match wish {
            Wish::Nothing(_) => None,
            Wish::Build { asks, .. } => self.build(&mut tx, signed, asks).await?.map(|id| id.to_string()),
            Wish::Deploy { ready, by, .. } => Some(self.deploy(&mut tx, signed, *ready, &by).await?.to_string()),
        };
        tx.commit().await.map_err(problems::of)?;
        self.inner.jobs.wake();
        Ok(Answer { outcome: Some(outcome), reason, started })
    }

    async fn build(&self, tx: &mut Tx, signed: &Signed<'_>, asks: Vec<Ask>) -> Result<Option<BuildId>, AppError> {
        let mut last = None;
        for ask in asks {
            last = Some(self.inner.builds.ask_in(tx, ask).await?);
        }
        store::started(tx, &signed.trigger.id, &signed.delivery, last.as_ref(), None).await.map_err(problems::of)?;
        Ok(last)
    }

    async fn deploy(&self, tx: &mut Tx, signed: &Signed<'_>, ready: Ready, by: &str) -> Result<DeploymentId, AppError> {
        let id = self.inner.services.deploy_ready(tx, ready, by).await?;
        store::started(tx, &signed.trigger.id, &signed.delivery, None, Some(&id)).await.map_err(problems::of)?;
        Ok(id)
    }

    /// It couldn't begin. The same delivery may come again.
    async fn failed(&self, signed: &Signed<'_>, reason: &str) -> Result<(), AppError> {
        let mut tx = self.write().await?;
        store::take(&mut tx, &self.came(signed, Outcome::Failed, reason)).await.map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)
    }

    fn came<'a>(&self, signed: &'a Signed<'_>, outcome: Outcome, reason: &'a str) -> store::Came<'a> {
        store::Came {
            trigger: &signed.trigger.id,
            delivery: &signed.delivery,
            at: self.inner.clock.millis(),
            host: signed.host,
            event: &signed.event,
            outcome,
            reason,
        }
    }

    async fn open(&self, id: &TriggerId) -> Result<Option<Trigger>, AppError> {
        let found = store::find(self.inner.db.read(), id).await.map_err(problems::of)?;
        Ok(found.filter(|trigger| trigger.enabled))
    }
}

#[async_trait]
impl TriggersApi for Triggers {
    async fn of_service(&self, actor: &Actor, service: &ServiceId) -> Result<Option<Trigger>, AppError> {
        actor.may(Action::ManageServices)?;
        let found = store::of_service(self.inner.db.read(), service).await.map_err(problems::of)?;
        Ok(found.map(|trigger| Trigger { refused: self.inner.rate.refused(&trigger.id), ..trigger }))
    }

    async fn deliveries(&self, actor: &Actor, id: &TriggerId) -> Result<Vec<Delivery>, AppError> {
        actor.may(Action::ManageServices)?;
        store::deliveries(self.inner.db.read(), id).await.map_err(problems::of)
    }

    async fn save(&self, actor: &Actor, service: &ServiceId, form: TriggerForm) -> Result<Option<Secret>, AppError> {
        actor.may(Action::ManageServices)?;
        let fields = form.validated()?;
        // A service that is deleted gets none.
        self.inner.services.source_of(service).await?;
        let mut tx = self.write().await?;
        let secret = match store::of_service(&mut *tx, service).await.map_err(problems::of)? {
            Some(_) => {
                store::update(&mut tx, service, &fields).await.map_err(problems::of)?;
                self.record(&mut tx, actor, "trigger.changed", service).await?;
                None
            }
            None => {
                let id = TriggerId::from_random(random());
                store::insert(&mut tx, &id, service, &fields, self.inner.clock.seconds())
                    .await
                    .map_err(problems::of)?;
                self.record(&mut tx, actor, "trigger.created", service).await?;
                Some(self.seal(&mut tx, service).await?)
            }
        };
        tx.commit().await.map_err(problems::of)?;
        Ok(secret)
    }

    async fn renew(&self, actor: &Actor, service: &ServiceId) -> Result<Secret, AppError> {
        actor.may(Action::ManageServices)?;
        let mut tx = self.write().await?;
        if store::of_service(&mut *tx, service).await.map_err(problems::of)?.is_none() {
            return Err(AppError::NotFound("trigger".into()));
        }
        let secret = self.seal(&mut tx, service).await?;
        self.record(&mut tx, actor, "trigger.renewed", service).await?;
        tx.commit().await.map_err(problems::of)?;
        Ok(secret)
    }

    async fn delete(&self, actor: &Actor, service: &ServiceId) -> Result<(), AppError> {
        actor.may(Action::ManageServices)?;
        let mut tx = self.write().await?;
        if !store::delete(&mut tx, service).await.map_err(problems::of)? {
            return Err(AppError::NotFound("trigger".into()));
        }
        self.inner.vault.forget(&mut tx, &owner(service)).await.map_err(problems::of::<VaultError>)?;
        self.record(&mut tx, actor, "trigger.deleted", service).await?;
        tx.commit().await.map_err(problems::of)
    }

    async fn show_once(&self, actor: &Actor, service: &ServiceId, secret: Secret) {
        self.inner.shelf.put(actor, service, secret, self.inner.clock.millis());
    }

    async fn take_shown(&self, actor: &Actor, service: &ServiceId) -> Option<Secret> {
        self.inner.shelf.take(actor, service, self.inner.clock.millis())
    }

    fn public_url(&self) -> Option<String> {
        self.inner.config.public_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned())
    }

    async fn is_open(&self, id: &TriggerId) -> Result<bool, AppError> {
        Ok(self.open(id).await?.is_some())
    }

    async fn deliver(&self, id: &TriggerId, incoming: Incoming) -> Result<Answer, Refusal> {
        let inner = &self.inner;
        let trigger = self.open(id).await.map_err(Refusal::Other)?.ok_or(Refusal::Unknown)?;
        let secret = inner.vault.get(inner.db.read(), &owner(&trigger.service), SECRET).await;
        let secret = secret.map_err(|error| Refusal::Other(problems::of(error)))?;
        let signed = self.signed(&trigger, &incoming, &secret)?;
        inner.rate.take(id, inner.clock.millis()).map_err(Refusal::Other)?;
        let wish = if incoming.is_deploy_hook {
            self.of_hook(&trigger, &incoming.body).await
        } else {
            self.of_push(&trigger, &incoming).await
        };
        match wish {
            Ok(wish) => self.fulfil(&signed, wish).await,
            Err(refusal) => {
                let reason = match &refusal {
                    Refusal::Malformed(words) => words.clone(),
                    Refusal::Other(error) => error.to_string(),
                    Refusal::Unknown | Refusal::Unsigned => return Err(refusal),
                };
                self.failed(&signed, &reason).await.map_err(Refusal::Other)?;
                Err(refusal)
            }
        }
    }
}
