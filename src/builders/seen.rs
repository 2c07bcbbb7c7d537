//! What the watch knows of builders, in memory, shared by all who ask.

use app::error::Problem;
use app::model::builder::WhichBuilder;
use app::model::platform::Platform;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// Seconds between two looks at one that is well…
const CALM: i64 = 60;
/// …and at one that isn't: each look may pull an image or wait for a machine.
const ALERT: i64 = 180;
/// Seconds between two questions how large a cache is; that is slow where there is much.
const DISK: i64 = 300;

/// One builder.
#[derive(Clone, Debug, Default)]
pub(super) struct One {
    /// When it was looked at, Unix seconds; 0: never.
    pub(super) at: i64,
    /// The definition that was looked at.
    pub(super) version: i64,
    /// Why it doesn't build.
    pub(super) problem: Option<Problem>,
    pub(super) native: Vec<Platform>,
    pub(super) emulated: Vec<Platform>,
    pub(super) makes_several: bool,
    /// Bytes of its cache.
    pub(super) disk: Option<u64>,
    /// When that was asked.
    pub(super) disk_at: i64,
    pub(super) is_looking: bool,
    /// Somebody wants a look.
    pub(super) is_due: bool,
}

impl One {
    /// Whether it is time to look.
    pub(super) fn is_due(&self, version: i64, now: i64) -> bool {
        let wait = if self.problem.is_some() { ALERT } else { CALM };
        self.at == 0 || self.is_due || self.version != version || now - self.at >= wait
    }

    /// Whether it is time to ask how large its cache is.
    pub(super) fn wants_disk(&self, now: i64) -> bool {
        self.disk.is_none() || self.is_due || now - self.disk_at >= DISK
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Seen(RwLock<HashMap<WhichBuilder, One>>);

impl Seen {
    /// What is known of one.
    pub(super) fn one(&self, which: &WhichBuilder) -> One {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(which).cloned().unwrap_or_default()
    }

    /// Changes what is known of one.
    pub(super) fn change(&self, which: &WhichBuilder, change: impl FnOnce(&mut One)) {
        change(self.0.write().unwrap_or_else(PoisonError::into_inner).entry(which.clone()).or_default());
    }

    /// Forgets all but these.
    pub(super) fn keep(&self, those: &[WhichBuilder]) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).retain(|which, _| those.contains(which));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_looked_at_when_it_is_time_or_somebody_wants_it() {
        let well = One { at: 1_000, version: 1, disk: Some(1), disk_at: 1_000, ..One::default() };
        assert!(One::default().is_due(1, 5));
        assert!(!well.is_due(1, 1_059) && well.is_due(1, 1_060) && well.is_due(2, 1_001));
        let broken = One { problem: Some(Problem::new("x", "x", "x")), ..well.clone() };
        assert!(!broken.is_due(1, 1_179) && broken.is_due(1, 1_180));
        assert!(One { is_due: true, ..broken }.is_due(1, 1_001));
        assert!(!well.wants_disk(1_299) && well.wants_disk(1_300));
    }
}
