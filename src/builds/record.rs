//! What is kept of a build beside its log, written as it becomes known: before BuildKit runs, after it, and after the
//! registry was asked.

use super::observed::Outcome;
use super::pushed::{self, Pushed, Unread};
use super::{Builds, store, store_record};
use crate::builders::Chosen;
use crate::jobs::{JobContext, JobError, internal};
use crate::registries::Target;
use app::error::{AppError, Problem};
use app::model::build::Build;
use app::model::build_options::Recipe;
use app::model::build_record::BuildRecord;
use app::model::id::BuildId;
use app::model::image_ref::{Digest, ImageRef};
use app::paths;

impl Builds {
    /// What is known before BuildKit runs.
    pub(super) async fn record_plan(&self, build: &Build, recipe: &Recipe, by: &Chosen) -> Result<(), JobError> {
        let record = by.noted_in(BuildRecord { recipe: recipe.into(), ..BuildRecord::default() });
        let mut tx = self.inner.db.write().await.map_err(internal)?;
        store_record::record_outcome(&mut tx, &build.id, &record).await.map_err(internal)?;
        tx.commit().await.map_err(internal)
    }

    /// What BuildKit told, whether it succeeded or not; and how long the steps took that the cache spared.
    pub(super) async fn record_run(&self, build: &Build, outcome: Outcome, cx: &JobContext) -> Result<(), JobError> {
        let now = self.inner.clock.millis();
        let mut tx = self.inner.db.write().await.map_err(internal)?;
        let before = store_record::record(&mut *tx, &build.id).await.map_err(internal)?;
        let (timed, saved) =
            store_record::saved(&mut tx, &build.service, &outcome.cached, now).await.map_err(internal)?;
        let mut warnings = before.warnings;
        warnings.extend(outcome.record.warnings.iter().cloned());
        let record = BuildRecord {
            recipe: before.recipe,
            emulated: before.emulated,
            warnings,
            timed: u32::try_from(timed).unwrap_or_default(),
            saved,
            ..outcome.record
        };
        store_record::record_times(&mut tx, &build.service, &outcome.ran, now).await.map_err(internal)?;
        store_record::record_outcome(&mut tx, &build.id, &record).await.map_err(internal)?;
        tx.commit().await.map_err(internal)?;
        if let Some(words) = record.cache_words() {
            cx.log(&words);
        }
        Ok(())
    }

    /// What the registry has of the push. A part that is missing fails the build, because nobody could pull it; a registry
    /// that doesn't tell doesn't.
    pub(super) async fn record_push(
        &self,
        id: &BuildId,
        target: &Target,
        reference: &ImageRef,
        digest: &Digest,
        cx: &JobContext,
    ) -> Result<(), JobError> {
        let read = pushed::read(&self.inner.oci, target, &reference.repository, digest);
        let Pushed { platforms, attestations, statements } = match cx.or_cancel(read).await? {
            Ok(pushed) => pushed,
            Err(Unread::Incomplete(what)) => {
                return Err(JobError::Fail(
                    Problem::new(
                        "build.not_there",
                        format!("The registry {} doesn't have {what}, although the push succeeded.", target.name),
                        "Check the registry's retention rules and storage, and build again.",
                    )
                    .with_link(paths::registry(&target.id), "See the registry"),
                ));
            }
            Err(Unread::Unknown(why)) => {
                cx.log(&format!("What was pushed can't be read, so this page says less about it. {why}"));
                Pushed::default()
            }
        };
        let mut tx = self.inner.db.write().await.map_err(internal)?;
        let before = store_record::record(&mut *tx, id).await.map_err(internal)?;
        let record = BuildRecord { platforms, attestations, ..before };
        store_record::record_statements(&mut tx, id, &statements).await.map_err(internal)?;
        store_record::record_outcome(&mut tx, id, &record).await.map_err(internal)?;
        store::record_digest(&mut tx, id, digest).await.map_err(internal)?;
        tx.commit().await.map_err(internal)
    }

    /// A statement that was pushed with a build's image, with where it stands in the record; None: it isn't kept.
    pub(super) async fn find_statement(&self, build: &Build, position: usize) -> Result<Option<String>, AppError> {
        let listed = build.record.as_ref().is_some_and(|record| record.attestations.len() > position);
        if !listed {
            return Err(AppError::NotFound("attestation".into()));
        }
        store_record::statement(self.inner.db.read(), &build.id, position).await.map_err(crate::problems::of)
    }
}
