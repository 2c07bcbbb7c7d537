//! Tokens from sign-in services: asked for once, kept until shortly before they expire.
//!
//! A token is opaque. It is kept under everything that decided about it: registry, login, realm, service and scopes.

use super::answer::{SMALL_BODY, drain, sanitise, whole_body, words};
use super::auth::{basic, signed};
use super::challenge::Bearer;
use super::gate::http_date;
use super::transport::Response;
use super::{Access, Client, Login, OciError, realm};
use app::model::secret::Secret;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderValue};
use reqwest::{Method, Request, StatusCode, Url};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, PrimitiveDateTime};

/// What Slipway calls itself at token services.
const CLIENT: &str = "slipway";
/// What a token service promises when it says nothing.
const DEFAULT_LIFETIME: u64 = 60;
/// Longest time a token is kept, whatever its service says.
const LONGEST_LIFETIME: u64 = 24 * 3_600;
/// Above this many kept tokens the expired ones are thrown out.
const MANY: usize = 256;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    registry: String,
    login: Option<[u8; 32]>,
    realm: String,
    service: Option<String>,
    scopes: Vec<String>,
}

#[derive(Clone)]
struct Token {
    value: Arc<Secret>,
    until: Instant,
}

type Slot = Arc<tokio::sync::Mutex<Option<Token>>>;

/// The tokens at hand. One request at a time asks for the same token; the others wait for it.
#[derive(Default)]
pub(super) struct Tokens {
    slots: Mutex<HashMap<Key, Slot>>,
}

impl Tokens {
    fn slot(&self, key: Key) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() > MANY {
            let now = Instant::now();
            // A slot that is locked is being filled right now.
            slots.retain(|_, slot| slot.try_lock().map_or(true, |token| token.as_ref().is_some_and(|t| t.until > now)));
        }
        slots.entry(key).or_default().clone()
    }
}

/// A token, and whether it was asked for just now.
pub(super) struct Granted {
    pub value: Arc<Secret>,
    pub is_fresh: bool,
}

impl Client {
    /// A token for the challenge; the one place where it is decided that its service may be asked. `refused` is one that
    /// the registry doesn't accept any more.
    pub(super) async fn token(
        &self,
        access: &Access,
        bearer: &Bearer,
        scopes: &[String],
        refused: Option<&Secret>,
    ) -> Result<Granted, OciError> {
        let is_fit = match access.login {
            Some(_) => realm::is_trusted(access, &bearer.realm),
            None => realm::is_fit_for_anybody(access, &bearer.realm),
        };
        if !is_fit {
            return Err(OciError::ForeignRealm { host: access.host(), realm: origin_of(&bearer.realm) });
        }
        let mut sorted = scopes.to_vec();
        sorted.sort();
        let key = Key {
            registry: access.url.api_base(),
            login: access.login.as_ref().map(identity),
            realm: bearer.realm.to_string(),
            service: bearer.service.clone(),
            scopes: sorted,
        };
        let slot = self.inner.tokens.slot(key);
        let mut held = slot.lock().await;
        if let Some(token) = held.as_ref()
            && token.until > Instant::now()
            && refused != Some(token.value.as_ref())
        {
            return Ok(Granted { value: token.value.clone(), is_fresh: false });
        }
        *held = None;
        let token = self.ask_for_token(access, bearer, scopes).await?;
        *held = Some(token.clone());
        Ok(Granted { value: token.value, is_fresh: true })
    }

    /// The caller has made sure that the realm is trusted.
    async fn ask_for_token(&self, access: &Access, bearer: &Bearer, scopes: &[String]) -> Result<Token, OciError> {
        let mut response = match &access.login {
            Some(login) if login.username == Login::TOKEN => {
                let response = self.post_for_token(access, login, bearer, scopes).await?;
                // No such endpoint there: some take the token as a password.
                if matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
                    drop(response);
                    self.get_token(access, bearer, scopes).await?
                } else {
                    response
                }
            }
            _ => self.get_token(access, bearer, scopes).await?,
        };
        // Quay's sign-in service knows repositories alone; its catalog is content with a token for nothing.
        if response.status() == StatusCode::BAD_REQUEST && scopes.iter().any(|scope| scope.starts_with("registry:")) {
            drain(&mut response).await;
            drop(response);
            response = self.get_token(access, bearer, &[]).await?;
        }
        let realm = host_of(access, &bearer.realm);
        let asked_at = Instant::now();
        let host = access.host();
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => {
                let answer = words(response, access.login.as_ref()).await;
                return Err(match access.login {
                    Some(_) => OciError::WrongCredentials { host, answer },
                    None => OciError::SignIn { host },
                });
            }
            StatusCode::FORBIDDEN => return Err(access.denied(response).await),
            _ => {
                let answer = words(response, access.login.as_ref()).await;
                return Err(access.unexpected(format!("its sign-in service {realm} said {answer}")));
            }
        }
        let date = response.headers().get(DATE).and_then(|value| value.to_str().ok()).and_then(http_date);
        let body = whole_body(&realm, response, SMALL_BODY).await?;
        parse(&body, asked_at, date)
            .ok_or_else(|| access.unexpected(format!("its sign-in service {realm} sent no token")))
    }

    /// `GET realm?service=…&scope=…`, with the password as Basic.
    async fn get_token(&self, access: &Access, bearer: &Bearer, scopes: &[String]) -> Result<Response, OciError> {
        let mut url = bearer.realm.clone();
        {
            let mut query = url.query_pairs_mut();
            if let Some(service) = &bearer.service {
                query.append_pair("service", service);
            }
            for scope in scopes {
                query.append_pair("scope", scope);
            }
            query.append_pair("client_id", CLIENT);
            if let Some(login) = access.login.as_ref().filter(|login| login.username != Login::TOKEN) {
                query.append_pair("account", &login.username);
            }
        }
        let host = host_of(access, &url);
        let mut request = Request::new(Method::GET, url);
        if let Some(login) = &access.login {
            request = signed(&host, request, &basic(login))?;
        }
        self.execute(&access.trust, &host, request).await
    }

    /// `POST realm` with an identity token (the OAuth2 half of the token protocol): all scopes stand in one value.
    async fn post_for_token(
        &self,
        access: &Access,
        login: &Login,
        bearer: &Bearer,
        scopes: &[String],
    ) -> Result<Response, OciError> {
        let form = exchange(login, bearer, scopes);
        let mut request = Request::new(Method::POST, bearer.realm.clone());
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, kind);
        *request.body_mut() = Some(form.into());
        self.execute(&access.trust, &host_of(access, &bearer.realm), request).await
    }
}

