//! One pass over a list that comes in pages: asked for patiently, kept page by page, ended by its last page, by going round
//! in circles, or by its limits.

use super::patience::{self, GaveUp};
use crate::oci::OciError;
use crate::providers::{ListError, Page};
use crate::storage::{StorageError, to_json};
use app::error::{AppError, Problem};
use async_trait::async_trait;
use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use tokio_util::sync::CancellationToken;

/// Most pages of a list.
const PAGES: usize = 10_000;
/// So many pages in a row without anything new end a list: some registries always name a next page.
const IDLE: usize = 100;

/// How a pass ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// At the end of the list.
    Complete {
        /// False: at a limit, so what wasn't seen may still be there.
        is_whole: bool,
    },
    /// This registry can't list. Normal.
    CannotList(String),
    /// It should have worked.
    Failed {
        /// Why.
        problem: Problem,
        /// The next pass can go on where this one stopped.
        goes_on: bool,
        /// The registry knows who asks, and says no.
        is_refusal: bool,
        /// So many seconds the registry wants to be left alone.
        wait: Option<i64>,
    },
}

impl Ending {
    /// What is kept of it: the reason, or the problem as JSON.
    pub(super) fn words(&self) -> Result<Option<String>, StorageError> {
        match self {
            Self::Complete { .. } => Ok(None),
            Self::CannotList(why) => Ok(Some(why.clone())),
            Self::Failed { problem, .. } => to_json(problem, "problem of a list of images").map(Some),
        }
    }
}

/// A list at a registry, and where its pages go.
#[async_trait]
pub(super) trait List: Send + Sync {
    /// What it has.
    type Item: Send;

    /// Asks for a page.
    async fn ask(&self, cursor: Option<&str>) -> Result<Page<Self::Item>, ListError>;
    /// Keeps a page; says how many of it the pass hadn't seen. None: nobody wants the list any more.
    async fn keep(&mut self, page: Vec<Self::Item>, next: Option<&str>) -> Result<Option<usize>, AppError>;
    /// In plain words.
    fn explain(&self, error: &OciError) -> Problem;
    /// For messages.
    fn host(&self) -> String;
}

/// Reads a list from `cursor` on. None: told to stop, or nobody wants it any more.
pub(super) async fn run(
    list: &mut impl List,
    mut cursor: Option<String>,
    limit: usize,
    stop: &CancellationToken,
) -> Result<Option<Ending>, AppError> {
    let keys = RandomState::new();
    let mut seen: HashSet<u64> = cursor.iter().map(|cursor| keys.hash_one(cursor)).collect();
    let (mut count, mut idle) = (0_usize, 0);
    for _ in 0..PAGES {
        let page = match patience::ask(stop, || list.ask(cursor.as_deref())).await {
            Ok(page) => page,
            Err(gave_up) => return Ok(ending(list, gave_up)),
        };
        // A cursor that was there before leads round in circles.
        let next = page.next.filter(|next| seen.insert(keys.hash_one(next)));
        let Some(new) = list.keep(page.items, next.as_deref()).await? else { return Ok(None) };
        count += new;
        idle = if new == 0 { idle + 1 } else { 0 };
        if next.is_none() || idle == IDLE {
            return Ok(Some(Ending::Complete { is_whole: true }));
        }
        if count >= limit {
            break;
        }
        cursor = next;
    }
    Ok(Some(Ending::Complete { is_whole: false }))
}

