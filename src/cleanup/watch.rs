//! Looks at images in the background, and starts what is due.

use super::{Cleanup, store};
use crate::problems;
use app::error::AppError;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks at the clock.
const TICK: Duration = Duration::from_secs(60);
/// Looks at images are dear for the engine: every so many ticks, and when somebody wants one.
const EVERY: u32 = 10;

impl Cleanup {
    /// Looks and starts what is due, until it is told to stop.
    pub async fn watch(&self, stop: CancellationToken) {
        let mut ticks = 0_u32;
        while !stop.is_cancelled() {
            let looked = async {
                if ticks.is_multiple_of(EVERY) {
                    // The page says why it can't be looked at.
                    let _ = self.look().await;
                }
                if let Err(error) = self.start_due().await {
                    tracing::warn!(%error, "the clean-up couldn't be started");
                }
            };
            tokio::select! {
                () = looked => {}
                () = stop.cancelled() => return,
            }
            tokio::select! {
                () = tokio::time::sleep(TICK) => ticks = ticks.wrapping_add(1),
                () = self.inner.wake.notified() => ticks = 0,
                () = stop.cancelled() => return,
            }
        }
    }

    /// Asks for a run when its time has come.
    async fn start_due(&self) -> Result<(), AppError> {
        let db = &self.inner.parts.db;
        let rules = store::rules(db.read()).await.map_err(problems::of)?;
        let (changed, last) = store::times(db.read()).await.map_err(problems::of)?;
        if is_due(rules.every_hours, changed.max(last), self.inner.parts.clock.millis()) {
            self.ask("slipway").await?;
        }
        Ok(())
    }
}

/// Whether a run is due; times in Unix milliseconds.
fn is_due(every_hours: Option<u32>, last: Option<i64>, now: i64) -> bool {
    every_hours.is_some_and(|hours| now - last.unwrap_or(0) >= i64::from(hours) * 3_600_000)
}

#[cfg(test)]
mod tests {
    use super::is_due;

    #[test]
    fn a_run_is_due_so_many_hours_after_the_last_or_the_rule() {
        let hour = 3_600_000;
        assert!(!is_due(None, None, 100 * hour));
        assert!(is_due(Some(24), None, 100 * hour));
        assert!(!is_due(Some(24), Some(77 * hour), 100 * hour));
        assert!(is_due(Some(24), Some(76 * hour), 100 * hour));
    }
}
