//! What was exchanged for a login, kept until it ends, in memory alone. One exchange at a time for the same login; others
//! wait for it.

use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Above this many the ended ones are thrown out.
const MANY: usize = 128;

/// Says which login something was exchanged for, without holding it.
pub(super) type Key = [u8; 32];

type Slot<T> = Arc<tokio::sync::Mutex<Option<(T, i64)>>>;

/// The exchanged ones.
pub(super) struct Kept<T> {
    slots: Mutex<HashMap<Key, Slot<T>>>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { slots: Mutex::default() }
    }
}

impl<T: Clone> Kept<T> {
    /// The kept one, or what `exchange` brings, with the time (Unix seconds) until which it is kept.
    pub(super) async fn get<E>(
        &self,
        key: Key,
        now: i64,
        exchange: impl Future<Output = Result<(T, i64), E>> + Send,
    ) -> Result<T, E> {
        let slot = self.slot(key, now);
        let mut held = slot.lock().await;
        if let Some((value, until)) = held.as_ref()
            && *until > now
        {
            return Ok(value.clone());
        }
        *held = None;
        let (value, until) = exchange.await?;
        *held = Some((value.clone(), until));
        Ok(value)
    }

    /// Throws one out that isn't accepted any more.
    pub(super) fn forget(&self, key: &Key) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    fn slot(&self, key: Key, now: i64) -> Slot<T> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() > MANY {
            // A slot that is locked is being filled right now.
            slots.retain(|_, slot| {
                slot.try_lock().map_or(true, |held| held.as_ref().is_some_and(|(_, until)| *until > now))
            });
        }
        slots.entry(key).or_default().clone()
    }
}

/// The key of some texts.
pub(super) fn key(parts: &[&str]) -> Key {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}