fn ending(list: &impl List, gave_up: GaveUp) -> Option<Ending> {
    Some(match gave_up {
        GaveUp::Stopped => return None,
        GaveUp::CannotList(why) => Ending::CannotList(why),
        GaveUp::Wait(seconds) => {
            let error = OciError::RateLimited { host: list.host(), seconds: Some(seconds) };
            let wait = Some(i64::try_from(seconds).unwrap_or(i64::MAX).min(86_400));
            Ending::Failed { problem: list.explain(&error), goes_on: true, is_refusal: false, wait }
        }
        GaveUp::Failed(error) => Ending::Failed {
            problem: list.explain(&error),
            goes_on: patience::is_passing(&error),
            is_refusal: patience::is_refusal(&error),
            wait: None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list made of a rule: cursor → page.
    struct Rule<F>(F, Vec<u32>);

    #[async_trait]
    impl<F: Fn(Option<&str>) -> Result<Page<u32>, ListError> + Send + Sync> List for Rule<F> {
        type Item = u32;
        async fn ask(&self, cursor: Option<&str>) -> Result<Page<u32>, ListError> {
            (self.0)(cursor)
        }
        async fn keep(&mut self, page: Vec<u32>, _: Option<&str>) -> Result<Option<usize>, AppError> {
            let before = self.1.len();
            for item in page {
                if !self.1.contains(&item) {
                    self.1.push(item);
                }
            }
            Ok(Some(self.1.len() - before))
        }
        fn explain(&self, error: &OciError) -> Problem {
            error.problem()
        }
        fn host(&self) -> String {
            "r.example".into()
        }
    }

    async fn outcome(
        rule: impl Fn(Option<&str>) -> Result<Page<u32>, ListError> + Send + Sync,
        limit: usize,
    ) -> (Option<Ending>, usize) {
        let mut list = Rule(rule, Vec::new());
        let ending = run(&mut list, None, limit, &CancellationToken::new()).await.expect("no fault of our own");
        (ending, list.1.len())
    }

    fn number(cursor: Option<&str>) -> u32 {
        cursor.and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    #[tokio::test]
    async fn a_list_ends_whatever_a_registry_says() {
        let whole = Some(Ending::Complete { is_whole: true });
        let page = |item: u32, next: Option<String>| Ok(Page { items: vec![item], next });
        let three = |cursor: Option<&str>| {
            let n = number(cursor);
            page(n, (n < 2).then(|| (n + 1).to_string()))
        };
        assert_eq!(outcome(three, 99).await, (whole.clone(), 3));
        let circle = |cursor: Option<&str>| page(number(cursor), Some(((number(cursor) + 1) % 5).to_string()));
        assert_eq!(outcome(circle, 99).await, (whole.clone(), 5));
        let endless = |cursor: Option<&str>| page(7, Some((number(cursor) + 1).to_string()));
        assert_eq!(outcome(endless, 99).await, (whole, 1));
        let large = |cursor: Option<&str>| page(number(cursor), Some((number(cursor) + 1).to_string()));
        assert_eq!(outcome(large, 50).await, (Some(Ending::Complete { is_whole: false }), 50));
    }

    #[tokio::test]
    async fn what_passes_is_tried_again_and_what_doesnt_is_told() {
        use std::sync::atomic::{AtomicU32, Ordering};
        let tries = AtomicU32::new(0);
        let shaky = |_: Option<&str>| match tries.fetch_add(1, Ordering::Relaxed) {
            0 => Err(ListError::Failed(OciError::Timeout { host: "r.example".into() })),
            1 => Err(ListError::Wait(0)),
            _ => Ok(Page { items: vec![1], next: None }),
        };
        assert_eq!(outcome(shaky, 9).await, (Some(Ending::Complete { is_whole: true }), 1));
        let (ending, _) = outcome(|_| Err(ListError::Wait(4_000)), 9).await;
        assert!(matches!(ending, Some(Ending::Failed { wait: Some(4_000), goes_on: true, .. })), "{ending:?}");
        let refused = || OciError::WrongCredentials { host: "r.example".into(), answer: String::new() };
        let (ending, _) = outcome(|_| Err(ListError::Failed(refused())), 9).await;
        assert!(matches!(ending, Some(Ending::Failed { is_refusal: true, goes_on: false, .. })), "{ending:?}");
        let (ending, _) = outcome(|_| Err(ListError::CannotList("no".into())), 9).await;
        assert_eq!(ending, Some(Ending::CannotList("no".into())));
    }
}
