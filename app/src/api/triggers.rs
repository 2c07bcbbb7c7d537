//! What starts a service's builds and deployments from outside.
#![expect(missing_docs, reason = "the server macro makes structs without documentation")]

use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::id::{ServiceId, TriggerId};
use crate::model::secret::Secret;
use crate::model::trigger::{Delivery, Outcome, Trigger, TriggerForm};
use crate::{paths, request};
use async_trait::async_trait;
use leptos::prelude::*;
use std::net::IpAddr;

/// A request at a trigger's address.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Where it comes from.
    pub from: IpAddr,
    /// Its headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body as it came: that is what is signed.
    pub body: Vec<u8>,
    /// Whether it came to the deploy hook, and not from a git host.
    pub is_deploy_hook: bool,
}

impl Incoming {
    /// A header's value; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What the sender is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What became of it; None: the same delivery came before.
    pub outcome: Option<Outcome>,
    /// In words.
    pub reason: String,
    /// A build's or deployment's id.
    pub started: Option<String>,
}

/// Why a request isn't answered as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such trigger, or it is off.
    Unknown,
    /// The signature is missing or wrong.
    Unsigned,
    /// It is signed, but can't be understood; what is wrong.
    Malformed(String),
    /// Too many came, or we failed, or the world did.
    Other(AppError),
}

/// Triggers of services.
#[async_trait]
pub trait TriggersApi: Send + Sync {
    /// A service's, if it has one.
    async fn of_service(&self, actor: &Actor, service: &ServiceId) -> Result<Option<Trigger>, AppError>;
    /// What came to it last, newest first.
    async fn deliveries(&self, actor: &Actor, id: &TriggerId) -> Result<Vec<Delivery>, AppError>;
    /// Makes it or changes it; the secret of a new one.
    async fn save(&self, actor: &Actor, service: &ServiceId, form: TriggerForm) -> Result<Option<Secret>, AppError>;
    /// Makes a new secret; the old one is no longer good.
    async fn renew(&self, actor: &Actor, service: &ServiceId) -> Result<Secret, AppError>;
    /// Takes it away, with the list of what came.
    async fn delete(&self, actor: &Actor, service: &ServiceId) -> Result<(), AppError>;
    /// Keeps a new secret in memory, for the one look of the page that follows.
    async fn show_once(&self, actor: &Actor, service: &ServiceId, secret: Secret);
    /// That look. None: it was taken, its time is over, or it is somebody else's.
    async fn take_shown(&self, actor: &Actor, service: &ServiceId) -> Option<Secret>;
    /// Where its addresses begin as the configuration has it; None: where the page was asked for.
    fn public_url(&self) -> Option<String>;
    /// Whether anything is taken at this address; asked before a body is read.
    async fn is_open(&self, id: &TriggerId) -> Result<bool, AppError>;
    /// Takes a request from outside.
    async fn deliver(&self, id: &TriggerId, incoming: Incoming) -> Result<Answer, Refusal>;
}

/// Makes or changes a service's trigger.
#[server(prefix = "/api", endpoint = "triggers/save")]
pub async fn save_trigger(service: ServiceId, form: TriggerForm) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        if let Some(secret) = backend.triggers.save(&actor, &service, form).await? {
            backend.triggers.show_once(&actor, &service, secret).await;
        }
        request::see(paths::triggers(&service), "Trigger saved.")
    })
    .await
}

/// Makes a new secret.
#[server(prefix = "/api", endpoint = "triggers/renew")]
pub async fn renew_trigger(service: ServiceId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        let secret = backend.triggers.renew(&actor, &service).await?;
        backend.triggers.show_once(&actor, &service, secret).await;
        request::see(paths::triggers(&service), "From now on the new secret counts.")
    })
    .await
}

/// Takes a service's trigger away.
#[server(prefix = "/api", endpoint = "triggers/delete")]
pub async fn delete_trigger(service: ServiceId) -> Result<(), AppError> {
    request::answer(async {
        let (actor, backend) = request::signed_in()?;
        backend.triggers.delete(&actor, &service).await?;
        request::see(paths::triggers(&service), "Trigger deleted. Its address answers no more.")
    })
    .await
}
