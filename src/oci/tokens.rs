//! Tokens from sign-in services: asked for once, kept until shortly before they expire.
//!
//! A token is opaque. It is kept under everything that decided about it: registry, login, realm, service and scopes.

use super::answer::{SMALL_BODY, whole_body, words};
use super::challenge::Bearer;
use super::{Access, Client, Login, OciError, transport};
use app::model::secret::Secret;
use reqwest::StatusCode;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

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
    /// A token for the challenge. `refused` is one that the registry doesn't accept any more.
    pub(super) async fn token(
        &self,
        access: &Access,
        bearer: &Bearer,
        scopes: &[String],
        refused: Option<&Secret>,
    ) -> Result<Granted, OciError> {
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

    /// `GET realm?service=…&scope=…`, with the password as Basic. The caller has made sure that the realm is trusted.
    async fn ask_for_token(&self, access: &Access, bearer: &Bearer, scopes: &[String]) -> Result<Token, OciError> {
        let host = access.url.host.as_str();
        let mut url = bearer.realm.clone();
        transport::check_literal(host, &url)?;
        {
            let mut query = url.query_pairs_mut();
            if let Some(service) = &bearer.service {
                query.append_pair("service", service);
            }
            for scope in scopes {
                query.append_pair("scope", scope);
            }
            query.append_pair("client_id", "slipway");
            if let Some(login) = &access.login {
                query.append_pair("account", &login.username);
            }
        }
        let realm = url.host_str().unwrap_or(host).to_owned();
        let mut request = self.inner.http.get(url);
        if let Some(login) = &access.login {
            request = request.basic_auth(&login.username, Some(login.password.expose("Basic")));
        }
        let response = request.send().await.map_err(|error| transport::failure(&realm, &error))?;
        let asked_at = Instant::now();
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => {
                return Err(OciError::WrongCredentials {
                    host: host.to_owned(),
                    answer: words(response, access.login.as_ref()).await,
                });
            }
            StatusCode::FORBIDDEN => {
                return Err(OciError::Denied {
                    host: host.to_owned(),
                    answer: words(response, access.login.as_ref()).await,
                });
            }
            _ => {
                let answer =
                    format!("its sign-in service {realm} said {}", words(response, access.login.as_ref()).await);
                return Err(OciError::Unexpected { host: host.to_owned(), answer });
            }
        }
        let body = whole_body(&realm, response, SMALL_BODY).await?;
        parse(&body, asked_at).ok_or_else(|| OciError::Unexpected {
            host: host.to_owned(),
            answer: format!("its sign-in service {realm} sent no token"),
        })
    }
}

fn identity(login: &Login) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(login.username.as_bytes());
    hash.update([0]);
    hash.update(login.password.expose("tokens of different passwords are kept apart").as_bytes());
    hash.finalize().into()
}

fn parse(body: &[u8], now: Instant) -> Option<Token> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        token: Option<Secret>,
        #[serde(default)]
        access_token: Option<Secret>,
        #[serde(default)]
        expires_in: Option<serde_json::Number>,
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
    let margin = (lifetime / 10).min(Duration::from_secs(10));
    Some(Token { value: Arc::new(value), until: now + lifetime - margin })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_in_many_forms() {
        let now = Instant::now();
        let life = |body: &str| parse(body.as_bytes(), now).map(|token| (token.until - now).as_secs());
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
}
