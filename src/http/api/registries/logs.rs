//! What a registry that Slipway runs printed: a page of lines, or a stream of server-sent events.
//!
//! An event's id is the line's cursor, so that whoever was cut off goes on where it was (`Last-Event-ID`). A stream ends
//! when the server stops and when the token isn't good any more; how many a token may have is bounded.

use crate::http::Web;
use crate::http::api::extract::{Asked, Caller, Id};
use crate::http::api::problem::Failure;
use crate::http::api::times;
use crate::http::api::words::Severity;
use crate::http::streams::{HEARTBEAT, LOOK, NO_BUFFER, Open};
use app::api::registries::LogLines;
use app::error::AppError;
use app::model::id::{RegistryId, TokenId};
use app::model::registry::{LogEntry, LogView, MOST_LINES};
use axum::Json;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::{StreamExt as _, stream};
use http::header::{ACCEPT, CACHE_CONTROL};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Which lines of a log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// The newest so many.
    #[param(maximum = 5000)]
    tail: usize,
    /// Nothing older: RFC 3339, or Unix seconds.
    #[param(value_type = Option<String>)]
    since: Option<String>,
    /// At least as bad.
    severity: Severity,
    /// Holds this text, whatever its case.
    filter: String,
    /// With Slipway's own looks at the registry.
    own: bool,
    /// Goes on with what is printed from now on, as server-sent events; `Accept: text/event-stream` asks for the same.
    follow: bool,
}

impl Default for LogQuery {
    fn default() -> Self {
        Self { tail: 200, since: None, severity: Severity::Info, filter: String::new(), own: false, follow: false }
    }
}

impl LogQuery {
    fn view(self) -> Result<LogView, Failure> {
        if self.tail > MOST_LINES {
            let words = format!("Ask for at most {MOST_LINES} lines.");
            return Err(AppError::field("tail", words).into());
        }
        let since = self.since.as_deref().map(|text| times::read("since", text)).transpose();
        let since = since.map_err(AppError::from)?;
        let (tail, filter, own) = (self.tail, self.filter, self.own);
        Ok(LogView { tail, since, severity: self.severity.into(), filter, own })
    }
}

/// Lines of a log.
#[derive(Serialize, ToSchema)]
pub struct Lines {
    /// Oldest first.
    lines: Vec<Line>,
}

/// A line of a log.
#[derive(Serialize, ToSchema)]
pub struct Line {
    #[schema(format = DateTime)]
    at: String,
    /// Where it stands; a stream goes on behind it when it is sent as `Last-Event-ID`.
    cursor: String,
    /// How bad it is.
    severity: Severity,
    /// In plain words.
    text: String,
    /// One of Slipway's own looks at the registry.
    own: bool,
}

impl From<LogEntry> for Line {
    fn from(entry: LogEntry) -> Self {
        let LogEntry { at, cursor, severity, text, is_own } = entry;
        Self { at: times::of_millis(at), cursor, severity: severity.into(), text, own: is_own }
    }
}

/// What a registry that Slipway runs printed
///
/// As events: `line` with a line as data and its cursor as id, `error` with a problem, `end` when nothing more will come.
#[utoipa::path(
    get,
    path = "/api/v1/registries/{id}/logs",
    operation_id = "getRegistryLogs",
    tag = "registries",
    params(
        ("id" = String, Path, description = "The registry's id: `reg_…`"),
        LogQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "Go on behind this cursor"),
    ),
    responses((status = 200, description = "Lines, or a stream of events", content(
        (Lines = "application/json"),
        (String = "text/event-stream"),
    )))
)]
pub async fn logs(
    State(web): State<Arc<Web>>,
    caller: Caller,
    Id(id): Id<RegistryId>,
    Asked(query): Asked<LogQuery>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let follows = query.follow || accept.contains("text/event-stream");
    let view = query.view()?;
    let registries = &caller.backend.registries;
    if !follows {
        let lines = registries.log(&caller.actor, &id, view).await?;
        return Ok(Json(Lines { lines: lines.into_iter().map(Line::from).collect() }).into_response());
    }
    let Some(open) = web.streams.open(caller.token.as_str()) else {
        let words = "Too many streams are open with this token. Close some.";
        return Err(Failure::plain(StatusCode::TOO_MANY_REQUESTS, words));
    };
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let before = match last {
        Some(_) => Vec::new(),
        None => registries.log(&caller.actor, &id, view.clone()).await?,
    };
    let cursor = last.or_else(|| before.last().map(|entry| entry.cursor.clone()));
    let lines = registries.follow_log(&caller.actor, &id, view, cursor).await?;
    Ok(events(web, caller, before, lines, open))
}

fn events(web: Arc<Web>, caller: Caller, before: Vec<LogEntry>, lines: LogLines, open: Open) -> Response {
    let Caller { token, request, .. } = caller;
    let end = stream::once(futures::future::ready(Event::default().event("end").data("{}")));
    let events = stream::iter(before.into_iter().map(Ok))
        .chain(lines)
        .map(move |line| event(line, &request))
        .chain(end)
        .take_until(over(web, token))
        .map(move |event| {
            let _held = &open;
            Ok::<_, Infallible>(event)
        });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response();
    response.headers_mut().extend([NO_BUFFER]);
    // In place of the library's own.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn event(line: Result<LogEntry, AppError>, request: &str) -> Event {
    match line {
        Ok(entry) => {
            let line = Line::from(entry);
            let data = serde_json::to_string(&line).unwrap_or_default();
            // A line break would end the event's id; the engine's times have none.
            let id: String = line.cursor.chars().filter(|c| !c.is_control()).collect();
            Event::default().event("line").id(id).data(data)
        }
        Err(error) => Event::default().event("error").data(Failure::from(error).document(request)),
    }
}

/// Ends when the server stops or the token isn't good any more.
async fn over(web: Arc<Web>, token: TokenId) {
    loop {
        tokio::select! {
            () = web.shutdown.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {
                if !web.backend.tokens.is_good(&token).await.unwrap_or(false) {
                    return;
                }
            }
        }
    }
}
