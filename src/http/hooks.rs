//! Where git hosts tell of pushes and pipelines ask for deployments: no session, no proof of origin, a signature instead.
//!
//! What must always hold: cookies and tokens are taken off, so that nobody's rights are used; a body is read only for an
//! address that is one, and not beyond [`BODY_MAX`]; who isn't signed learns nothing but that.

use super::errors::{failure, plain};
use super::form::BODY_TIME;
use super::transport::Transport;
use super::{Web, errors};
use app::api::triggers::{Answer, Incoming, Refusal};
use app::error::{AppError, Problem};
use app::model::id::TriggerId;
use app::model::trigger::Outcome;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use std::net::IpAddr;
use std::sync::Arc;

/// The addresses, which are posted to.
pub const PATHS: [&str; 2] = ["/hooks/{id}", "/hooks/{id}/deploy"];
/// Largest body. Pushes of hundreds of commits with their paths are below 2 MiB; the hosts themselves would send up to 25.
pub const BODY_MAX: usize = 5 << 20;

/// Where a request comes from; the gate found it out.
#[derive(Clone, Copy, Debug)]
struct Sender(IpAddr);

/// Lets a request through to its handler, without anything that tells who sends it.
pub(super) async fn gate(web: &Web, mut parts: Parts, body: Body, transport: &Transport, next: Next) -> Response {
    match web.backend.accounts.needs_setup().await {
        Ok(false) => {}
        Ok(true) if errors::wants_html(&parts.headers) => return errors::redirect(app::paths::SETUP),
        Ok(true) => {
            let problem = Problem::new("setup.needed", "Slipway isn't set up yet.", "Open /setup in a browser.");
            return failure(&parts.headers, &problem.into());
        }
        Err(error) => return failure(&parts.headers, &error),
    }
    parts.headers.remove(COOKIE);
    parts.headers.remove(AUTHORIZATION);
    parts.extensions.insert(Sender(transport.client));
    next.run(Request::from_parts(parts, body)).await
}

/// `POST /hooks/{id}`: what a git host tells.
pub async fn webhook(State(web): State<Arc<Web>>, Path(id): Path<String>, request: Request) -> Response {
    take(&web, &id, request, false).await
}

/// `POST /hooks/{id}/deploy`: a commit, tag or digest to bring up.
pub async fn deploy(State(web): State<Arc<Web>>, Path(id): Path<String>, request: Request) -> Response {
    take(&web, &id, request, true).await
}

async fn take(web: &Web, id: &str, request: Request, is_deploy_hook: bool) -> Response {
    let (parts, body) = request.into_parts();
    let Some(Sender(from)) = parts.extensions.get().copied() else { return told(Refusal::Unknown) };
    let Ok(id) = id.parse::<TriggerId>() else { return told(Refusal::Unknown) };
    match web.backend.triggers.is_open(&id).await {
        Ok(true) => {}
        Ok(false) => return told(Refusal::Unknown),
        Err(error) => return told(Refusal::Other(error)),
    }
    let body = match read(&parts.headers, body).await {
        Ok(body) => body.to_vec(),
        Err((status, words)) => return plain(status, words),
    };
    let headers = parts.headers.iter().filter_map(|(name, value)| {
        // HeaderMap has names in lower case.
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    let incoming = Incoming { from, headers: headers.collect(), body, is_deploy_hook };
    match web.backend.triggers.deliver(&id, incoming).await {
        Ok(answer) => done(&answer),
        Err(refusal) => told(refusal),
    }
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, (StatusCode, &'static str)> {
    const TOO_LARGE: (StatusCode, &str) = (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large: 5 MiB is the limit.");
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > BODY_MAX as u64) {
        return Err(TOO_LARGE);
    }
    match tokio::time::timeout(BODY_TIME, Limited::new(body, BODY_MAX).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(TOO_LARGE),
        Ok(Err(_)) => Err((StatusCode::BAD_REQUEST, "The body didn't arrive whole.")),
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "The body took too long to arrive.")),
    }
}

fn done(answer: &Answer) -> Response {
    let status = if answer.outcome == Some(Outcome::Started) { StatusCode::ACCEPTED } else { StatusCode::OK };
    let outcome = answer.outcome.map_or("repeated", Outcome::as_str);
    json(
        status,
        "application/json",
        &serde_json::json!({
            "outcome": outcome,
            "reason": answer.reason,
            "started": answer.started,
        }),
    )
}

fn told(refusal: Refusal) -> Response {
    match refusal {
        Refusal::Unknown => plain(StatusCode::NOT_FOUND, "There is nothing here."),
        Refusal::Unsigned => plain(StatusCode::UNAUTHORIZED, "Not accepted."),
        Refusal::Malformed(words) => problem(StatusCode::UNPROCESSABLE_ENTITY, &words),
        Refusal::Other(error) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = problem(status, &error.to_string());
            if let AppError::Wait { seconds, .. } = error {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            response
        }
    }
}

/// A problem document (RFC 9457).
fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let body =
        serde_json::json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail });
    json(status, "application/problem+json", &body)
}

fn json(status: StatusCode, kind: &'static str, body: &serde_json::Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
