//! Stops jobs. The wish is a row first, so that it holds also when nobody runs the job any more.

use super::Jobs;
use crate::storage::StorageError;
use app::model::id::JobId;

impl Jobs {
    /// Asks a job to stop. A queued one ends at once, a running one within 15 s. Ended ones are left alone.
    ///
    /// A queued job that has run before (and waits for its next try) goes through its handler's undo, if nothing else
    /// changes its subject by now.
    pub async fn cancel(&self, id: &JobId) -> Result<(), StorageError> {
        let now = self.inner.clock.millis();
        let mut tx = self.inner.db.write().await?;
        sqlx::query("UPDATE jobs SET state = 'cancelling' WHERE id = ? AND state = 'running'")
            .bind(id.as_str())
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "UPDATE jobs SET state = 'cancelling', boot = NULL, lease_until = NULL
             WHERE id = ? AND state = 'queued' AND attempt > 0
               AND NOT EXISTS (SELECT 1 FROM jobs AS other
                               WHERE other.subject = jobs.subject AND other.state IN ('running', 'cancelling'))",
        )
        .bind(id.as_str())
        .execute(&mut *tx)
        .await?;
        sqlx::query("UPDATE jobs SET state = 'cancelled', finished = ? WHERE id = ? AND state = 'queued'")
            .bind(now)
            .bind(id.as_str())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        if let Some(token) = self.running().get(id) {
            token.cancel();
        }
        self.wake();
        Ok(())
    }
}
