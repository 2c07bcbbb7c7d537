//! How far a list is, and when it is read anew: a pure decision, the same for repositories and for tags.

use super::pass::Ending;
use crate::clock::random;
use app::error::Problem;
use app::model::image::Listing;

/// A list that is younger isn't read anew, in seconds.
const FRESH: i64 = 5 * 60;
/// A list that is older is read anew even if nobody looks, in seconds.
const OLD: i64 = 6 * 3_600;
/// "Somebody looks", in seconds.
const LATELY: i64 = 10 * 60;
/// A pass that began longer ago doesn't go on, in seconds: its registry may have forgotten the cursor.
const RESUMABLE: i64 = 3_600;
/// The first pause after a failure and the longest one, in seconds.
const PAUSE: (i64, i64) = (60, 3_600);
/// The same after a refusal: asking again with the same password can lock an account.
const REFUSED: (i64, i64) = (15 * 60, 6 * 3_600);

/// A pass that didn't end yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// Unix seconds.
    pub began_at: i64,
    /// Where it goes on; None: at the beginning.
    pub cursor: Option<String>,
}

/// What is kept about a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// Of the last pass.
    pub generation: i64,
    /// The pass under way.
    pub under_way: Option<Progress>,
    /// The last whole pass, Unix seconds.
    pub complete_at: Option<i64>,
    /// When the registry was asked last.
    pub asked_at: Option<i64>,
    /// Why that failed.
    pub problem: Option<Problem>,
    /// Why it can't list.
    pub why_not: Option<String>,
}

/// How far a list is.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// What survives a restart.
    pub kept: Kept,
    /// A pass runs right now.
    pub is_reading: bool,
    /// Somebody asked for a pass.
    pub is_wanted: bool,
    looked_at: Option<i64>,
    failures: u32,
    /// No pass begins before, unless somebody asks for it.
    not_before: i64,
    /// No pass begins before, whoever asks: the registry said so.
    wait_until: i64,
}

impl State {
    /// Somebody looks at the list.
    pub(super) fn look(&mut self, now: i64) {
        self.looked_at = Some(now);
    }

    /// Whether the registry should be asked now.
    pub(super) fn is_due(&self, now: i64) -> bool {
        if self.is_reading || now < self.wait_until {
            return false;
        }
        if self.is_wanted {
            return true;
        }
        if now < self.not_before {
            return false;
        }
        let age = self.kept.asked_at.map_or(i64::MAX, |at| now.saturating_sub(at));
        let is_watched = self.looked_at.is_some_and(|at| now.saturating_sub(at) <= LATELY);
        // Whether a registry can list changes seldom.
        let limit = if is_watched && self.kept.why_not.is_none() { FRESH } else { OLD };
        age > limit || self.kept.problem.is_some() || self.kept.under_way.is_some()
    }

    /// Whether somebody who waits for the answer should have the registry asked.
    pub(super) fn is_stale(&self, now: i64) -> bool {
        let is_fresh = self.kept.problem.is_none()
            && self.kept.under_way.is_none()
            && self.kept.asked_at.is_some_and(|at| now.saturating_sub(at) <= FRESH);
        !is_fresh && !self.is_reading && now >= self.wait_until
    }

    /// A pass begins. If it ends without a word, because of a fault of our own, the next one isn't begun at once.
    pub(super) fn begin(&mut self, now: i64) {
        (self.is_reading, self.is_wanted) = (true, false);
        self.not_before = now + PAUSE.0;
    }

    /// The pass that can go on.
    pub(super) fn resumable(kept: &Kept, now: i64) -> Option<String> {
        let progress = kept.under_way.as_ref().filter(|pass| now.saturating_sub(pass.began_at) < RESUMABLE)?;
        progress.cursor.clone()
    }

    /// A pass ended like this.
    pub(super) fn end(&mut self, ending: &Ending, now: i64) {
        self.kept.asked_at = Some(now);
        (self.kept.problem, self.kept.why_not) = (None, None);
        self.not_before = 0;
        match ending {
            Ending::Complete { .. } => {
                self.kept.complete_at = Some(now);
                self.kept.under_way = None;
                self.failures = 0;
            }
            Ending::CannotList(why) => {
                self.kept.why_not = Some(why.clone());
                self.kept.under_way = None;
                self.failures = 0;
            }
            Ending::Failed { problem, goes_on, is_refusal, wait } => {
                self.kept.problem = Some(problem.clone());
                if !goes_on {
                    self.kept.under_way = None;
                }
                self.not_before = now + pause(self.failures, *is_refusal);
                self.wait_until = now + wait.unwrap_or_default();
                self.failures = self.failures.saturating_add(1);
            }
        }
    }

