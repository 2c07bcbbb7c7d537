//! A new registry: what is asked for is checked while somebody waits, then a job brings it up. When that fails, all that it
//! made goes again, the row stays, and it can be tried again.

use super::apply::Start;
use super::bring_up::{TRIES, id_of};
use super::keys::new_password;
use super::record::{Record, Wanted};
use super::{Registries, name_is_taken, names, store, store_managed};
use crate::clock::random;
use crate::jobs::{Handler, JobContext, JobError, Lane, NewJob};
use crate::problems;
use crate::s3::{self, Keys};
use crate::storage::Tx;
use app::error::{AppError, Blocker, Link, Problem};
use app::model::account::Actor;
use app::model::credential::RegistryUrl;
use app::model::id::{JobId, RegistryId};
use app::model::registry::{ManagedForm, Phase, RegistryFields, Storage, StorageFields};
use app::paths;
use async_trait::async_trait;

/// The job's kind.
pub(super) const KIND: &str = "create_registry";
/// The user of every managed registry.
const USERNAME: &str = "slipway";

/// Brings a new registry up.
pub(super) struct Create(pub(super) Registries);

#[async_trait]
impl Handler for Create {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, payload: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        let id = id_of(payload)?;
        let outcome = self.0.create_in_swarm(&id, cx).await;
        if matches!(outcome, Err(JobError::Cancelled)) {
            // There is more time here than in the undo that follows a cancel.
            self.0.take_down(&id, cx).await;
        }
        outcome
    }

    async fn undo(&self, payload: &serde_json::Value, cx: &JobContext) {
        if let Ok(id) = id_of(payload) {
            self.0.take_down(&id, cx).await;
        }
    }
}

impl Registries {
    async fn create_in_swarm(&self, id: &RegistryId, cx: &JobContext) -> Result<(), JobError> {
        let mut record = self.load(id).await?;
        cx.log(&format!("Registry {}, from then on at 127.0.0.1:{} on every node.", record.name, record.port));
        record.wanted.image = cx.step("image", "Find the image", self.pin(&record, cx)).await?;
        self.bring_up(&record, Start::Run, cx).await?;
        self.prove(&record, cx).await
    }

    /// Checks what was typed, keeps it, and asks for the job.
    pub(super) async fn ask_for_creation(
        &self,
        actor: &Actor,
        form: ManagedForm,
    ) -> Result<(RegistryId, JobId), AppError> {
        let fields = form.validated(true)?;
        let id = RegistryId::from_random(random());
        // Asked here too, so that a taken name costs no look at Docker; the index has the last word.
        if store::has_name(self.parts.db.read(), &fields.name).await.map_err(problems::of)? {
            return Err(name_is_taken());
        }
        let reach = self.reach_now().await?;
        let port = self.choose_port(fields.port).await?;
        let (storage, node, keys) = match fields.storage {
            StorageFields::Volume(name) => {
                let node = self.parts.docker.own_node().await.map_err(|error| error.problem())?;
                if let Some(name) = &name {
                    self.check_volume(name).await?;
                }
                let name = name.unwrap_or_else(|| names::service(&id));
                (Storage::Volume { name }, node, None)
            }
            StorageFields::S3(s3) => {
                let keys = Keys { access: s3.access_key, secret: s3.secret_key };
                s3::probe(&s3.place, &keys).await?;
                (Storage::S3(s3.place), None, Some(keys))
            }
        };
        let image = fields.image.unwrap_or_else(|| self.parts.config.registry_image.clone()).to_string();
        let wanted =
            Wanted { image, domain: fields.domain, storage, keys: i64::from(keys.is_some()), read_only: false };

        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        let url: RegistryUrl = address(port)?;
        let credential =
            self.parts.credentials.create_owned(&mut tx, &id, &fields.name, url, USERNAME, &new_password()).await?;
        let now = self.parts.clock.seconds();
        let row = RegistryFields {
            name: fields.name.clone(),
            credential: credential.clone(),
            base_path: None,
            is_default: false,
            platforms: fields.platforms,
        };
        if !store::insert(&mut tx, &id, &row, false, now).await.map_err(problems::of)? {
            return Err(name_is_taken());
        }
        let record = Record {
            id: id.clone(),
            name: fields.name.clone(),
            credential,
            phase: Phase::Creating,
            wants_default: fields.is_default,
            keep_data: false,
            port,
            reach,
            node,
            volume_created: None,
            wanted,
            revision: 1,
            settled: None,
        };
        if !store_managed::insert(&mut tx, &record).await.map_err(problems::of)? {
            return Err(AppError::field("port", format!("Another registry has port {port}. Choose a different one.")));
        }
        self.keep_http_secret(&mut tx, &id).await?;
        if let Some(keys) = keys {
            self.keep_keys(&mut tx, &id, 1, &keys).await?;
        }
        let job = self.enqueue(&mut tx, KIND, &id, serde_json::json!({}), &actor.username).await?;
        self.record(&mut tx, actor, "created", &id, &fields.name).await?;
        tx.commit().await.map_err(problems::of)?;
        self.parts.jobs.wake();
        tracing::info!(registry.id = %id, port, "a managed registry was asked for");
        Ok((id, job))
    }

