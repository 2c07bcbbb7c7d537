//! How often a trigger may be used, and how often it was refused: in memory, a bucket for each.

use app::error::AppError;
use app::model::id::TriggerId;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Deliveries at once.
const BURST: f64 = 60.0;
/// Milliseconds until one more.
const EVERY: f64 = 1_000.0;
/// Triggers that are remembered at most.
const CAPACITY: usize = 10_000;

#[derive(Clone, Copy)]
struct Bucket {
    places: f64,
    at: i64,
}

/// The buckets, and what was refused.
#[derive(Default)]
pub(super) struct Rate {
    buckets: Mutex<HashMap<TriggerId, Bucket>>,
    refused: Mutex<HashMap<TriggerId, (u64, i64)>>,
}

impl Rate {
    /// A signed delivery takes a place. `now` in milliseconds.
    pub(super) fn take(&self, id: &TriggerId, now: i64) -> Result<(), AppError> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= CAPACITY && !buckets.contains_key(id) {
            buckets.clear();
        }
        let bucket = buckets.entry(id.clone()).or_insert(Bucket { places: BURST, at: now });
        bucket.places = (bucket.places + (now - bucket.at).max(0) as f64 / EVERY).min(BURST);
        bucket.at = now;
        if bucket.places < 1.0 {
            let reason = "Too many deliveries came to this trigger. Send it again in a moment.".into();
            return Err(AppError::Wait { seconds: 1, reason });
        }
        bucket.places -= 1.0;
        Ok(())
    }

    /// Somebody came with a wrong signature. `now` in seconds.
    pub(super) fn refuse(&self, id: &TriggerId, now: i64) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() >= CAPACITY && !refused.contains_key(id) {
            refused.clear();
        }
        let (count, at) = refused.entry(id.clone()).or_default();
        (*count, *at) = (count.saturating_add(1), now);
    }

    /// How often that was, and when last.
    pub(super) fn refused(&self, id: &TriggerId) -> Option<(u64, i64)> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_fills_again_and_is_one_triggers_own() {
        let (rate, id, other) = (Rate::default(), TriggerId::from_random([1; 8]), TriggerId::from_random([2; 8]));
        for _ in 0..60 {
            rate.take(&id, 0).expect("a place");
        }
        assert!(matches!(rate.take(&id, 500), Err(AppError::Wait { .. })));
        rate.take(&other, 500).expect("a place");
        rate.take(&id, 1_500).expect("one more");
        assert!(rate.take(&id, 1_500).is_err());
        assert_eq!(rate.refused(&id), None);
        rate.refuse(&id, 7);
        rate.refuse(&id, 9);
        assert_eq!(rate.refused(&id), Some((2, 9)));
    }
}
