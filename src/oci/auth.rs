//! One request with its sign-in: bare first, then once more with what the 401 asks for.
//!
//! How a registry wants to be convinced is decided by each answer and never remembered for a host: Harbor and others ask
//! for different things at different places. A second 401 is final.

use super::answer::words;
use super::challenge::{self, Bearer, Challenge};
use super::{Client, Login, OciError, transport};
use app::model::credential::RegistryUrl;
use reqwest::{Request, Response, StatusCode, Url};

/// A registry with the login that belongs to it. Credentials go to this origin alone, and to its realm.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub registry: &'a RegistryUrl,
    pub login: &'a Login,
}

impl Place<'_> {
    /// Its host, for messages.
    pub fn host(&self) -> String {
        self.registry.host.to_string()
    }

    /// An address below it.
    pub fn url(&self, path: &str) -> Result<Url, OciError> {
        let text = format!("{}{path}", self.registry.api_base());
        let url = Url::parse(&text).map_err(|error| self.unexpected(format!("its address is no URL: {error}")))?;
        transport::check_literal(self.registry.host.as_str(), &url)?;
        Ok(url)
    }

    /// Whether an address is on this very scheme, host and port.
    pub fn owns(&self, url: &Url) -> bool {
        Url::parse(&self.registry.api_base()).is_ok_and(|own| own.origin() == url.origin())
    }

    pub fn unexpected(&self, answer: impl Into<String>) -> OciError {
        OciError::Unexpected { host: self.host(), answer: answer.into() }
    }

    pub async fn denied(&self, response: Response) -> OciError {
        OciError::Denied { host: self.host(), answer: words(response, self.login).await }
    }

    pub async fn surprise(&self, response: Response) -> OciError {
        self.unexpected(words(response, self.login).await)
    }
}

impl Client {
    /// Sends a request; answers a challenge once. `scope` is asked for when the registry doesn't name one.
    pub(super) async fn send(&self, place: Place<'_>, scope: &str, request: Request) -> Result<Response, OciError> {
        if !place.owns(request.url()) {
            return Err(place.unexpected("an address outside the registry was about to be asked"));
        }
        let first = self.bare(place, copy(place, &request)?).await?;
        if first.status() != StatusCode::UNAUTHORIZED {
            return Ok(first);
        }
        self.sign_in(place, Some(scope), first, request).await
    }

    /// Sends a request as it is.
    pub(super) async fn bare(&self, place: Place<'_>, request: Request) -> Result<Response, OciError> {
        self.inner.http.execute(request).await.map_err(|error| transport::failure(&place.host(), &error))
    }

    /// Sends a request again with what `refusal` asks for. Without a scope an empty one is asked for, whatever the
    /// registry names: that proves the login and nothing else.
    pub(super) async fn sign_in(
        &self,
        place: Place<'_>,
        scope: Option<&str>,
        refusal: Response,
        request: Request,
    ) -> Result<Response, OciError> {
        match challenge::choose(refusal.url(), refusal.headers()) {
            None => Err(OciError::NotARegistry {
                host: place.host(),
                reason: "it asks for a sign-in that is neither Basic nor Bearer".into(),
            }),
            Some(Challenge::Basic) => {
                let response = self.bare(place, with_password(place, request)?).await?;
                if response.status() == StatusCode::UNAUTHORIZED {
                    let answer = words(response, place.login).await;
                    return Err(OciError::WrongCredentials { host: place.host(), answer });
                }
                Ok(response)
            }
            Some(Challenge::Bearer(bearer)) => self.sign_in_with_token(place, scope, &bearer, request).await,
        }
    }

    async fn sign_in_with_token(
        &self,
        place: Place<'_>,
        scope: Option<&str>,
        bearer: &Bearer,
        request: Request,
    ) -> Result<Response, OciError> {
        if !challenge::is_trusted(place.registry, &bearer.realm) {
            let realm = bearer.realm.host_str().unwrap_or("an address without host").to_owned();
            let realm = match bearer.realm.port() {
                Some(port) => format!("{}://{realm}:{port}", bearer.realm.scheme()),
                None => format!("{}://{realm}", bearer.realm.scheme()),
            };
            return Err(OciError::ForeignRealm { host: place.host(), realm: super::answer::sanitise(&realm) });
        }
        let scopes = match scope {
            None => Vec::new(),
            Some(ours) if bearer.scopes.is_empty() => vec![ours.to_owned()],
            Some(_) => bearer.scopes.clone(),
        };
        let mut granted = self.token(place.registry, place.login, bearer, &scopes, None).await?;
        let mut response = self.bare(place, with_token(place, copy(place, &request)?, &granted.value)?).await?;
        if response.status() == StatusCode::UNAUTHORIZED && !granted.is_fresh {
            // The kept token was revoked or expired early: one new one, no more.
            granted = self.token(place.registry, place.login, bearer, &scopes, Some(&granted.value)).await?;
            response = self.bare(place, with_token(place, request, &granted.value)?).await?;
        }
        if response.status() == StatusCode::UNAUTHORIZED {
            // The sign-in service knows the login; the registry says that it isn't enough.
            return Err(place.denied(response).await);
        }
        Ok(response)
    }
}

/// The request with the password, for the registry's own origin alone.
pub(super) fn with_password(place: Place<'_>, request: Request) -> Result<Request, OciError> {
    if !place.owns(request.url()) {
        return Err(place.unexpected("the password was about to be sent elsewhere"));
    }
    let password = place.login.password.expose("Basic authentication");
    let user = &place.login.username;
    let value = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{user}:{password}"));
    authorized(place, request, &format!("Basic {value}"))
}

fn with_token(place: Place<'_>, request: Request, token: &app::model::secret::Secret) -> Result<Request, OciError> {
    authorized(place, request, &format!("Bearer {}", token.expose("Bearer authentication")))
}

fn authorized(place: Place<'_>, mut request: Request, value: &str) -> Result<Request, OciError> {
    let mut value = reqwest::header::HeaderValue::from_str(value)
        .map_err(|_| place.unexpected("a token that can't stand in a header"))?;
    value.set_sensitive(true);
    request.headers_mut().insert(reqwest::header::AUTHORIZATION, value);
    Ok(request)
}

fn copy(place: Place<'_>, request: &Request) -> Result<Request, OciError> {
    request.try_clone().ok_or_else(|| place.unexpected("a request that can't be repeated"))
}