/// The form by which an identity token is exchanged.
fn exchange(login: &Login, bearer: &Bearer, scopes: &[String]) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token").append_pair("client_id", CLIENT);
    if let Some(service) = &bearer.service {
        form.append_pair("service", service);
    }
    if !scopes.is_empty() {
        form.append_pair("scope", &scopes.join(" "));
    }
    form.append_pair("refresh_token", login.password.expose("exchanged for a token of the registry"));
    form.finish()
}

/// Who is named in messages about the sign-in service.
fn host_of(access: &Access, realm: &Url) -> String {
    realm.host_str().map_or_else(|| access.host(), sanitise)
}

/// `https://auth.example:8443`, of a realm that nobody vouches for.
fn origin_of(realm: &Url) -> String {
    let host = realm.host_str().unwrap_or("an address without host");
    let port = realm.port().map(|port| format!(":{port}")).unwrap_or_default();
    sanitise(&format!("{}://{host}{port}", realm.scheme()))
}

fn identity(login: &Login) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(login.username.as_bytes());
    hash.update([0]);
    hash.update(login.password.expose("tokens of different passwords are kept apart").as_bytes());
    hash.finalize().into()
}

/// `date`: what time it is by the clock of the sign-in service, so that a wrong clock here doesn't matter.
fn parse(body: &[u8], now: Instant, date: Option<PrimitiveDateTime>) -> Option<Token> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        token: Option<Secret>,
        #[serde(default)]
        access_token: Option<Secret>,
        #[serde(default)]
        expires_in: Option<serde_json::Number>,
        #[serde(default)]
        issued_at: Option<serde_json::Value>,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let value = [answer.token, answer.access_token].into_iter().flatten().find(|token| !token.is_empty())?;
    // What can't stand in a header is no token.
    let is_text = value.expose("its characters are checked").bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    if !is_text {
        return None;
    }
    let lifetime = answer.expires_in.and_then(|number| number.as_u64()).filter(|seconds| *seconds > 0);
    let lifetime = Duration::from_secs(lifetime.unwrap_or(DEFAULT_LIFETIME).min(LONGEST_LIFETIME));
    let issued_at = answer.issued_at.as_ref().and_then(|value| value.as_str());
    let issued_at = issued_at.and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
    let age = date
        .zip(issued_at)
        .map(|(date, issued_at)| Duration::try_from(date.assume_utc() - issued_at).unwrap_or_default());
    let lifetime = lifetime.saturating_sub(age.unwrap_or_default());
    let margin = (lifetime / 10).min(Duration::from_secs(10));
    Some(Token { value: Arc::new(value), until: now + lifetime - margin })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_in_many_forms() {
        let now = Instant::now();
        let life = |body: &str| parse(body.as_bytes(), now, None).map(|token| (token.until - now).as_secs());
        assert_eq!(life(r#"{"token":"a.b.c","expires_in":300}"#), Some(290));
        assert_eq!(life(r#"{"access_token":"opaque"}"#), Some(54));
        assert_eq!(life(r#"{"token":"","access_token":"x","expires_in":0}"#), Some(54));
        assert_eq!(life(r#"{"token":"x","expires_in":-5}"#), Some(54));
        assert_eq!(life(r#"{"token":"x","expires_in":1e300}"#), Some(54));
        assert_eq!(life(r#"{"token":"x","expires_in":99999999999}"#), Some(LONGEST_LIFETIME - 10));
        for body in ["", "{}", r#"{"token":""}"#, r#"{"token":"a\r\nb"}"#, r#"{"token":7}"#, "<html>", "[]"] {
            assert_eq!(life(body), None, "{body}");
        }
    }

    #[test]
    fn a_token_is_as_old_as_its_service_says() {
        let now = Instant::now();
        let date = http_date("Tue, 24 Nov 2026 10:00:00 GMT");
        for (issued_at, seconds) in [
            ("2026-11-24T10:00:00Z", 290),
            ("2026-11-24T09:59:00Z", 230),
            ("2026-11-24T10:59:00+01:00", 230),
            ("2026-11-24T10:05:00Z", 290), // from the future: a clock that is wrong
            ("2026-11-24T08:00:00Z", 0),
            ("yesterday", 290),
        ] {
            let body = format!(r#"{{"token":"x","expires_in":300,"issued_at":"{issued_at}"}}"#);
            let token = parse(body.as_bytes(), now, date).expect("a token");
            assert_eq!((token.until - now).as_secs(), seconds, "{issued_at}");
            let token = parse(body.as_bytes(), now, None).expect("a token");
            assert_eq!((token.until - now).as_secs(), 290, "without a clock to compare with: {issued_at}");
        }
    }
}