    /// Tries the creation of a failed one again.
    pub(super) async fn ask_for_retry(&self, actor: &Actor, id: &RegistryId) -> Result<JobId, AppError> {
        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        let record = self.idle(&mut tx, id).await?;
        if record.phase != Phase::Failed {
            return Err(blocked(id, "It was created already, so there is nothing to try again."));
        }
        // What the last try left, if anything, has other names.
        store_managed::set_wanted(&mut tx, id, &record.wanted, record.revision + 1).await.map_err(problems::of)?;
        store_managed::set_phase(&mut tx, id, Phase::Creating).await.map_err(problems::of)?;
        let job = self.enqueue(&mut tx, KIND, id, serde_json::json!({}), &actor.username).await?;
        self.record(&mut tx, actor, "retried", id, &record.name).await?;
        tx.commit().await.map_err(problems::of)?;
        self.parts.jobs.wake();
        Ok(job)
    }

    /// Asks for a job about a registry; wake the jobs after the commit. `more` comes on top of the registry's id.
    pub(super) async fn enqueue(
        &self,
        tx: &mut Tx,
        kind: &'static str,
        id: &RegistryId,
        more: serde_json::Value,
        asked_by: &str,
    ) -> Result<JobId, AppError> {
        let mut payload = more;
        payload["registry"] = serde_json::json!(id);
        let job = NewJob {
            kind,
            payload,
            subject: names::subject(id),
            key: None,
            lane: Lane::Swarm,
            resource: None,
            asked_by: asked_by.to_owned(),
            max_attempts: TRIES,
        };
        self.parts.jobs.enqueue(tx, job).await.map_err(problems::of)
    }

    /// A registry about which no job is under way: two wishes at once would undo each other.
    pub(super) async fn idle(&self, tx: &mut Tx, id: &RegistryId) -> Result<Record, AppError> {
        let record = store_managed::record_of(&mut **tx, id).await.map_err(problems::of)?;
        let record = record.ok_or_else(|| AppError::NotFound("managed registry".into()))?;
        if let Some((_, job)) = store_managed::unfinished_job(tx, &names::subject(id)).await.map_err(problems::of)? {
            return Err(AppError::Blocked(vec![Blocker {
                reason: format!(
                    "Something else is under way with {}. Wait until it is done, or cancel it.",
                    record.name
                ),
                link: Some(Link { href: paths::job(&job), text: "Open the job".into() }),
            }]));
        }
        Ok(record)
    }
}

pub(super) fn blocked(id: &RegistryId, reason: &str) -> AppError {
    AppError::Blocked(vec![Blocker {
        reason: reason.into(),
        link: Some(Link { href: paths::registry(id), text: "Open the registry".into() }),
    }])
}

/// What every node calls it.
fn address(port: u16) -> Result<RegistryUrl, AppError> {
    let text = format!("http://127.0.0.1:{port}");
    text.parse().map_err(|error| Problem::new("registry.address", format!("{error}"), "Choose another port.").into())
}
