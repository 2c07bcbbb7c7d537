//! Who is asking, what their form held, and where they go next.
//!
//! The server's guard puts the pieces below into the request's extensions; pages and server functions read them here.

use crate::api::Backend;
use crate::api::accounts::Client;
use crate::error::AppError;
use crate::model::account::Actor;
use http::StatusCode;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use serde::{Deserialize, Serialize};
use std::future::Future;
use tower_sessions::Session;

/// Session key: who is signed in.
pub const ACTOR_KEY: &str = "actor";
/// Header that marks an answer which refuses a wish, so that the same form sent again is tried again. It never leaves the
/// server: the guard takes it off.
pub const REFUSED: &str = "x-slipway-refused";
const FLASH_KEY: &str = "flash";
const FORM_KEY: &str = "form";

/// The id of this request, as in the log.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// A form's fields as they came, and the hidden ones that every form has.
#[derive(Clone, Debug, Default)]
pub struct FormPost {
    /// The path it was posted to.
    pub action: String,
    /// `page`: the local address of the page that holds the form; checked.
    pub page: Option<String>,
    /// `next`: a local address to go to afterwards; checked.
    pub next: Option<String>,
    /// `request_id`: random, so that a form sent twice does its work once.
    pub request_id: Option<String>,
    /// All fields.
    pub pairs: Vec<(String, String)>,
    /// Whether the client wants a page and not JSON.
    pub wants_html: bool,
}

impl FormPost {
    /// The address of the page that holds the form, if it is one of ours; else the overview.
    fn home(&self) -> String {
        self.page.clone().unwrap_or_else(|| crate::paths::OVERVIEW.to_owned())
    }
}

/// A form that came back: what was typed (without secrets) and what is wrong.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FormState {
    /// The path it was posted to.
    pub action: String,
    /// Typed values by field name (`form[name]` is `name`); never those of secret fields.
    pub values: Vec<(String, String)>,
    /// What is wrong.
    pub error: Option<AppError>,
}

impl FormState {
    /// What was typed into a field.
    pub fn value(&self, field: &str) -> Option<String> {
        self.values.iter().find(|(name, _)| name == field).map(|(_, value)| value.clone())
    }

    /// What is wrong with a field.
    pub fn field_error(&self, field: &str) -> Option<String> {
        match &self.error {
            Some(AppError::Invalid(errors)) => {
                errors.iter().find(|error| error.field == field).map(|error| error.message.clone())
            }
            _ => None,
        }
    }
}

/// Where to go after a form did its work.
pub struct See {
    /// None: back to the form, with what was typed.
    to: Option<String>,
    message: String,
}

/// Go there, with a short message (empty: none).
pub fn see(to: impl Into<String>, message: &str) -> Result<See, AppError> {
    Ok(See { to: Some(to.into()), message: message.to_owned() })
}

/// Stay at the form, with what was typed and a short message: nothing was wrong, and nothing is done yet.
pub fn stay(message: &str) -> Result<See, AppError> {
    Ok(See { to: None, message: message.to_owned() })
}

fn extension<T: Clone + Send + Sync + 'static>() -> Option<T> {
    use_context::<http::request::Parts>().and_then(|parts| parts.extensions.get::<T>().cloned())
}

fn missing(what: &str) -> AppError {
    tracing::error!(what, "a request came without a part that the guard puts in");
    AppError::Internal { ticket: extension::<RequestId>().map_or_else(|| what.to_owned(), |id| id.0) }
}

/// What the product can do.
///
/// # Panics
/// When the router was built without a backend, which is a mistake in `start.rs`.
pub fn backend() -> Backend {
    #[expect(clippy::expect_used, reason = "the router can't be built without it")]
    extension::<Backend>().expect("the router provides the backend")
}

/// What the product can do, where there is a product: pages of errors are shown without one too.
pub fn find_backend() -> Option<Backend> {
    extension()
}

/// A value of the query, decoded.
pub fn query(name: &str) -> Option<String> {
    let uri = uri();
    let pairs: Vec<(String, String)> = axum::extract::Query::try_from_uri(&uri).ok()?.0;
    pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// The address asked for, as a form's `page` field names it.
pub fn here() -> String {
    uri().path_and_query().map_or_else(|| crate::paths::OVERVIEW.to_owned(), ToString::to_string)
}

/// Who is asking, and what they can ask for.
pub fn signed_in() -> Result<(Actor, Backend), AppError> {
    Ok((extension::<Actor>().ok_or(AppError::SignIn)?, backend()))
}

/// Who is asking, if anybody.
pub fn actor() -> Option<Actor> {
    extension()
}

/// Where the request comes from.
pub fn client() -> Client {
    extension::<Client>()
        .unwrap_or(Client { address: std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), known_device: None })
}

/// The address asked for, with its query.
pub fn uri() -> http::Uri {
    use_context::<http::request::Parts>().map(|parts| parts.uri).unwrap_or_default()
}

/// Host and port as the browser named them.
pub fn host() -> Option<String> {
    let parts = use_context::<http::request::Parts>()?;
    parts.headers.get(http::header::HOST)?.to_str().ok().map(str::to_owned)
}

