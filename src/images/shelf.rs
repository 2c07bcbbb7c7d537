//! What is in memory for each credential: its index, and how far its list is.
//!
//! What must always hold: a shelf belongs to one version of a credential; another login starts with an empty one.

use super::index::Index;
use super::state::State;
use app::model::credential::Credential;
use app::model::id::CredentialId;
use app::model::image::Listing;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// One credential's.
#[derive(Default)]
pub(super) struct Shelf {
    /// Of the credential.
    pub version: i64,
    index: RwLock<Index>,
    state: Mutex<State>,
}

impl Shelf {
    /// For reading; held for the time of a scan at most.
    pub(super) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// For writing; held for the time of a page at most.
    pub(super) fn change_index(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far the list is.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn listing(&self) -> Listing {
        let count = self.index().len();
        self.state().listing(count)
    }
}

/// All shelves.
#[derive(Default)]
pub(super) struct Shelves(Mutex<HashMap<CredentialId, Arc<Shelf>>>);

impl Shelves {
    fn all(&self) -> MutexGuard<'_, HashMap<CredentialId, Arc<Shelf>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shelf of this version of a credential.
    pub(super) fn of(&self, credential: &Credential) -> Arc<Shelf> {
        let mut all = self.all();
        if let Some(shelf) = all.get(&credential.id)
            && shelf.version == credential.version
        {
            return Arc::clone(shelf);
        }
        let shelf = Arc::new(Shelf { version: credential.version, ..Shelf::default() });
        all.insert(credential.id.clone(), Arc::clone(&shelf));
        shelf
    }

    /// Takes away the shelves of credentials that are gone.
    pub(super) fn keep(&self, credentials: &[Credential]) {
        self.all().retain(|id, _| credentials.iter().any(|credential| credential.id == *id));
    }
}
