//! A registry with other settings. What reaches the Swarm becomes a new revision, which a job brings up; when it doesn't
//! pass the probe, the settings of before come back, as a revision of their own.

use super::apply::Start;
use super::bring_up::id_of;
use super::create::blocked;
use super::record::{Record, Wanted};
use super::{Registries, create, name_is_taken, not_found, stale, store, store_managed};
use crate::jobs::{self, Handler, JobContext, JobError};
use crate::problems;
use crate::s3::{self, Keys};
use app::error::{AppError, FieldError, Problem};
use app::model::account::Actor;
use app::model::id::{JobId, RegistryId};
use app::model::image_ref::ImageRef;
use app::model::registry::{
    ManagedFields, ManagedForm, Phase, RegistryFields, S3Fields, S3Place, Storage, StorageFields,
};
use async_trait::async_trait;

/// The job's kind.
pub(super) const KIND: &str = "change_registry";

/// Changes registries.
pub(super) struct Change(pub(super) Registries);

#[async_trait]
impl Handler for Change {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, payload: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        let (id, revision) = (id_of(payload)?, revision_of(payload)?);
        let registries = &self.0;
        match registries.change_in_swarm(&id, revision, cx).await {
            Err(JobError::Fail(problem)) => {
                Err(JobError::Fail(registries.return_from(&id, revision, problem, cx).await))
            }
            outcome => outcome,
        }
    }

    /// After a cancel, and when Docker was away for too long.
    async fn undo(&self, payload: &serde_json::Value, cx: &JobContext) {
        if let (Ok(id), Ok(revision)) = (id_of(payload), revision_of(payload))
            && let Err(JobError::Retry { problem, .. } | JobError::Fail(problem)) =
                self.0.go_back(&id, revision, cx).await
        {
            cx.log(&format!("The settings of before couldn't be brought back: {problem}"));
        }
    }
}

/// The revision that a job is to bring up.
pub(super) fn revision_of(payload: &serde_json::Value) -> Result<i64, JobError> {
    serde_json::from_value(payload["revision"].clone()).map_err(jobs::internal)
}

impl Registries {
    async fn change_in_swarm(&self, id: &RegistryId, revision: i64, cx: &JobContext) -> Result<(), JobError> {
        let mut record = self.load(id).await?;
        if record.revision != revision {
            // It was done, or undone, before Slipway was interrupted.
            cx.log(&format!("Revision {} is asked for by now.", record.revision));
            return Ok(());
        }
        record.wanted.image = cx.step("image", "Find the image", self.pin(&record, cx)).await?;
        self.bring_up(&record, Start::Run, cx).await?;
        self.prove(&record, cx).await
    }

    /// Brings the settings of before back, visibly; what people read of the failure then.
    pub(super) async fn return_from(
        &self,
        id: &RegistryId,
        revision: i64,
        problem: Problem,
        cx: &JobContext,
    ) -> Problem {
        cx.log(&format!("That didn't work: {} {}", problem.cause, problem.remedy));
        let returned = cx
            .step("return", "Return to the settings of before", async {
                let Some((record, applied)) = self.go_back(id, revision, cx).await? else { return Ok(false) };
                self.wait(&record, &applied, cx).await?;
                self.try_push(&record, cx).await?;
                self.settle(&record, cx).await?;
                Ok(true)
            })
            .await;
        let cause = match returned {
            Ok(true) => format!("{} The registry runs with the settings of before again.", problem.cause),
            Ok(false) => return problem,
            Err(JobError::Fail(second) | JobError::Retry { problem: second, .. }) => {
                format!(
                    "{} The settings of before were brought back, but it doesn't run yet: {}",
                    problem.cause, second.cause
                )
            }
            Err(JobError::Cancelled) => format!("{} The settings of before were brought back.", problem.cause),
        };
        Problem { cause, ..problem }
    }

