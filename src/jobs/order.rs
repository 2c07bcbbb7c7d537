//! The order of those that wait: by priority, then by age. Who is moved changes priorities alone, so that the order
//! outlasts a restart, and whoever comes later is last.

use super::Jobs;
use crate::storage::{StorageError, Tx};
use app::model::id::JobId;
use app::model::queue::Move;
use sqlx::Row as _;

impl Jobs {
    /// Moves a queued job among those of its lane that wait; false: it doesn't wait. In the caller's transaction; call
    /// [`Jobs::wake`] after the commit.
    pub async fn reorder(&self, tx: &mut Tx, id: &JobId, to: Move) -> Result<bool, StorageError> {
        let rows = sqlx::query(
            "SELECT id, state FROM jobs
             WHERE lane = (SELECT lane FROM jobs WHERE id = ?) AND state IN ('queued', 'running', 'cancelling')
             ORDER BY priority DESC, created, rowid",
        )
        .bind(id.as_str())
        .fetch_all(&mut **tx)
        .await?;
        let (mut running, mut queued) = (Vec::new(), Vec::new());
        for row in rows {
            let id: String = row.try_get("id")?;
            let state: String = row.try_get("state")?;
            if state == "queued" { queued.push(id) } else { running.push(id) }
        }
        let Some(at) = queued.iter().position(|other| other == id.as_str()) else { return Ok(false) };
        let last = queued.len() - 1;
        let target = match to {
            Move::Front => 0,
            Move::Up => at.saturating_sub(1),
            Move::Down => (at + 1).min(last),
        };
        let moved = queued.remove(at);
        queued.insert(target, moved);
        // Those that run now come first: one that has to be tried again keeps its place before those that never ran.
        let order = running.iter().chain(&queued);
        for (index, id) in order.enumerate() {
            let priority = running.len() + queued.len() - index;
            sqlx::query("UPDATE jobs SET priority = ? WHERE id = ?")
                .bind(i64::try_from(priority).unwrap_or(i64::MAX))
                .bind(id)
                .execute(&mut **tx)
                .await?;
        }
        Ok(true)
    }
}
