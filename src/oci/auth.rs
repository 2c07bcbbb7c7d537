//! One request with its sign-in: bare first, then once more with what the 401 asks for.
//!
//! How a registry wants to be convinced is decided by each answer and never remembered for a host: Harbor and others ask
//! for different things at different places. A 401 to the new try is final. An answer gives its place at the gate back
//! before another request is made, else those who wait for each other's places would wait for ever.

use super::answer::{drain, words};
use super::challenge::{self, Bearer, Challenge};
use super::transport::Response;
use super::{Access, Client, Login, OciError};
use app::model::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Request, StatusCode};

impl Client {
    /// Sends a request; answers a challenge once. `scope` is asked for when the registry doesn't name one.
    pub(super) async fn send(&self, access: &Access, scope: &str, request: Request) -> Result<Response, OciError> {
        if !access.owns(request.url()) {
            return Err(access.unexpected("an address outside the registry was about to be asked"));
        }
        let first = self.bare(access, copy(access, &request)?).await?;
        if first.status() != StatusCode::UNAUTHORIZED {
            return Ok(first);
        }
        self.sign_in(access, Some(scope), first, request).await
    }

    /// Sends a request as it is.
    pub(super) async fn bare(&self, access: &Access, request: Request) -> Result<Response, OciError> {
        self.execute(&access.trust, &access.host(), request).await
    }

    /// Sends a request again with what `refusal` asks for. Without a scope an empty one is asked for, whatever the
    /// registry names: that proves the login and nothing else.
    pub(super) async fn sign_in(
        &self,
        access: &Access,
        scope: Option<&str>,
        mut refusal: Response,
        request: Request,
    ) -> Result<Response, OciError> {
        let asked = challenge::choose(refusal.url(), refusal.headers());
        drain(&mut refusal).await;
        drop(refusal);
        match asked {
            None => Err(OciError::NotARegistry {
                host: access.host(),
                reason: "it asks for a sign-in that is neither Basic nor Bearer".into(),
            }),
            Some(Challenge::Basic) if access.login.is_none() => Err(OciError::SignIn { host: access.host() }),
            Some(Challenge::Basic) => {
                let response = self.bare(access, with_password(access, request)?).await?;
                if response.status() == StatusCode::UNAUTHORIZED {
                    let answer = words(response, access.login.as_ref()).await;
                    return Err(OciError::WrongCredentials { host: access.host(), answer });
                }
                Ok(response)
            }
            Some(Challenge::Bearer(bearer)) => self.sign_in_with_token(access, scope, bearer, request).await,
        }
    }

    async fn sign_in_with_token(
        &self,
        access: &Access,
        scope: Option<&str>,
        bearer: Bearer,
        request: Request,
    ) -> Result<Response, OciError> {
        let scopes = match scope {
            None => Vec::new(),
            Some(ours) if bearer.scopes.is_empty() => vec![ours.to_owned()],
            Some(_) => bearer.scopes.clone(),
        };
        let granted = self.token(access, &bearer, &scopes, None).await?;
        let mut response = self.bare(access, with_token(access, copy(access, &request)?, &granted.value)?).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            // Once more, no more: with other scopes where the registry says that these weren't enough, with a new token
            // where the kept one was revoked or expired early.
            let wider = match challenge::choose(response.url(), response.headers()) {
                Some(Challenge::Bearer(next)) if scope.is_some() && next.wants_more_than(&scopes) => Some(next),
                _ => None,
            };
            if wider.is_some() || !granted.is_fresh {
                drain(&mut response).await;
                drop(response);
                let scopes = wider.as_ref().map_or(scopes, |next| next.scopes.clone());
                let bearer = wider.unwrap_or(bearer);
                let granted = self.token(access, &bearer, &scopes, Some(&granted.value)).await?;
                response = self.bare(access, with_token(access, request, &granted.value)?).await?;
            }
        }
        if response.status() == StatusCode::UNAUTHORIZED {
            if access.login.is_none() {
                return Err(OciError::SignIn { host: access.host() });
            }
            // The sign-in service knows the login; the registry says that it isn't enough.
            return Err(access.denied(response).await);
        }
        Ok(response)
    }
}

/// The request with the password, for the registry's own origin alone.
pub(super) fn with_password(access: &Access, request: Request) -> Result<Request, OciError> {
    if !access.owns(request.url()) {
        return Err(access.unexpected("the password was about to be sent elsewhere"));
    }
    let Some(login) = &access.login else { return Err(OciError::SignIn { host: access.host() }) };
    signed(&access.host(), request, &basic(login))
}

fn with_token(access: &Access, request: Request, token: &Secret) -> Result<Request, OciError> {
    signed(&access.host(), request, &format!("Bearer {}", token.expose("Bearer authentication")))
}

/// The value of a Basic authorization.
pub(super) fn basic(login: &Login) -> String {
    let password = login.password.expose("Basic authentication");
    format!("Basic {}", STANDARD.encode(format!("{}:{password}", login.username)))
}

/// The request with an authorization, which is kept out of every log.
pub(super) fn signed(host: &str, mut request: Request, value: &str) -> Result<Request, OciError> {
    let mut value = HeaderValue::from_str(value).map_err(|_| OciError::Unexpected {
        host: host.to_owned(),
        answer: "a token that can't stand in a header".into(),
    })?;
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    Ok(request)
}

fn copy(access: &Access, request: &Request) -> Result<Request, OciError> {
    request.try_clone().ok_or_else(|| access.unexpected("a request that can't be repeated"))
}