/// A path parameter, as text (routes are `/credentials/{id}`).
pub fn param(name: &str) -> Option<String> {
    extension::<Params>()?.0.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// The path parameters of the route.
#[derive(Clone, Debug, Default)]
pub struct Params(pub Vec<(String, String)>);

/// The id in the path; anything else is not found.
pub fn id<T: std::str::FromStr>(what: &str) -> Result<T, AppError> {
    param("id").and_then(|text| text.parse().ok()).ok_or_else(|| AppError::NotFound(what.to_owned()))
}

/// A cookie's value; used for the theme.
pub fn cookie(name: &str) -> Option<String> {
    cookie_in(&use_context::<http::request::Parts>()?.headers, name).map(str::to_owned)
}

/// A cookie's value among a request's headers.
pub fn cookie_in<'r>(headers: &'r http::HeaderMap, name: &str) -> Option<&'r str> {
    headers
        .get_all(http::header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value))
}

fn session() -> Result<Session, AppError> {
    extension::<Session>().ok_or_else(|| missing("session"))
}

fn session_failed(error: &tower_sessions::session::Error) -> AppError {
    tracing::error!(%error, "the session store failed");
    missing("session store")
}

/// The session's id, as text.
pub fn session_id() -> Result<String, AppError> {
    session()?.id().map(|id| id.to_string()).ok_or(AppError::SignIn)
}

/// Makes this browser's session one of `actor`, under a new id (no session fixation).
pub async fn sign_in(actor: Actor) -> Result<(), AppError> {
    let session = session()?;
    session.cycle_id().await.map_err(|error| session_failed(&error))?;
    session.insert(ACTOR_KEY, actor).await.map_err(|error| session_failed(&error))
}

/// Ends this browser's session.
pub async fn sign_out() -> Result<(), AppError> {
    session()?.flush().await.map_err(|error| session_failed(&error))
}

/// The form's `next` address, if it is one of ours.
pub fn next_page() -> Option<String> {
    extension::<FormPost>()?.next
}

/// The address of the page that holds the form, if it is one of ours; else the overview.
pub fn page() -> String {
    extension::<FormPost>().unwrap_or_default().home()
}

/// Takes a value out of the session. Looks first: taking what isn't there would count as a change and be written.
async fn take<T: serde::de::DeserializeOwned>(key: &str) -> Option<T> {
    let session = session().ok()?;
    session.get_value(key).await.ok()??;
    session.remove(key).await.ok()?
}

/// A message for the next page, once.
pub async fn take_flash() -> Option<String> {
    take(FLASH_KEY).await
}

/// The form for this page that came back, once.
pub async fn take_form() -> FormState {
    take(FORM_KEY).await.unwrap_or_default()
}

/// Whether a field's value must never be kept.
fn is_secret_field(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "repeat", "current", "token", "secret", "access_key", "env"].iter().any(|word| name.contains(word))
}

/// `form[name]` → `name`.
fn plain_name(name: &str) -> &str {
    name.strip_prefix("form[").and_then(|rest| rest.strip_suffix(']')).unwrap_or(name)
}

/// Turns what a use case said into an answer: pages get a redirect with a message or the form back, programs get JSON.
pub async fn answer(work: impl Future<Output = Result<See, AppError>>) -> Result<(), AppError> {
    let post = extension::<FormPost>().unwrap_or_default();
    match work.await {
        Ok(See { to, message }) => {
            if !message.is_empty()
                && let Ok(session) = session()
            {
                session.insert(FLASH_KEY, message).await.map_err(|error| session_failed(&error))?;
            }
            let to = match to {
                Some(to) => to,
                None => {
                    // Pressed again, it is done again.
                    refused();
                    keep_form(&post, None).await?;
                    post.home()
                }
            };
            redirect(&to);
            Ok(())
        }
        Err(error) if post.wants_html => {
            refused();
            let page = match &error {
                AppError::SignIn => crate::paths::SIGN_IN.to_owned(),
                _ => post.home(),
            };
            keep_form(&post, Some(error)).await?;
            redirect(&page);
            Ok(())
        }
        Err(error) => {
            refused();
            if let Some(response) = use_context::<ResponseOptions>() {
                response.set_status(StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
            }
            Err(error)
        }
    }
}

/// Keeps what was typed, without secrets, for the form's page.
async fn keep_form(post: &FormPost, error: Option<AppError>) -> Result<(), AppError> {
    let values = post
        .pairs
        .iter()
        .map(|(name, value)| (plain_name(name).to_owned(), value.clone()))
        .filter(|(name, value)| !is_secret_field(name) && value.len() <= 16_384)
        .take(160)
        .collect();
    let state = FormState { action: post.action.clone(), values, error };
    session()?.insert(FORM_KEY, state).await.map_err(|error| session_failed(&error))
}

/// Tells the guard that the wish was refused, or may be repeated.
fn refused() {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.insert_header(http::HeaderName::from_static(REFUSED), http::HeaderValue::from_static("1"));
    }
}

fn redirect(to: &str) {
    let Some(response) = use_context::<ResponseOptions>() else { return };
    let Ok(location) = http::HeaderValue::from_str(to) else { return };
    response.set_status(StatusCode::SEE_OTHER);
    response.insert_header(http::header::LOCATION, location);
}
