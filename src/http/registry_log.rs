//! What a managed registry prints: live as server-sent events, or as a download.
//!
//! The event's id is the entry's cursor, so a browser that reconnects goes on behind it. `event: end` says why the tail ended,
//! as the JSON of an [`AppError`]; a page doesn't connect again by itself then.

use super::Web;
use super::errors::failure;
use super::streams;
use app::error::AppError;
use app::model::account::Actor;
use app::model::id::RegistryId;
use app::model::registry::{LogEntry, LogView, MOST_LINES};
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::response::sse::Event;
use futures::StreamExt as _;
use std::fmt::Write as _;
use std::sync::Arc;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Who asks, for which registry, and for which lines.
fn asked(web: &Web, request: &Request, id: &str) -> Result<(Actor, RegistryId, LogView), AppError> {
    let actor = streams::actor(request)?;
    let id = id.parse().map_err(|_| AppError::NotFound("registry".into()))?;
    let fields: Vec<_> =
        url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
    let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Ok((actor, id, LogView::read(fields, web.clock.seconds())))
}

/// `GET /registries/{id}/log`: what it prints from now on, or from `from` on.
pub async fn log(State(web): State<Arc<Web>>, Path(id): Path<String>, request: Request) -> Response {
    let headers = request.headers();
    let (actor, id, view) = match asked(&web, &request, &id) {
        Ok(asked) => asked,
        Err(error) => return failure(headers, &error),
    };
    let place = match streams::place(&web, &request) {
        Ok(place) => place,
        Err(refusal) => return refusal,
    };
    let lines = match web.backend.registries.follow_log(&actor, &id, view, streams::resumed(&request)).await {
        Ok(lines) => lines,
        Err(error) => return failure(headers, &error),
    };
    let events = lines.map(|line| match line {
        Ok(entry) => {
            let text = serde_json::to_string(&entry).unwrap_or_default();
            Event::default().id(entry.cursor).event("line").data(text)
        }
        Err(error) => Event::default().event("end").data(serde_json::to_string(&error).unwrap_or_default()),
    });
    streams::answer(web, place, events)
}

/// `GET /registries/{id}/log.txt`: what it printed, as text.
pub async fn log_text(State(web): State<Arc<Web>>, Path(id): Path<String>, request: Request) -> Response {
    let (actor, id, mut view) = match asked(&web, &request, &id) {
        Ok(asked) => asked,
        Err(error) => return failure(request.headers(), &error),
    };
    view.tail = MOST_LINES;
    match web.backend.registries.log(&actor, &id, view).await {
        Ok(entries) => streams::download(&format!("{id}.log.txt"), Body::from(text(&entries))),
        Err(error) => failure(request.headers(), &error),
    }
}

fn text(entries: &[LogEntry]) -> String {
    entries.iter().fold(String::new(), |mut text, entry| {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(entry.at) * 1_000_000).ok();
        let at = at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default();
        let _ = writeln!(text, "{at} {:7} {}", entry.severity.as_str(), entry.text);
        text
    })
}
