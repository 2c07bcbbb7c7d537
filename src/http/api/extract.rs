//! What handlers take: who asks, the id in the address, the query, the body. Each is read in one way for all nouns.

use super::problem::Failure;
use crate::http::form::{BODY_MAX, BODY_TIME};
use app::api::Backend;
use app::error::{AppError, FieldError};
use app::model::account::Actor;
use app::model::id::{JobId, RegistryId, TokenId};
use app::request::RequestId;
use axum::body::{Body as RawBody, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Who asks, and what can be asked for.
pub struct Caller {
    /// In whose name.
    pub actor: Actor,
    /// With which token.
    pub token: TokenId,
    /// What the product can do.
    pub backend: Backend,
    /// The request's id.
    pub request: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let found = &parts.extensions;
        let parts = (found.get(), found.get(), found.get(), found.get::<RequestId>());
        // The gate put them in; without it nobody gets further.
        let (Some(actor), Some(token), Some(backend), Some(request)) = parts else {
            return Err(AppError::SignIn.into());
        };
        let (actor, token, backend) = (Actor::clone(actor), TokenId::clone(token), Backend::clone(backend));
        Ok(Self { actor, token, backend, request: request.0.clone() })
    }
}

/// An id as part of an address.
pub trait Named: std::str::FromStr {
    /// What it is the id of.
    const NOUN: &'static str;
}

impl Named for RegistryId {
    const NOUN: &'static str = "registry";
}

impl Named for JobId {
    const NOUN: &'static str = "job";
}

/// The id in the address; what is no id is not found.
pub struct Id<T>(pub T);

impl<T: Named, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let text = Path::<String>::from_request_parts(parts, state).await.map(|Path(text)| text).unwrap_or_default();
        text.parse().map(Self).map_err(|_| AppError::NotFound(T::NOUN.into()).into())
    }
}

/// The values of the query.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(rejection) => {
                let text = rejection.body_text();
                let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
                let (path, words) = text.split_once(": ").unwrap_or(("", text));
                Err(Failure::invalid(vec![said(path, words)]))
            }
        }
    }
}

/// What a body holds.
pub trait Wish: Sized {
    /// Reads it.
    fn read(value: Value) -> Result<Self, FieldError>;
}

/// A body that has to be there.
pub struct Body<T>(pub T);

/// A body that may be left out.
pub struct MaybeBody<T>(pub Option<T>);

/// No body, or an empty object: there is nothing to say.
pub struct NoBody;

impl<T: Wish, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        match json(request).await? {
            Some(value) => T::read(value).map(Self).map_err(|error| Failure::invalid(vec![error])),
            None => Err(Failure::plain(StatusCode::BAD_REQUEST, "Send a JSON object.")),
        }
    }
}

impl<T: Wish, S: Send + Sync> FromRequest<S> for MaybeBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let value = json(request).await?;
        value.map(T::read).transpose().map(Self).map_err(|error| Failure::invalid(vec![error]))
    }
}

impl<S: Send + Sync> FromRequest<S> for NoBody {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let value = json(request).await?.unwrap_or_default();
        match value.as_object().and_then(|object| object.keys().next()) {
            Some(key) => Err(Failure::invalid(vec![FieldError::new(key, "There is no such field.")])),
            None => Ok(Self),
        }
    }
}

/// The body as a JSON object. None: there is none.
async fn json(request: Request) -> Result<Option<Value>, Failure> {
    let (parts, body) = request.into_parts();
    let bytes = read(&parts.headers, body).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Failure::plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send the body as application/json."));
    }
    match serde_json::from_slice(&bytes) {
        Ok(value @ Value::Object(_)) => Ok(Some(value)),
        Ok(_) => Err(Failure::plain(StatusCode::BAD_REQUEST, "Send a JSON object.")),
        Err(error) => {
            let place = format!("The body isn't JSON: line {}, column {}.", error.line(), error.column());
            Err(Failure::plain(StatusCode::BAD_REQUEST, place))
        }
    }
}

async fn read(headers: &HeaderMap, body: RawBody) -> Result<Bytes, Failure> {
    let too_large = || Failure::plain(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large: 1 MiB is the limit.");
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(Failure::plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Compressed bodies aren't taken."));
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    if length.is_some_and(|length: u64| length > BODY_MAX as u64) {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_TIME, Limited::new(body, BODY_MAX).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Failure::plain(StatusCode::BAD_REQUEST, "The body didn't arrive whole.")),
        Err(_) => Err(Failure::plain(StatusCode::REQUEST_TIMEOUT, "The body took too long to arrive.")),
    }
}

/// A value as a type of ours. The error names the field and what is expected there, never what was sent.
pub fn typed<T: DeserializeOwned>(value: Value) -> Result<T, FieldError> {
    serde_path_to_error::deserialize(value).map_err(|error| said(&error.path().to_string(), &error.inner().to_string()))
}

/// The deserialiser's words as an error at the field.
fn said(path: &str, words: &str) -> FieldError {
    let path = if path == "." { "" } else { path };
    let quoted = || words.split('`').nth(1).unwrap_or_default();
    let below = |name: &str| match path {
        "" => name.to_owned(),
        _ if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
        _ => format!("{path}.{name}"),
    };
    let expected = words.split_once("expected ").map(|(_, rest)| rest.split(" at line ").next().unwrap_or_default());
    if words.starts_with("missing field ") {
        FieldError::new(&below(quoted()), "Fill this in.")
    } else if words.starts_with("unknown field ") {
        FieldError::new(&below(quoted()), "There is no such field.")
    } else if let Some(expected) = expected {
        FieldError::new(path, format!("Expected {expected}."))
    } else {
        FieldError::new(path, "This value isn't taken.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its reading is looked at")]
    struct Sample {
        name: String,
        #[serde(default)]
        inner: Option<Inner>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its reading is looked at")]
    struct Inner {
        port: u16,
    }

    #[test]
    fn errors_name_the_field_and_never_what_was_sent() {
        let error = |value| typed::<Sample>(value).expect_err("refused");
        let found = error(serde_json::json!({ "inner": {} }));
        assert_eq!((found.field.as_str(), found.message.as_str()), ("inner.port", "Fill this in."));
        assert_eq!(error(serde_json::json!({})).field, "name");
        assert_eq!(error(serde_json::json!({ "name": "a", "inner": { "port": 1, "prot": 2 } })).field, "inner.prot");
        let unknown = error(serde_json::json!({ "nam": "hunter2" }));
        assert_eq!((unknown.field.as_str(), unknown.message.as_str()), ("nam", "There is no such field."));
        let wrong = error(serde_json::json!({ "name": "a", "inner": { "port": "hunter2" } }));
        assert_eq!((wrong.field.as_str(), wrong.message.as_str()), ("inner.port", "Expected u16."));
    }
}