    /// As people see it.
    pub(super) fn listing(&self, count: usize) -> Listing {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let kept = &self.kept;
        match (kept.complete_at, &kept.why_not, &kept.problem) {
            (_, Some(why), _) => Listing::CannotList { why: why.clone() },
            (Some(at), None, None) => Listing::Complete { at, count, is_refreshing: self.is_reading },
            (Some(at), None, Some(_)) if self.is_reading => Listing::Complete { at, count, is_refreshing: true },
            (at, None, Some(problem)) if !self.is_reading => Listing::Failed { problem: problem.clone(), at, count },
            (None, None, _) if self.is_reading || kept.under_way.is_some() => Listing::Reading { found: count },
            _ => Listing::Never,
        }
    }
}

/// Doubles with each failure; a random half of it keeps many from asking at the same moment.
fn pause(failures: u32, is_refusal: bool) -> i64 {
    let (first, longest) = if is_refusal { REFUSED } else { PAUSE };
    let pause = first.saturating_mul(1 << failures.min(16)).min(longest);
    pause / 2 + pause * i64::from(random::<1>()[0]) / 512
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(is_refusal: bool, wait: Option<i64>) -> Ending {
        Ending::Failed { problem: Problem::new("x", "It failed.", "Try."), goes_on: true, is_refusal, wait }
    }

    #[test]
    fn lists_are_read_when_they_are_old_or_looked_at() {
        let mut state = State::default();
        assert!(state.is_due(0) && state.is_stale(0), "never read");
        state.end(&Ending::Complete { is_whole: true }, 1_000);
        assert!(!state.is_due(1_000 + OLD) && state.is_due(1_001 + OLD), "nobody looks");
        state.look(1_200);
        assert!(!state.is_due(1_000 + FRESH) && state.is_due(1_001 + FRESH), "somebody looks");
        assert!(!state.is_due(1_300 + LATELY), "nobody looks any more");
        state.is_wanted = true;
        assert!(state.is_due(1_000));
        state.is_reading = true;
        assert!(!state.is_due(1_000), "one at a time");
    }

    #[test]
    fn what_cant_be_listed_is_asked_seldom() {
        let mut state = State::default();
        state.end(&Ending::CannotList("no".into()), 1_000);
        state.look(1_300);
        assert!(!state.is_due(1_400) && state.is_due(1_001 + OLD));
        assert_eq!(state.listing(0), Listing::CannotList { why: "no".into() });
    }

    #[test]
    fn failures_make_it_wait_longer_and_longer() {
        let mut state = State::default();
        let mut longest = 0;
        for round in 0..12_i64 {
            let now = round * 100_000;
            state.end(&failed(false, None), now);
            let pause = (0..).step_by(5).find(|later| state.is_due(now + later)).expect("once");
            assert!(pause >= 30 && pause <= PAUSE.1 + 5, "{pause}");
            longest = longest.max(pause);
        }
        assert!(longest > PAUSE.1 / 3, "{longest}");
        state.end(&failed(true, None), 0);
        assert!(!state.is_due(7 * 60), "refused: not hammered");
        state.is_wanted = true;
        assert!(state.is_due(1), "but when somebody asks");
        state.end(&failed(false, Some(50)), 0);
        assert!(!state.is_due(49) && state.is_due(50), "not against the registry's word");
    }

    #[test]
    fn old_lists_stay_in_sight() {
        let mut state = State::default();
        assert_eq!(state.listing(0), Listing::Never);
        state.is_reading = true;
        assert_eq!(state.listing(3), Listing::Reading { found: 3 });
        state.is_reading = false;
        state.end(&Ending::Complete { is_whole: true }, 5);
        assert_eq!(state.listing(3), Listing::Complete { at: 5, count: 3, is_refreshing: false });
        state.end(&failed(false, None), 9);
        assert!(matches!(state.listing(3), Listing::Failed { at: Some(5), count: 3, .. }));
    }

    #[test]
    fn a_pass_goes_on_unless_it_is_old() {
        let progress = Progress { began_at: 100, cursor: Some("x".into()) };
        let kept = Kept { under_way: Some(progress), ..Kept::default() };
        assert_eq!(State::resumable(&kept, 200), Some("x".into()));
        assert_eq!(State::resumable(&kept, 100 + RESUMABLE), None);
        assert_eq!(State::resumable(&Kept::default(), 0), None);
    }
}
