//! Streams of server-sent events and downloads, and with them a job's log.
//!
//! The event's id says where it goes on, so a browser that reconnects misses nothing; with a job it is the byte offset behind
//! the event. A stream ends when the server stops and when the session ends, whichever way; how many a session may have is
//! bounded.

use super::Web;
use super::errors::{failure, refuse};
use app::error::AppError;
use app::model::account::Actor;
use app::model::id::JobId;
use app::model::job::LiveEvent;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::{Stream, StreamExt as _};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tower_sessions::Session;

/// Open streams of one session.
const PER_SESSION: usize = 16;
/// How often the session or token of an open stream is looked at.
pub(super) const LOOK: Duration = Duration::from_secs(3);
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);
/// Proxies must hand events on at once.
pub(super) const NO_BUFFER: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

/// How many streams each session has open.
#[derive(Clone, Debug, Default)]
pub struct Streams(Arc<Mutex<HashMap<String, usize>>>);

/// One open stream; dropping it makes room.
pub(super) struct Open {
    streams: Streams,
    session: String,
}

impl Streams {
    /// A place for one more, if the session or token has one.
    pub(super) fn open(&self, session: &str) -> Option<Open> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(session.to_owned()).or_default();
        if *count >= PER_SESSION {
            return None;
        }
        *count += 1;
        Some(Open { streams: self.clone(), session: session.to_owned() })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut counts = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.session) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.session);
            }
        }
    }
}

/// Who asks. The guard has checked it already; this only reads.
pub(super) fn actor(request: &Request) -> Result<Actor, AppError> {
    request.extensions().get::<Actor>().cloned().ok_or(AppError::SignIn)
}

/// A place for a stream, and the session that it ends with; or the refusal.
pub(super) fn place(web: &Web, request: &Request) -> Result<(Open, String), Response> {
    let headers = request.headers();
    let session = request.extensions().get::<Session>().and_then(Session::id).map(|id| id.to_string());
    let Some(session) = session else { return Err(failure(headers, &AppError::SignIn)) };
    let text = "Too many live logs are open in this browser. Close some tabs.";
    match web.streams.open(&session) {
        Some(open) => Ok((open, session)),
        None => Err(refuse(StatusCode::TOO_MANY_REQUESTS, headers, "Too many live logs", text)),
    }
}

/// Where to go on: what the browser saw last, or what the page asks for.
pub(super) fn resumed(request: &Request) -> Option<String> {
    from(request.headers(), request.uri().query())
}

fn from(headers: &HeaderMap, query: Option<&str>) -> Option<String> {
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let from = || {
        url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .find(|(name, _)| name == "from")
            .map(|(_, value)| value.into_owned())
    };
    last.map(str::to_owned).or_else(from)
}

/// The answer that carries the events, as long as session and server last.
pub(super) fn answer(
    web: Arc<Web>,
    (open, session): (Open, String),
    events: impl Stream<Item = Event> + Send + 'static,
) -> Response {
    let events = events.take_until(over(web, session)).map(move |event| {
        let _held = &open;
        Ok::<_, Infallible>(event)
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response();
    response.headers_mut().extend([NO_BUFFER]);
    response
}

/// The answer that is saved as a file.
pub(super) fn download(name: &str, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    headers.extend([NO_BUFFER]);
    response
}

/// Who asks, for which job.
pub(super) fn asked(request: &Request, id: &str) -> Result<(Actor, JobId), AppError> {
    let actor = actor(request)?;
    let id = id.parse().map_err(|_| AppError::NotFound("job".into()))?;
    Ok((actor, id))
}

/// An offset that isn't one starts anew.
fn offset(from: Option<String>) -> u64 {
    from.and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn name(event: &LiveEvent) -> &'static str {
    match event {
        LiveEvent::Log { .. } => "log",
        LiveEvent::Job { .. } => "job",
        LiveEvent::End => "end",
    }
}

/// `GET /jobs/{id}/log`: server-sent events.
pub async fn log(State(web): State<Arc<Web>>, Path(id): Path<String>, request: Request) -> Response {
    let headers = request.headers();
    let (actor, id) = match asked(&request, &id) {
        Ok(asked) => asked,
        Err(error) => return failure(headers, &error),
    };
    let place = match place(&web, &request) {
        Ok(place) => place,
        Err(refusal) => return refusal,
    };
    let events = match web.jobs.follow(&actor, &id, offset(resumed(&request))).await {
        Ok(events) => events,
        Err(error) => return failure(headers, &error),
    };
    let events = events.map(|(offset, event)| {
        let text = serde_json::to_string(&event).unwrap_or_default();
        Event::default().id(offset.to_string()).event(name(&event)).data(text)
    });
    answer(web, place, events)
}

/// Ends when the server stops or the session isn't good any more.
async fn over(web: Arc<Web>, session: String) {
    loop {
        tokio::select! {
            () = web.shutdown.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {
                if !web.sessions.is_signed_in(&session).await {
                    return;
                }
            }
        }
    }
}

/// `GET /jobs/{id}/log.txt`: the whole log as text.
pub async fn log_text(State(web): State<Arc<Web>>, Path(id): Path<String>, request: Request) -> Response {
    let (actor, id) = match asked(&request, &id) {
        Ok(asked) => asked,
        Err(error) => return failure(request.headers(), &error),
    };
    match web.jobs.text(&actor, &id).await {
        Ok(text) => download(&format!("{id}.log.txt"), Body::from_stream(text)),
        Err(error) => failure(request.headers(), &error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reconnect_goes_on_where_it_was_and_nonsense_starts_anew() {
        let mut headers = HeaderMap::new();
        assert_eq!(offset(from(&headers, None)), 0);
        assert_eq!(offset(from(&headers, Some("from=12&x=1"))), 12);
        assert_eq!(offset(from(&headers, Some("from=-1"))), 0);
        headers.insert("last-event-id", HeaderValue::from_static("40"));
        assert_eq!(offset(from(&headers, Some("from=12"))), 40);
    }

    #[test]
    fn a_session_has_a_bounded_number_of_streams() {
        let streams = Streams::default();
        let mut open: Vec<Open> = (0..PER_SESSION).filter_map(|_| streams.open("a")).collect();
        assert_eq!(open.len(), PER_SESSION);
        assert!(streams.open("a").is_none() && streams.open("b").is_some());
        open.pop();
        assert!(streams.open("a").is_some());
        drop(open);
        assert!(streams.0.lock().expect("not poisoned").is_empty());
    }
}
