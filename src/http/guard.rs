//! Stands in front of every address: who may, from where, with what. Handlers find the answers in the extensions.
//!
//! The API for programs has a gate of its own, see `api/gate.rs`; so have the addresses that git hosts send to, see `hooks.rs`.
//!
//! The order matters: host and TLS, then the origin of writes, streams and pieces of pages, then first run, then who is asking, then the
//! body. What comes later costs more.

use super::errors::{failure, redirect, refuse, wants_html};
use super::permissions::{self, Access, Entry};
use super::transport::{Refusal, Transport};
use super::{Web, api, form, hooks, session, transport};
use crate::clock::random_token;
use app::api::accounts::Client;
use app::error::{AppError, Problem};
use app::model::account::Actor;
use app::paths;
use app::request::{ACTOR_KEY, REFUSED, RequestId, cookie_in};
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use std::sync::Arc;
use tower_sessions::Session;

/// The route all server functions share; the table has each of them.
pub const FUNCTIONS: &str = "/api/{*function}";

/// The guard, as middleware of the whole router.
pub async fn guard(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    if api::is_api(parts.uri.path()) {
        return api::gate(&web, parts, body, next).await;
    }
    let access = match permissions::find(&parts.method, address(&parts)) {
        Entry::Found(access) => Some(access),
        Entry::OtherMethod(method) => return other_method(&parts, method),
        Entry::Missing => None,
    };
    if access == Some(Access::Always) {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let transport = match check_transport(&web, &parts) {
        Ok(transport) => transport,
        Err(refusal) => return refusal,
    };
    if access == Some(Access::Signed) {
        return hooks::gate(&web, parts, body, &transport, next).await;
    }
    let is_write = !matches!(parts.method, Method::GET | Method::HEAD);
    if (is_write || is_for_pages(&parts)) && !transport.is_same_origin(&parts) {
        let text = "This didn't come from a page of Slipway, so nothing was done. Open the page and try from there.";
        return refuse(StatusCode::FORBIDDEN, &parts.headers, "Refused", text);
    }
    let session = web.sessions.open(cookie_in(&parts.headers, session::COOKIE));
    let actor = match session.get::<Actor>(ACTOR_KEY).await {
        Ok(actor) => actor,
        Err(error) => return failure(&parts.headers, &crate::problems::internal(&error)),
    };
    if let Err(refusal) = check_access(&web, &parts, access, actor.as_ref()).await {
        return refusal;
    }
    let fresh_device = provide(&web, &mut parts, &transport, &session, actor);
    if !is_write {
        let response = next.run(Request::from_parts(parts, body)).await;
        return finish(response, session, None).await;
    }
    let takes_files = form::UPLOADS.contains(&parts.uri.path());
    let bytes = match form::read(&parts.headers, body, takes_files).await {
        Ok(bytes) => bytes,
        Err(error) => return refuse(error.status, &parts.headers, "This form isn't taken", error.text),
    };
    let post = match form::parse(&parts, &bytes, wants_html(&parts.headers)) {
        Ok(post) => post,
        Err(error) => return refuse(error.status, &parts.headers, "This form isn't taken", error.text),
    };
    let key = post.request_id.as_ref().map(|_| {
        let cookie = cookie_in(&parts.headers, session::COOKIE);
        web.once.key(cookie, &post.action, &bytes)
    });
    parts.extensions.insert(post);
    // The framework would send a form that it can't read back to wherever this says.
    parts.headers.remove(http::header::REFERER);
    let headers = parts.headers.clone();
    let request = Request::from_parts(parts, Body::from(bytes));
    let unreadable = headers.clone();
    let work = async move {
        let response = next.run(request).await;
        // Refusals of use cases are marked. What fails unmarked didn't get that far: fields are missing or malformed.
        if response.status().is_server_error() && !response.headers().contains_key(REFUSED) {
            return incomplete(&unreadable);
        }
        finish(response, session, fresh_device).await
    };
    match key {
        Some(key) => web.once.run(key, work, |response| response.headers_mut().remove(REFUSED).is_none()).await,
        None => {
            let mut response = work.await;
            response.headers_mut().remove(REFUSED);
            Some(response)
        }
    }
    .unwrap_or_else(|| failure(&headers, &AppError::Internal { ticket: "panic".into() }))
}

/// The address as the table has it.
fn address(parts: &Parts) -> &str {
    match parts.extensions.get::<MatchedPath>() {
        Some(matched) if matched.as_str() == FUNCTIONS => parts.uri.path(),
        Some(matched) => matched.as_str(),
        None => "",
    }
}

fn is_function(parts: &Parts) -> bool {
    parts.uri.path().starts_with("/api/")
}

/// Streams, and pieces of pages that may ask registries: only our own pages get them.
fn is_for_pages(parts: &Parts) -> bool {
    let is_listed = |path: &str| path.ends_with("/log") || app::routes::PARTS.contains(&path);
    parts.extensions.get::<MatchedPath>().is_some_and(|matched| is_listed(matched.as_str()))
}

fn other_method(parts: &Parts, allowed: &Method) -> Response {
    let text = format!("This address takes {allowed} only.");
    let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, &parts.headers, "Wrong method", &text);
    if let Ok(value) = HeaderValue::from_str(allowed.as_str()) {
        response.headers_mut().insert(http::header::ALLOW, value);
    }
    response
}

