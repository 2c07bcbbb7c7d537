//! Manners: few requests at a time for each origin, and none while it asked to be left alone.
//!
//! What must always hold: at most [`AT_ONCE`] requests to one origin are under way in the whole program, from the request
//! to the last byte of its answer; after a 429 with `Retry-After` nobody asks before that time is over.

use super::OciError;
use reqwest::Url;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests under way to one origin.
pub(super) const AT_ONCE: usize = 4;
/// Longest time that an origin is left alone, whatever it says.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// Above this many origins those that nobody asks right now are forgotten.
const MANY: usize = 256;

struct Door {
    places: Arc<Semaphore>,
    closed_until: Option<Instant>,
}

/// The doors of all origins.
#[derive(Default)]
pub(super) struct Gate {
    doors: Mutex<HashMap<String, Door>>,
}

impl Gate {
    /// Waits for a place, not for ever. Fails at once while the origin wants to be left alone.
    pub async fn enter(&self, url: &Url, host: &str, wait: Duration) -> Result<OwnedSemaphorePermit, OciError> {
        let origin = url.origin().ascii_serialization();
        let places = self.look(&origin, host)?;
        let place = match tokio::time::timeout(wait, places.acquire_owned()).await {
            Ok(Ok(place)) => place,
            // The second: places that are closed, which nobody does.
            Err(_) | Ok(Err(_)) => return Err(OciError::Timeout { host: host.to_owned() }),
        };
        // It may have been closed while this one waited.
        self.look(&origin, host)?;
        Ok(place)
    }

    fn look(&self, origin: &str, host: &str) -> Result<Arc<Semaphore>, OciError> {
        let now = Instant::now();
        let mut doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
        if doors.len() > MANY {
            doors.retain(|_, door| Arc::strong_count(&door.places) > 1 || door.closed_until > Some(now));
        }
        let door = doors
            .entry(origin.to_owned())
            .or_insert_with(|| Door { places: Arc::new(Semaphore::new(AT_ONCE)), closed_until: None });
        match door.closed_until {
            Some(until) if until > now => {
                let seconds = Some((until - now).as_secs() + 1);
                Err(OciError::RateLimited { host: host.to_owned(), seconds })
            }
            _ => Ok(door.places.clone()),
        }
    }

    /// Notes a 429.
    pub fn close(&self, url: &Url, pause: Option<Duration>) {
        let Some(pause) = pause.map(|pause| pause.min(LONGEST_PAUSE)) else { return };
        let mut doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(door) = doors.get_mut(&url.origin().ascii_serialization()) {
            door.closed_until = door.closed_until.max(Some(Instant::now() + pause));
        }
    }
}

/// How long to wait, when the answer says so: seconds, or a date, which is read by the clock of the one who wrote it.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let now = http_date(headers.get(DATE)?.to_str().ok()?)?;
    let wait = (http_date(text)? - now).whole_seconds();
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
pub(super) fn http_date(text: &str) -> Option<time::PrimitiveDateTime> {
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    time::PrimitiveDateTime::parse(text.trim(), &format).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    const WAIT: Duration = Duration::from_secs(5);

    /// R2: seconds, dates, nonsense.
    #[test]
    fn the_wait_is_read_in_all_its_forms() {
        let date = "Tue, 24 Nov 2026 10:00:00 GMT";
        for (text, seconds) in [
            ("30", Some(30)),
            (" 7 ", Some(7)),
            ("0", Some(0)),
            ("18446744073709551615", Some(u64::MAX)),
            ("Tue, 24 Nov 2026 10:02:00 GMT", Some(120)),
            ("Tue, 24 Nov 2026 09:00:00 GMT", Some(0)),
            ("-5", None),
            ("soon", None),
            ("1e9", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(text).expect("a header"));
            headers.insert(DATE, HeaderValue::from_static(date));
            assert_eq!(retry_after(&headers).map(|wait| wait.as_secs()), seconds, "{text}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(date));
        assert_eq!(retry_after(&headers), None, "without a clock to compare with");
    }

    #[tokio::test]
    async fn places_are_few_and_a_closed_door_says_for_how_long() {
        let (gate, url) = (Gate::default(), Url::parse("https://r.example/v2/").expect("a URL"));
        let mut held = Vec::new();
        for _ in 0..AT_ONCE {
            held.push(gate.enter(&url, "r.example", WAIT).await.expect("a place"));
        }
        let fifth = gate.enter(&url, "r.example", WAIT);
        let mut fifth = std::pin::pin!(fifth);
        assert!(futures::poll!(fifth.as_mut()).is_pending(), "five at once");
        let impatient = gate.enter(&url, "r.example", Duration::from_millis(1)).await;
        assert!(matches!(impatient, Err(OciError::Timeout { .. })), "who waits too long gives up");
        let elsewhere = Url::parse("https://r.example:444/").expect("a URL");
        drop(gate.enter(&elsewhere, "r.example", WAIT).await.expect("another origin has places of its own"));

        gate.close(&url, Some(Duration::from_secs(9_999_999)));
        held.pop();
        let error = fifth.await.expect_err("closed while it waited");
        let OciError::RateLimited { seconds: Some(seconds), .. } = error else { panic!("{error:?}") };
        assert!((590..=601).contains(&seconds), "{seconds}");
        drop(gate.enter(&elsewhere, "r.example", WAIT).await.expect("the other origin is open"));
    }
}
