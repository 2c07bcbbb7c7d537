//! A form that arrives twice does its work once: double clicks, two tabs, a proxy that tries again.
//!
//! The key is the session, the address, the form's `request_id` and all its fields: the same wish. The second gets the
//! first one's answer, also while the first is still at work; the work goes on when the browser goes away. Refusals
//! aren't kept, so that trying again after repairing the cause tries again.

use crate::clock::{Clock, random};
use axum::body::{Body, Bytes};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

/// How long an answer is kept.
const KEEP_MILLIS: i64 = 60 * 60 * 1_000;
/// How long one is kept that signs a browser in or out.
const KEEP_COOKIE_MILLIS: i64 = 10_000;
/// Answers kept at most.
const CAPACITY: usize = 4_096;

/// Identifies a wish. Keyed with randomness of this process, as forms may hold passwords.
pub type Key = [u8; 32];

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

#[derive(Debug)]
struct Entry {
    good_until: i64,
    answer: watch::Receiver<Option<Arc<Answer>>>,
}

/// The wishes of the last hour.
#[derive(Debug)]
pub struct Once {
    salt: [u8; 32],
    clock: Clock,
    tasks: TaskTracker,
    entries: Arc<Mutex<HashMap<Key, Entry>>>,
}

impl Once {
    /// Nothing wished yet. Work runs among `tasks`, which the stop waits for.
    pub fn new(clock: Clock, tasks: TaskTracker) -> Self {
        Self { salt: random(), clock, tasks, entries: Arc::default() }
    }

    /// The key of a form.
    pub fn key(&self, session: Option<&str>, action: &str, body: &[u8]) -> Key {
        let mut hash = Sha256::new_with_prefix(self.salt);
        for part in [session.unwrap_or_default().as_bytes(), action.as_bytes(), body] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }

    /// Does the work, or waits for the answer of who came first. `is_kept` looks at the answer before it is kept.
    /// None: the work panicked.
    pub async fn run(
        &self,
        key: Key,
        work: impl Future<Output = Response> + Send + 'static,
        is_kept: impl FnOnce(&mut Response) -> bool + Send + 'static,
    ) -> Option<Response> {
        let mut answer = self.join(key, work, is_kept);
        // Bound first: the guard of the channel must not live across the end of the function.
        let found = answer.wait_for(Option::is_some).await.ok().and_then(|found| found.clone());
        if found.is_none() {
            self.entries.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        }
        found.map(|answer| {
            let mut response = Response::new(Body::from(answer.body.clone()));
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers.clone();
            response
        })
    }

    fn join(
        &self,
        key: Key,
        work: impl Future<Output = Response> + Send + 'static,
        is_kept: impl FnOnce(&mut Response) -> bool + Send + 'static,
    ) -> watch::Receiver<Option<Arc<Answer>>> {
        let now = self.clock.millis();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get(&key)
            && entry.good_until > now
        {
            return entry.answer.clone();
        }
        if entries.len() >= CAPACITY {
            make_room(&mut entries, now);
        }
        let (sender, receiver) = watch::channel(None);
        entries.insert(key, Entry { good_until: now + KEEP_MILLIS, answer: receiver.clone() });
        let entries = Arc::clone(&self.entries);
        let clock = self.clock.clone();
        let task = async move {
            let mut response = work.await;
            let is_kept = is_kept(&mut response);
            let has_cookie = response.headers().contains_key(http::header::SET_COOKIE);
            let (parts, body) = response.into_parts();
            // Server functions answer from memory: collecting can't fail or take long.
            let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            {
                let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
                if !is_kept {
                    entries.remove(&key);
                } else if has_cookie && let Some(entry) = entries.get_mut(&key) {
                    entry.good_until = clock.millis() + KEEP_COOKIE_MILLIS;
                }
            }
            sender.send_replace(Some(Arc::new(Answer { status: parts.status, headers: parts.headers, body })));
        };
        self.tasks.spawn(task.in_current_span());
        receiver
    }
}

/// Forgets what is over; if nothing is, the half that ends first.
fn make_room(entries: &mut HashMap<Key, Entry>, now: i64) {
    entries.retain(|_, entry| entry.good_until > now);
    if entries.len() >= CAPACITY {
        let mut ends: Vec<i64> = entries.values().map(|entry| entry.good_until).collect();
        ends.sort_unstable();
        let middle = ends[ends.len() / 2];
        entries.retain(|_, entry| entry.good_until > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn work(count: &Arc<AtomicUsize>) -> impl Future<Output = Response> + Send + 'static {
        let count = Arc::clone(count);
        async move {
            tokio::task::yield_now().await;
            Response::new(Body::from(count.fetch_add(1, Ordering::SeqCst).to_string()))
        }
    }

    async fn text(response: Option<Response>) -> String {
        let body = response.expect("an answer").into_body().collect().await.expect("a body").to_bytes();
        String::from_utf8(body.to_vec()).expect("text")
    }

    #[tokio::test]
    async fn x1_five_hundred_pairs_do_their_work_once_each() {
        let once = Once::new(Clock::system(), TaskTracker::new());
        let count = Arc::new(AtomicUsize::new(0));
        for pair in 0..500_usize {
            let key = once.key(Some("session"), "/api/x", pair.to_string().as_bytes());
            let (first, second) =
                tokio::join!(once.run(key, work(&count), |_| true), once.run(key, work(&count), |_| true));
            assert_eq!((text(first).await, text(second).await), (pair.to_string(), pair.to_string()));
            assert_eq!(text(once.run(key, work(&count), |_| true).await).await, pair.to_string());
        }
        assert_eq!(count.load(Ordering::SeqCst), 500);
    }

    #[tokio::test]
    async fn refusals_and_old_answers_are_not_kept_and_keys_tell_wishes_apart() {
        let clock = Clock::system();
        let once = Once::new(clock.clone(), TaskTracker::new());
        let count = Arc::new(AtomicUsize::new(0));
        let key = once.key(None, "/api/x", b"a");
        assert_ne!(key, once.key(Some("s"), "/api/x", b"a"));
        assert_ne!(key, once.key(None, "/api/xa", b""));
        assert_eq!(text(once.run(key, work(&count), |_| false).await).await, "0");
        assert_eq!(text(once.run(key, work(&count), |_| true).await).await, "1");
        assert_eq!(text(once.run(key, work(&count), |_| true).await).await, "1");
        clock.advance(std::time::Duration::from_secs(3_601));
        assert_eq!(text(once.run(key, work(&count), |_| true).await).await, "2");
    }

    #[tokio::test]
    async fn a_panic_is_no_answer_and_leaves_nothing() {
        let once = Once::new(Clock::system(), TaskTracker::new());
        let key = once.key(None, "/api/x", b"a");
        assert!(once.run(key, async { panic!("on purpose") }, |_| true).await.is_none());
        assert_eq!(text(once.run(key, work(&Arc::default()), |_| true).await).await, "0");
    }
}
