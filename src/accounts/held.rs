//! New secrets on their way from the form to the page that shows them: in memory alone, a few, for minutes, for one look.
//!
//! Why not in the session or the address: both are kept in places that outlive the look.

use app::model::account::Actor;
use app::model::id::AccountId;
use app::model::secret::Secret;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// How long one waits for its look.
const KEPT_MILLIS: i64 = 5 * 60 * 1_000;
/// Held at most; more than people make at the same time.
const MOST: usize = 64;

struct Held {
    account: AccountId,
    text: Secret,
    until: i64,
}

/// The texts that wait, each under the id of what it belongs to.
pub struct Shelf<K>(Mutex<HashMap<K, Held>>);

impl<K> Default for Shelf<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K> std::fmt::Debug for Shelf<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shelf")
    }
}

impl<K: Clone + Eq + Hash> Shelf<K> {
    /// Keeps a text for its maker.
    pub fn put(&self, actor: &Actor, id: &K, text: Secret, now: i64) {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.retain(|_, held| held.until > now);
        if shelf.len() < MOST {
            shelf.insert(id.clone(), Held { account: actor.account.clone(), text, until: now + KEPT_MILLIS });
        }
    }

    /// The one look.
    pub fn take(&self, actor: &Actor, id: &K, now: i64) -> Option<Secret> {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.retain(|_, held| held.until > now);
        // Somebody else's look must not use it up.
        if shelf.get(id)?.account != actor.account {
            return None;
        }
        shelf.remove(id).map(|held| held.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::account::Role;
    use app::model::id::TokenId;

    #[test]
    fn a_text_is_seen_once_by_its_maker_and_soon() {
        let someone = |n| Actor { account: AccountId::from_random([n; 8]), username: "ada".into(), role: Role::Owner };
        let (ada, eve) = (someone(1), someone(2));
        let (shelf, id) = (Shelf::default(), TokenId::from_random([7; 8]));
        let text = || Secret::new("slw_x".into());
        shelf.put(&ada, &id, text(), 0);
        assert_eq!(shelf.take(&eve, &id, 1), None);
        assert_eq!(shelf.take(&ada, &id, 1), Some(text()));
        assert_eq!(shelf.take(&ada, &id, 1), None);
        shelf.put(&ada, &id, text(), 0);
        assert_eq!(shelf.take(&ada, &id, KEPT_MILLIS), None, "it waited too long");
    }
}
