//! When garbage is collected by itself, and what is done about a collection that nobody finished.

use super::super::record::Record;
use super::super::{Registries, store_garbage};
use super::KIND;
use crate::problems;
use app::error::AppError;
use app::model::registry::{Disk, GarbageRule, GarbageWhy};

/// Between two runs because space is short, in seconds: garbage that isn't there can't be collected.
const REST: i64 = 12 * 3_600;
/// Between two jobs that put the same right, in seconds.
const AGAIN: i64 = 60;

/// When it is due by time, Unix seconds. `since`: when the rule was set; `last`: when the last run began.
pub(super) fn due_at(rule: GarbageRule, since: i64, last: Option<i64>) -> Option<i64> {
    let hours = rule.every_hours?;
    Some(last.unwrap_or(since).max(since) + i64::from(hours) * 3_600)
}

/// Whether it is due now.
fn is_due(rule: GarbageRule, since: i64, last: Option<i64>, disk: Option<Disk>, now: i64) -> Option<GarbageWhy> {
    if due_at(rule, since, last).is_some_and(|at| now >= at) {
        return Some(GarbageWhy::Schedule);
    }
    let is_short = rule.below.zip(disk).is_some_and(|(below, disk)| below.holds(disk));
    (is_short && last.is_none_or(|last| now - last >= REST)).then_some(GarbageWhy::Space)
}

impl Registries {
    /// Asks for what is due at a registry. Called by the watch with every round.
    pub(in super::super) async fn look_after_garbage(&self, record: &Record) -> Result<(), AppError> {
        let (id, db, now) = (&record.id, self.parts.db.read(), self.parts.clock.seconds());
        let is_marked = store_garbage::mark(db, id).await.map_err(problems::of)?.is_some();
        if is_marked || record.wanted.read_only {
            let last = store_garbage::last_ended(db, id, KIND).await.map_err(problems::of)?;
            let is_calm = last.is_none_or(|last| now - last >= AGAIN);
            if is_calm && !self.has_open_job(id).await? {
                let mut tx = self.parts.db.write().await.map_err(problems::of)?;
                self.ask_to_finish(&mut tx, id).await.map_err(problems::of)?;
                tx.commit().await.map_err(problems::of)?;
                self.parts.jobs.wake();
                tracing::warn!(registry.id = %id, "a collection of garbage wasn't finished; that is done now");
            }
            return Ok(());
        }
        let Some((rule, since)) = store_garbage::rule(db, id).await.map_err(problems::of)? else { return Ok(()) };
        let last = store_garbage::last_begun(db, id).await.map_err(problems::of)?;
        let Some(why) = is_due(rule, since, last, self.watched.one(id).disk, now) else { return Ok(()) };
        if self.has_open_job(id).await? {
            return Ok(());
        }
        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        self.enqueue(&mut tx, KIND, id, serde_json::json!({ "why": why }), "slipway").await?;
        tx.commit().await.map_err(problems::of)?;
        self.parts.jobs.wake();
        tracing::info!(registry.id = %id, why = why.as_str(), "garbage is being collected");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::registry::Below;

    #[test]
    fn time_counts_from_the_last_run_and_space_at_once_but_not_again_and_again() {
        let daily = GarbageRule { every_hours: Some(24), below: None };
        let short = GarbageRule { every_hours: None, below: Some(Below::Percent(10)) };
        let (full, free) = (Some(Disk { free: 5, total: 100 }), Some(Disk { free: 50, total: 100 }));
        let day = 86_400;
        for (what, rule, since, last, disk, now, why) in [
            ("just set", daily, 1_000, None, free, 1_000 + day - 1, None),
            ("a day later", daily, 1_000, None, free, 1_000 + day, Some(GarbageWhy::Schedule)),
            ("run before it was set", daily, 1_000, Some(0), free, day, None),
            ("run a day ago", daily, 0, Some(1_000), free, 1_000 + day, Some(GarbageWhy::Schedule)),
            ("enough space", short, 0, None, free, day, None),
            ("unknown space", short, 0, None, None, day, None),
            ("short of space", short, 1_000, None, full, 1_000, Some(GarbageWhy::Space)),
            ("just run", short, 0, Some(1_000), full, 1_000 + REST - 1, None),
            ("run long ago", short, 0, Some(1_000), full, 1_000 + REST, Some(GarbageWhy::Space)),
            ("no rule", GarbageRule::default(), 0, None, full, day, None),
        ] {
            assert_eq!(is_due(rule, since, last, disk, now), why, "{what}");
        }
    }
}