fn incomplete(headers: &http::HeaderMap) -> Response {
    let text = "The form is incomplete. Go back, reload the page and fill it in again.";
    let mut response = if wants_html(headers) {
        refuse(StatusCode::UNPROCESSABLE_ENTITY, headers, "This form isn't taken", text)
    } else {
        failure(headers, &AppError::field("", text))
    };
    response.headers_mut().insert(REFUSED, HeaderValue::from_static("1"));
    response
}

fn check_transport(web: &Web, parts: &Parts) -> Result<Transport, Response> {
    let refusal = |status, title, text| Err(refuse(status, &parts.headers, title, text));
    match transport::read(&web.config, parts) {
        Ok(transport) if transport.is_secure => Ok(transport),
        Ok(_) => refusal(
            StatusCode::FORBIDDEN,
            "Not over plain HTTP",
            "Slipway doesn't let anybody sign in over plain HTTP, because passwords and sessions could be read on the way. \
             Put a reverse proxy with TLS in front and set public-url to its https:// address, or open Slipway on its own \
             machine at http://127.0.0.1 (over SSH: ssh -L 7400:127.0.0.1:7400).",
        ),
        Err(Refusal::OtherHost) => refusal(
            StatusCode::MISDIRECTED_REQUEST,
            "Not this address",
            "Slipway answers only at the address that its setting public-url names. Open that one, or correct the setting.",
        ),
        Err(Refusal::NoHost) => {
            refusal(StatusCode::BAD_REQUEST, "No host", "The request doesn't say which host it is for.")
        }
    }
}

async fn check_access(web: &Web, parts: &Parts, access: Option<Access>, actor: Option<&Actor>) -> Result<(), Response> {
    let headers = &parts.headers;
    let is_page = !is_function(parts) && wants_html(headers);
    let needs_setup = match web.backend.accounts.needs_setup().await {
        Ok(needs_setup) => needs_setup,
        Err(error) => return Err(failure(headers, &error)),
    };
    match (needs_setup, access) {
        (true, Some(Access::SetupOnly)) => return Ok(()),
        (true, _) if is_page || wants_html(headers) => return Err(redirect(paths::SETUP)),
        (true, _) => {
            let problem = Problem::new("setup.needed", "Slipway isn't set up yet.", "Open /setup in a browser.");
            return Err(failure(headers, &problem.into()));
        }
        (false, Some(Access::SetupOnly)) if wants_html(headers) => {
            return Err(redirect(if actor.is_some() { paths::OVERVIEW } else { paths::SIGN_IN }));
        }
        (false, Some(Access::SetupOnly)) => {
            return Err(failure(headers, &AppError::NotFound("page: Slipway has been set up".into())));
        }
        (false, Some(Access::Always | Access::Public)) => return Ok(()),
        (false, _) => {}
    }
    let Some(actor) = actor else {
        if !wants_html(headers) {
            return Err(failure(headers, &AppError::SignIn));
        }
        if !is_page || parts.method != Method::GET {
            return Err(redirect(paths::SIGN_IN));
        }
        let here = parts.uri.path_and_query().map_or(paths::OVERVIEW, |here| here.as_str());
        let mut to = paths::SIGN_IN.to_owned();
        if here != paths::OVERVIEW && transport::local_path(here).is_some() {
            to.push_str("?next=");
            to.extend(url::form_urlencoded::byte_serialize(here.as_bytes()));
        }
        return Err(redirect(&to));
    };
    match access {
        Some(Access::SignedIn(action)) => actor.may(action).map_err(|error| failure(headers, &error)),
        // The page that says so is shown in its frame.
        None if parts.extensions.get::<MatchedPath>().is_none() => Ok(()),
        // Default deny: an address that isn't in the table doesn't exist, even if a router has it.
        _ => Err(failure(headers, &AppError::NotFound("page".into()))),
    }
}

/// Puts into the extensions what pages and server functions read. Returns the device token that is new, if it is.
fn provide(
    web: &Web,
    parts: &mut Parts,
    transport: &Transport,
    session: &Session,
    actor: Option<Actor>,
) -> Option<String> {
    let device = cookie_in(&parts.headers, session::DEVICE_COOKIE)
        .filter(|token| (32..=128).contains(&token.len()))
        .map(str::to_owned);
    let fresh = device.is_none().then(random_token);
    let known_device = device.or_else(|| fresh.clone());
    parts.extensions.insert(Client { address: transport.client, known_device });
    parts.extensions.insert(web.backend.clone());
    parts.extensions.insert(session.clone());
    parts.extensions.insert(super::assets::Site::assets());
    if parts.extensions.get::<RequestId>().is_none() {
        parts.extensions.insert(RequestId(super::trace::new_id()));
    }
    if let Some(actor) = actor {
        parts.extensions.insert(actor);
    }
    fresh
}

/// Keeps what the handler did to the session, and tells the browser.
async fn finish(mut response: Response, session: Session, fresh_device: Option<String>) -> Response {
    if !session.is_modified() {
        return response;
    }
    let mut cookies = Vec::new();
    if session.is_empty().await {
        cookies.push(session::set_cookie(session::COOKIE, "", Some(0)));
        response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    } else {
        let before = session.id();
        if let Err(error) = session.save().await {
            return failure(&http::HeaderMap::new(), &crate::problems::internal(&error));
        }
        if let Some(id) = session.id().filter(|id| Some(*id) != before) {
            cookies.push(session::set_cookie(session::COOKIE, &id.to_string(), None));
            let is_signed_in = matches!(session.get_value(ACTOR_KEY).await, Ok(Some(_)));
            if is_signed_in && let Some(token) = fresh_device {
                cookies.push(session::set_device_cookie(&token));
            }
        }
    }
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(http::header::SET_COOKIE, cookie);
    }
    response
}