    /// Writes the settings of before as a new revision, unless that was done, and gives them to the Swarm. None: there are
    /// none, or these are good by now.
    pub(super) async fn go_back(
        &self,
        id: &RegistryId,
        revision: i64,
        cx: &JobContext,
    ) -> Result<Option<(Record, super::apply::Applied)>, JobError> {
        let mut record = self.load(id).await?;
        let Some((wanted, settled)) = record.settled.clone() else { return Ok(None) };
        if settled >= revision {
            return Ok(None);
        }
        if record.revision == revision {
            let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
            store_managed::set_wanted(&mut tx, id, &wanted, revision + 1).await.map_err(jobs::internal)?;
            self.forget_revision(&mut tx, id, revision).await.map_err(jobs::internal)?;
            tx.commit().await.map_err(jobs::internal)?;
            (record.wanted, record.revision) = (wanted, revision + 1);
        }
        self.mask(&record, cx).await?;
        let applied = self.apply(&record, Start::Run, cx).await?;
        Ok(Some((record, applied)))
    }

    /// Checks what was typed and keeps it; asks for a job when it reaches the Swarm.
    pub(super) async fn ask_for_change(
        &self,
        actor: &Actor,
        id: &RegistryId,
        version: i64,
        mut form: ManagedForm,
    ) -> Result<Option<JobId>, AppError> {
        let found = store_managed::record_of(self.parts.db.read(), id).await.map_err(problems::of)?;
        let record = found.ok_or_else(not_found)?;
        complete(&mut form, &record);
        let fields = form.validated(false)?;
        refuse_moves(&fields, &record)?;
        let keys = self.new_keys(&record, &fields).await?;
        let wanted = changed(&record, &fields, keys.is_some());

        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        let old = store::find(&mut *tx, id).await.map_err(problems::of)?.ok_or_else(not_found)?;
        if old.version != version {
            return Err(stale(id));
        }
        let reaches_swarm = Wanted { domain: record.wanted.domain.clone(), ..wanted.clone() } != record.wanted;
        let is_failed = record.phase == Phase::Failed;
        if reaches_swarm || is_failed {
            let now = self.idle(&mut tx, id).await?;
            if now.revision != record.revision || matches!(now.phase, Phase::Creating | Phase::Deleting) {
                return Err(stale(id));
            }
        } else if record.phase == Phase::Deleting {
            return Err(blocked(id, "It is being deleted."));
        }
        let is_default = old.is_default || fields.is_default && record.phase == Phase::Running;
        if is_default && !old.is_default {
            store::clear_default(&mut tx).await.map_err(problems::of)?;
        }
        let row = RegistryFields {
            name: fields.name,
            credential: old.credential,
            base_path: None,
            is_default,
            platforms: fields.platforms,
        };
        if !store::update(&mut tx, id, &row, is_default).await.map_err(problems::of)? {
            return Err(name_is_taken());
        }
        if record.phase != Phase::Running {
            store_managed::set_wants_default(&mut tx, id, fields.is_default).await.map_err(problems::of)?;
        }
        let next = record.revision + 1;
        if let Some(keys) = &keys {
            self.keep_keys(&mut tx, id, next, keys).await?;
        }
        let job = if reaches_swarm || is_failed {
            store_managed::set_wanted(&mut tx, id, &wanted, next).await.map_err(problems::of)?;
            let kind = if is_failed { create::KIND } else { KIND };
            if is_failed {
                store_managed::set_phase(&mut tx, id, Phase::Creating).await.map_err(problems::of)?;
            }
            let more = serde_json::json!({ "revision": next });
            Some(self.enqueue(&mut tx, kind, id, more, &actor.username).await?)
        } else {
            store_managed::set_wanted(&mut tx, id, &wanted, record.revision).await.map_err(problems::of)?;
            if let Some((settled, _)) = &record.settled {
                let settled = Wanted { domain: wanted.domain.clone(), ..settled.clone() };
                store_managed::set_settled(&mut tx, id, &settled).await.map_err(problems::of)?;
            }
            None
        };
        self.record(&mut tx, actor, "changed", id, &row.name).await?;
        tx.commit().await.map_err(problems::of)?;
        self.parts.jobs.wake();
        tracing::info!(registry.id = %id, "a managed registry was changed");
        Ok(job)
    }

