//! Gives a deleted tag back what it led to: the kept bytes, put under the tag again.
//!
//! What must always hold: a tag that leads to something else by now is touched only when somebody said so; what is put back
//! has the very digest of before.

use super::run::registry_of;
use super::store_trash::Entry;
use super::{Retention, new_job, store_trash, words};
use crate::activity;
use crate::jobs::{self, Handler, JobContext, JobError};
use crate::oci::Put;
use crate::problems;
use app::error::{AppError, Problem};
use app::model::account::Actor;
use app::model::id::{JobId, TrashId};
use app::model::trash::TrashState;
use async_trait::async_trait;

/// The job's kind.
pub(super) const KIND: &str = "restore_tag";

/// Brings tags back.
pub(super) struct Restore(pub(super) Retention);

#[async_trait]
impl Handler for Restore {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, payload: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        registry_of(payload)?;
        let id = payload["trash"].as_str().and_then(|id| id.parse::<TrashId>().ok());
        let id = id.ok_or_else(|| jobs::internal(std::io::Error::other("a job without its tag")))?;
        let over = payload["over"].as_bool().unwrap_or_default();
        cx.step("restore", "Put the image under its tag again", self.0.restore(&id, over, cx)).await?;
        cx.step("forget", "Take it out of the trash", self.0.came_back(&id, cx)).await
    }
}

impl Retention {
    /// Asks for the job.
    pub(super) async fn ask_to_restore(&self, actor: &Actor, id: &TrashId, over: bool) -> Result<JobId, AppError> {
        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        let entry = store_trash::find(&mut *tx, id).await.map_err(problems::of)?.ok_or_else(words::not_in_trash)?;
        if entry.state != TrashState::Kept {
            return Err(words::busy(&entry.registry, &entry.run).into());
        }
        let payload = serde_json::json!({ "registry": entry.registry, "trash": id, "over": over });
        let job = new_job(KIND, &entry.registry, payload, format!("{KIND}:{id}"), &actor.username, 3);
        let job = self.parts.jobs.enqueue(&mut tx, job).await.map_err(problems::of)?;
        store_trash::set_job(&mut tx, id, &job).await.map_err(problems::of)?;
        tx.commit().await.map_err(problems::of)?;
        self.parts.jobs.wake();
        Ok(job)
    }

    async fn restore(&self, id: &TrashId, over: bool, cx: &JobContext) -> Result<(), JobError> {
        let found = store_trash::find(self.parts.db.read(), id).await.map_err(jobs::internal)?;
        let Some(entry) = found else {
            return Err(words::not_in_trash().into());
        };
        if entry.state != TrashState::Kept {
            return Err(words::busy(&entry.registry, &entry.run).into());
        }
        match self.put_back(&entry, over, cx).await {
            Err(JobError::Fail(problem)) => Err(self.trouble(&entry, problem).await?),
            outcome => outcome,
        }
    }

    /// The tag is back: its row goes.
    async fn came_back(&self, id: &TrashId, cx: &JobContext) -> Result<(), JobError> {
        let found = store_trash::find(self.parts.db.read(), id).await.map_err(jobs::internal)?;
        let Some(entry) = found else { return Ok(()) };
        let said = format!("{}:{} leads to {} again.", entry.repository, entry.tag, entry.digest.brief());
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store_trash::remove(&mut tx, &entry).await.map_err(jobs::internal)?;
        let (clock, by) = (&self.parts.clock, &cx.asked_by);
        activity::record(&mut tx, clock, by, "trash.restored", entry.registry.as_str(), &said)
            .await
            .map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        cx.log(&said);
        Ok(())
    }

    async fn put_back(&self, entry: &Entry, over: bool, cx: &JobContext) -> Result<(), JobError> {
        let target = self.target(&entry.registry, cx).await?;
        let (oci, access, repository) = (&self.parts.oci, &target.access, &entry.repository);
        let failed = |error| self.failed(&target, &error);
        match oci.digest(access, repository, entry.tag.as_str()).await.map_err(failed)? {
            Some(now) if now == entry.digest => {
                cx.log("The tag leads there already.");
                return Ok(());
            }
            Some(now) if !over => return Err(words::tag_taken(&entry.tag, &now.brief(), &entry.registry).into()),
            Some(now) => cx.log(&format!("The tag led to {} until now; that image stays by its digest.", now.brief())),
            None => {}
        }
        let manifests = store_trash::manifests(self.parts.db.read(), entry).await.map_err(jobs::internal)?;
        for manifest in &manifests {
            let is_root = manifest.digest == entry.digest;
            if !is_root && oci.digest(access, repository, manifest.digest.as_str()).await.map_err(failed)?.is_some() {
                continue;
            }
            let tag = is_root.then_some(&entry.tag);
            match oci.put_manifest(access, repository, tag, manifest).await.map_err(failed)? {
                Put::Stored => {}
                Put::Incomplete(said) => return Err(words::parts_are_gone(&access.host(), &said).into()),
            }
        }
        let now = oci.digest(access, repository, entry.tag.as_str()).await.map_err(failed)?;
        if now.as_ref() == Some(&entry.digest) {
            return Ok(());
        }
        Err(words::refused(&access.host(), "The tag doesn't lead to what was put under it.").into())
    }

    /// Keeps why it failed with the tag, for the page of the trash.
    async fn trouble(&self, entry: &Entry, problem: Problem) -> Result<JobError, JobError> {
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store_trash::set_trouble(&mut tx, &entry.id, &problem).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)?;
        Ok(problem.into())
    }
}
