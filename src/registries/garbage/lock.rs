//! Makes a registry read-only and writable again: each is a revision of its settings, with a configuration of its own.

use super::super::apply::Start;
use super::super::record::{Record, Wanted};
use super::super::{Registries, store_managed};
use crate::jobs::{self, JobContext, JobError};
use app::model::id::RegistryId;

impl Registries {
    /// Until it runs with the lock on or off. Its task is made anew; the proxies on the nodes stay. Idempotent.
    pub(super) async fn lock(&self, id: &RegistryId, read_only: bool, cx: &JobContext) -> Result<Record, JobError> {
        let mut record = self.load(id).await?;
        if record.wanted.read_only != read_only {
            record.wanted = Wanted { read_only, ..record.wanted };
            record.revision += 1;
            let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
            store_managed::set_wanted(&mut tx, id, &record.wanted, record.revision).await.map_err(jobs::internal)?;
            tx.commit().await.map_err(jobs::internal)?;
        }
        self.mask(&record, cx).await?;
        // What somebody scaled to zero stays so.
        let applied = self.apply(&record, Start::Keep, cx).await?;
        if applied.runs {
            self.wait(&record, &applied, cx).await?;
        }
        cx.log(if read_only { "It is read-only: pulls go on." } else { "It is writable." });
        Ok(record)
    }
}