    /// The keys of its bucket when others were typed, and the store accepts them.
    async fn new_keys(&self, record: &Record, fields: &ManagedFields) -> Result<Option<Keys>, AppError> {
        let (StorageFields::S3(typed), Storage::S3(place)) = (&fields.storage, &record.wanted.storage) else {
            return Ok(None);
        };
        if typed.access_key.is_empty() && typed.secret_key.is_empty() {
            return Ok(None);
        }
        let kept = self.keys_of(record).await.map_err(problems::of)?;
        let of = |typed: &app::model::secret::Secret, kept: Option<&app::model::secret::Secret>| match kept {
            Some(kept) if typed.is_empty() => kept.clone(),
            _ => typed.clone(),
        };
        let keys = Keys {
            access: of(&typed.access_key, kept.as_ref().map(|keys| &keys.access)),
            secret: of(&typed.secret_key, kept.as_ref().map(|keys| &keys.secret)),
        };
        s3::probe(place, &keys).await?;
        Ok(Some(keys))
    }
}

/// What an edit leaves out is what it was; where the images are can't be edited at all.
fn complete(form: &mut ManagedForm, record: &Record) {
    let fill = |field: &mut String, value: &str| {
        if field.trim().is_empty() {
            value.clone_into(field);
        }
    };
    fill(&mut form.port, &record.port.to_string());
    fill(&mut form.image, &record.wanted.image);
    match &record.wanted.storage {
        Storage::Volume { name } => {
            fill(&mut form.storage, "volume");
            fill(&mut form.volume, name);
        }
        Storage::S3(place) => {
            fill(&mut form.storage, "s3");
            fill(&mut form.s3_region, &place.region);
            fill(&mut form.s3_endpoint, place.endpoint.as_deref().unwrap_or_default());
            fill(&mut form.s3_bucket, &place.bucket);
            fill(&mut form.s3_prefix, &place.prefix);
            let tick = |ticked: bool| ticked.then(|| "on".to_owned());
            form.s3_path_style = tick(place.path_style);
            form.s3_encrypt = tick(place.encrypt);
            form.s3_internal = tick(place.internal);
        }
    }
}

/// Images don't move: another place is another registry.
fn refuse_moves(fields: &ManagedFields, record: &Record) -> Result<(), AppError> {
    let mut errors = Vec::new();
    let mut refuse = |field: &str, is_same: bool| {
        if !is_same {
            let text = "The images don't move with this. Create another registry instead, and build to it.";
            errors.push(FieldError::new(field, text));
        }
    };
    refuse("port", fields.port.is_none_or(|port| port == record.port));
    match (&fields.storage, &record.wanted.storage) {
        (StorageFields::Volume(volume), Storage::Volume { name }) => {
            refuse("volume", volume.as_ref().is_none_or(|volume| volume == name));
        }
        (StorageFields::S3(S3Fields { place, .. }), Storage::S3(kept)) => {
            let S3Place { region, endpoint, bucket, prefix, .. } = place;
            refuse("s3_region", *region == kept.region);
            refuse("s3_endpoint", *endpoint == kept.endpoint);
            refuse("s3_bucket", *bucket == kept.bucket);
            refuse("s3_prefix", *prefix == kept.prefix);
        }
        _ => refuse("storage", false),
    }
    if errors.is_empty() { Ok(()) } else { Err(errors.into()) }
}

/// What is wanted after an edit. The same tag without a digest is the pinned image that it became.
fn changed(record: &Record, fields: &ManagedFields, has_new_keys: bool) -> Wanted {
    let kept: Option<ImageRef> = record.wanted.image.parse().ok();
    let image = match (&fields.image, &kept) {
        (None, _) => record.wanted.image.clone(),
        (Some(new), Some(kept)) if new.digest.is_none() && *new == (ImageRef { digest: None, ..kept.clone() }) => {
            record.wanted.image.clone()
        }
        (Some(new), _) => new.to_string(),
    };
    Wanted {
        image,
        domain: fields.domain.clone(),
        storage: record.wanted.storage.clone(),
        keys: if has_new_keys { record.revision + 1 } else { record.wanted.keys },
        read_only: false,
    }
}
