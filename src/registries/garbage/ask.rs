//! What people ask for: a collection now, a rule for when it is done by itself, and what came of it.

use super::super::create::blocked;
use super::super::{Registries, not_found, store_garbage, store_history, store_managed};
use super::{KIND, due};
use crate::problems;
use app::error::AppError;
use app::model::account::Actor;
use app::model::id::{JobId, RegistryId};
use app::model::registry::{Garbage, GarbageForm, GarbageWhy, Phase};

/// Runs that a page shows.
const SHOWN: i64 = 20;

impl Registries {
    /// Asks for a collection at one that is meant to run, and about which nothing is under way.
    pub(in super::super) async fn ask_for_collection(&self, actor: &Actor, id: &RegistryId) -> Result<JobId, AppError> {
        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        let record = self.idle(&mut tx, id).await?;
        if record.phase != Phase::Running {
            return Err(blocked(id, "Only a registry that was created has garbage."));
        }
        let more = serde_json::json!({ "why": GarbageWhy::Asked });
        let job = self.enqueue(&mut tx, KIND, id, more, &actor.username).await?;
        self.record(&mut tx, actor, "garbage_asked", id, &record.name).await?;
        tx.commit().await.map_err(problems::of)?;
        self.parts.jobs.wake();
        Ok(job)
    }

    /// Keeps when it is done by itself.
    pub(in super::super) async fn keep_garbage_rule(
        &self,
        actor: &Actor,
        id: &RegistryId,
        form: &GarbageForm,
    ) -> Result<(), AppError> {
        let rule = form.validated()?;
        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        let record = store_managed::record_of(&mut *tx, id).await.map_err(problems::of)?.ok_or_else(not_found)?;
        store_garbage::set_rule(&mut tx, id, rule, self.parts.clock.seconds()).await.map_err(problems::of)?;
        self.record(&mut tx, actor, "garbage_rule", id, &record.name).await?;
        tx.commit().await.map_err(problems::of)
    }

    /// All that the page shows.
    pub(in super::super) async fn garbage_of(&self, id: &RegistryId) -> Result<Garbage, AppError> {
        let db = self.parts.db.read();
        store_managed::record_of(db, id).await.map_err(problems::of)?.ok_or_else(not_found)?;
        let (rule, since) = store_garbage::rule(db, id).await.map_err(problems::of)?.unwrap_or_default();
        let last = store_garbage::last_begun(db, id).await.map_err(problems::of)?;
        let job = store_history::last_job(db, id).await.map_err(problems::of)?;
        Ok(Garbage {
            shut_since: self.shut_since(id).await?,
            job: job.filter(|job| job.is_open && job.kind == KIND).map(|job| job.id),
            rule,
            due: due::due_at(rule, since, last),
            disk: self.watched.one(id).disk,
            runs: store_garbage::runs(db, id, SHOWN).await.map_err(problems::of)?,
        })
    }
}
