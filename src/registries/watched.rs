//! What the watch knows of managed registries, in memory, shared by all who ask.

use super::look::Seen;
use super::reconcile::Decision;
use super::usage::Counted;
use app::error::Problem;
use app::model::id::RegistryId;
use app::model::registry::{Disk, ProbeReport};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::OwnedMutexGuard;

/// Seconds between two probes of a registry that is well…
pub(super) const CALM: i64 = 60;
/// …and of one that isn't, or that just changed. Also between two short looks at one that is well.
pub(super) const ALERT: i64 = 15;

/// Shared by all clones.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: RwLock<State>,
    /// Held while a registry is probed.
    probing: Mutex<HashMap<RegistryId, Arc<tokio::sync::Mutex<()>>>>,
    /// What was counted before.
    counted: Counted,
}

#[derive(Debug, Default)]
struct State {
    /// When Docker answered last, Unix seconds; 0: never.
    at: i64,
    /// Why it doesn't answer now.
    lost: Option<Problem>,
    registries: HashMap<RegistryId, One>,
}

/// One registry.
#[derive(Clone, Debug, Default)]
pub(super) struct One {
    /// What Docker said last.
    pub seen: Option<Arc<Seen>>,
    /// What the comparison came to.
    pub decision: Option<Decision>,
    /// When repairs were asked for, oldest first, Unix seconds.
    pub asked: Vec<i64>,
    /// What the last probe found.
    pub probe: Option<ProbeReport>,
    /// Room in its volume.
    pub disk: Option<Disk>,
    /// When something about it changed last.
    pub changed: i64,
    /// When somebody looked shortly whether it answers.
    pub pinged: i64,
    /// A probe or a short look is wanted now.
    pub is_due: bool,
}

/// What there is to do about a registry now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing.
    Nothing,
    /// A short look whether it answers.
    Ping,
    /// A probe.
    Probe,
}

impl One {
    /// What is due.
    pub(super) fn due(&self, now: i64) -> Due {
        let Some(probe) = self.probe.as_ref().filter(|_| !self.is_due) else { return Due::Probe };
        let is_calm = probe.ok && now - self.changed > CALM;
        if now - probe.at >= if is_calm { CALM } else { ALERT } {
            Due::Probe
        } else if now - self.pinged.max(probe.at) >= ALERT {
            Due::Ping
        } else {
            Due::Nothing
        }
    }
}

impl Watched {
    /// Waits until nobody else probes this registry.
    pub(super) async fn alone(&self, id: &RegistryId) -> OwnedMutexGuard<()> {
        self.place(id).lock_owned().await
    }

    /// Whether somebody probes it.
    pub(super) fn is_probed(&self, id: &RegistryId) -> bool {
        self.place(id).try_lock_owned().is_err()
    }

    fn place(&self, id: &RegistryId) -> Arc<tokio::sync::Mutex<()>> {
        let mut probing = self.0.probing.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(probing.entry(id.clone()).or_default())
    }

    /// What was counted before.
    pub(super) fn counted(&self) -> &Counted {
        &self.0.counted
    }

    /// Keeps what a probe found.
    pub(super) fn keep_probe(&self, id: &RegistryId, report: ProbeReport) {
        self.change(id, |one| {
            one.is_due = false;
            one.probe = Some(report);
        });
    }

    /// Changes what is known of one.
    pub(super) fn change<T>(&self, id: &RegistryId, change: impl FnOnce(&mut One) -> T) -> T {
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        change(state.registries.entry(id.clone()).or_default())
    }

    /// What is known of one.
    pub(super) fn one(&self, id: &RegistryId) -> One {
        let state = self.0.state.read().unwrap_or_else(PoisonError::into_inner);
        state.registries.get(id).cloned().unwrap_or_default()
    }

    /// When Docker answered last, and why it doesn't answer now.
    pub(super) fn docker(&self) -> (i64, Option<Problem>) {
        let state = self.0.state.read().unwrap_or_else(PoisonError::into_inner);
        (state.at, state.lost.clone())
    }

    /// Docker answered.
    pub(super) fn found(&self, now: i64) {
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        state.at = now;
        state.lost = None;
    }

    /// Docker didn't answer; whether that is news. Registries may have gone with it, so all are due.
    pub(super) fn lose(&self, problem: Problem) -> bool {
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        let is_news = state.lost.is_none();
        if is_news {
            for one in state.registries.values_mut() {
                one.is_due = true;
            }
        }
        state.lost = Some(problem);
        is_news
    }

    /// Forgets all but these.
    pub(super) fn keep(&self, ids: &HashSet<RegistryId>) {
        self.0.state.write().unwrap_or_else(PoisonError::into_inner).registries.retain(|id, _| ids.contains(id));
        self.0.probing.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, _| ids.contains(id));
        self.0.counted.keep(ids);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_well_is_looked_at_more_often() {
        let probe = |ok, at| Some(ProbeReport { at, ok, millis: 1, steps: Vec::new(), problem: None });
        let one =
            |ok, changed, pinged, is_due| One { probe: probe(ok, 1_000), changed, pinged, is_due, ..One::default() };
        for (what, one, at, due) in [
            ("never probed", One::default(), 0, Due::Probe),
            ("just probed", one(true, 0, 0, false), 1_001, Due::Nothing),
            ("well", one(true, 0, 0, false), 1_015, Due::Ping),
            ("just pinged", one(true, 0, 1_015, false), 1_029, Due::Nothing),
            ("pinged again", one(true, 0, 1_015, false), 1_030, Due::Ping),
            ("well for a minute", one(true, 0, 1_055, false), 1_060, Due::Probe),
            ("failing", one(false, 0, 0, false), 1_014, Due::Nothing),
            ("failing for a while", one(false, 0, 0, false), 1_015, Due::Probe),
            ("just changed", one(true, 990, 0, false), 1_015, Due::Probe),
            ("asked for", one(true, 0, 0, true), 1_001, Due::Probe),
        ] {
            assert_eq!(one.due(at), due, "{what}");
        }
    }

    #[tokio::test]
    async fn one_probe_at_a_time() {
        let (watched, id) = (Watched::default(), RegistryId::from_random([1; 8]));
        assert!(!watched.is_probed(&id));
        let place = watched.alone(&id).await;
        assert!(watched.is_probed(&id));
        drop(place);
        assert!(!watched.is_probed(&id));
        watched.keep(&HashSet::new());
    }

    #[test]
    fn docker_going_away_is_news_once_and_makes_all_due() {
        let (watched, id) = (Watched::default(), RegistryId::from_random([1; 8]));
        let report = ProbeReport { at: 1, ok: true, millis: 1, steps: Vec::new(), problem: None };
        watched.keep_probe(&id, report);
        let problem = || Problem::new("docker.x", "Away.", "Start it.");
        assert!(watched.lose(problem()) && !watched.lose(problem()));
        assert!(watched.one(&id).is_due);
        watched.found(7);
        assert_eq!(watched.docker(), (7, None));
    }
}
