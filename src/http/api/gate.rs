//! Stands in front of the API: who may, by token alone. What the handlers need is in the extensions behind it.
//!
//! Browsers send no token by themselves, so a page of another origin can't ask in somebody's name, and no proof of origin
//! is needed. The token and all cookies are taken off the request: no handler can use or print them.

use super::problem::Failure;
use crate::http::permissions::{self, Access, Entry};
use crate::http::transport::{self, Refusal, Transport};
use crate::http::{Web, trace};
use app::api::tokens::{Bearer, TokenRefusal};
use app::error::{AppError, Problem};
use app::model::secret::Secret;
use app::request::RequestId;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{ALLOW, AUTHORIZATION, COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};

const NO_TOKEN: &str = "Send a token as \"Authorization: Bearer slw_…\". Make one under Settings → API tokens, or with slipway token create.";

/// Lets a request through to its handler, and writes what went wrong.
pub async fn gate(web: &Web, mut parts: Parts, body: Body, next: Next) -> Response {
    let id = parts.extensions.get::<RequestId>().map_or_else(trace::new_id, |id| id.0.clone());
    parts.extensions.insert(RequestId(id.clone()));
    let mut response = match check(web, &mut parts).await {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(failure) => return failure.answer(&id),
    };
    match response.extensions_mut().remove::<Failure>() {
        Some(failure) => failure.answer(&id),
        None => response,
    }
}

async fn check(web: &Web, parts: &mut Parts) -> Result<(), Failure> {
    // An address that another pattern caught is none of ours.
    let address = match parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str) {
        Some(address) if super::is_api(address) => address.to_owned(),
        _ => String::new(),
    };
    let entry = permissions::find(&parts.method, &address);
    let header = token(&parts.headers);
    parts.headers.remove(AUTHORIZATION);
    parts.headers.remove(COOKIE);
    if entry == Entry::Found(Access::Always) {
        return Ok(());
    }
    let transport = read_transport(web, parts)?;
    if web.backend.accounts.needs_setup().await? {
        let problem = Problem::new("setup.needed", "Slipway isn't set up yet.", "Open /setup in a browser.");
        return Err(AppError::from(problem).into());
    }
    let bearer = web.backend.tokens.authenticate(transport.client, &header?).await.map_err(refused)?;
    match entry {
        Entry::Found(Access::Bearer(action)) => bearer.actor.may(action)?,
        Entry::OtherMethod(_) => return Err(other_method(&address)),
        // Default deny: what isn't in the table as a route of the API doesn't exist.
        Entry::Found(_) | Entry::Missing => return Err(AppError::NotFound("address in this API".into()).into()),
    }
    let Bearer { token, actor } = bearer;
    parts.extensions.insert(token);
    parts.extensions.insert(actor);
    parts.extensions.insert(web.backend.clone());
    Ok(())
}

/// The token of the one `Authorization` header there may be.
fn token(headers: &HeaderMap) -> Result<Secret, Failure> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Failure::unauthorized(NO_TOKEN, None));
    };
    let found = value.to_str().ok().and_then(|text| text.split_once(' '));
    match found {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Secret::new(token.trim().to_owned())),
        _ => Err(Failure::unauthorized(NO_TOKEN, None)),
    }
}

fn refused(refusal: TokenRefusal) -> Failure {
    let detail = match refusal {
        TokenRefusal::Unknown => "This token isn't one of Slipway's. Look at how it is sent, or make a new one.",
        TokenRefusal::Expired => "This token has expired. Make a new one.",
        TokenRefusal::Revoked => "This token was revoked. Make a new one.",
        TokenRefusal::Other(error) => return error.into(),
    };
    Failure::unauthorized(detail, Some("invalid_token"))
}

fn read_transport(web: &Web, parts: &Parts) -> Result<Transport, Failure> {
    match transport::read(&web.config, parts) {
        Ok(transport) if transport.is_secure => Ok(transport),
        Ok(_) => {
            let words = "Tokens aren't taken over plain HTTP, because they could be read on the way. Use https, and make a \
                         new token if this one went over a network.";
            Err(Failure::plain(StatusCode::FORBIDDEN, words))
        }
        Err(Refusal::OtherHost) => {
            let words = "Slipway answers only at the address that its setting public-url names.";
            Err(Failure::plain(StatusCode::MISDIRECTED_REQUEST, words))
        }
        Err(Refusal::NoHost) => {
            Err(Failure::plain(StatusCode::BAD_REQUEST, "The request doesn't say which host it is for."))
        }
    }
}

fn other_method(address: &str) -> Failure {
    let allowed = permissions::methods(address).map(http::Method::as_str).collect::<Vec<_>>().join(", ");
    let failure = Failure::plain(StatusCode::METHOD_NOT_ALLOWED, format!("This address takes {allowed} only."));
    match HeaderValue::from_str(&allowed) {
        Ok(value) => failure.with_header(ALLOW, value),
        Err(_) => failure,
    }
}
