//! One request with its sign-in: bare first, then once more with what the 401 asks for.
//!
//! How a registry wants to be convinced is decided by each answer and never remembered for a host: Harbor and others ask
//! for different things at different places. A second 401 is final.

use super::answer::words;
use super::challenge::{self, Bearer, Challenge};
use super::{Access, Client, OciError, transport};
use reqwest::{Request, Response, StatusCode};

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
        self.inner.http.execute(request).await.map_err(|error| transport::failure(&access.host(), &error))
    }

    /// Sends a request again with what `refusal` asks for. Without a scope an empty one is asked for, whatever the
    /// registry names: that proves the login and nothing else.
    pub(super) async fn sign_in(
        &self,
        access: &Access,
        scope: Option<&str>,
        refusal: Response,
        request: Request,
    ) -> Result<Response, OciError> {
        match challenge::choose(refusal.url(), refusal.headers()) {
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
            Some(Challenge::Bearer(bearer)) => self.sign_in_with_token(access, scope, &bearer, request).await,
        }
    }

    async fn sign_in_with_token(
        &self,
        access: &Access,
        scope: Option<&str>,
        bearer: &Bearer,
        request: Request,
    ) -> Result<Response, OciError> {
        if !challenge::is_trusted(&access.url, &bearer.realm) {
            let realm = bearer.realm.host_str().unwrap_or("an address without host").to_owned();
            let realm = match bearer.realm.port() {
                Some(port) => format!("{}://{realm}:{port}", bearer.realm.scheme()),
                None => format!("{}://{realm}", bearer.realm.scheme()),
            };
            return Err(OciError::ForeignRealm { host: access.host(), realm: super::answer::sanitise(&realm) });
        }
        let scopes = match scope {
            None => Vec::new(),
            Some(ours) if bearer.scopes.is_empty() => vec![ours.to_owned()],
            Some(_) => bearer.scopes.clone(),
        };
        let mut granted = self.token(access, bearer, &scopes, None).await?;
        let mut response = self.bare(access, with_token(access, copy(access, &request)?, &granted.value)?).await?;
        if response.status() == StatusCode::UNAUTHORIZED && !granted.is_fresh {
            // The kept token was revoked or expired early: one new one, no more.
            granted = self.token(access, bearer, &scopes, Some(&granted.value)).await?;
            response = self.bare(access, with_token(access, request, &granted.value)?).await?;
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
    let password = login.password.expose("Basic authentication");
    let user = &login.username;
    let value = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{user}:{password}"));
    authorized(access, request, &format!("Basic {value}"))
}

fn with_token(access: &Access, request: Request, token: &app::model::secret::Secret) -> Result<Request, OciError> {
    authorized(access, request, &format!("Bearer {}", token.expose("Bearer authentication")))
}

fn authorized(access: &Access, mut request: Request, value: &str) -> Result<Request, OciError> {
    let mut value = reqwest::header::HeaderValue::from_str(value)
        .map_err(|_| access.unexpected("a token that can't stand in a header"))?;
    value.set_sensitive(true);
    request.headers_mut().insert(reqwest::header::AUTHORIZATION, value);
    Ok(request)
}

fn copy(access: &Access, request: &Request) -> Result<Request, OciError> {
    request.try_clone().ok_or_else(|| access.unexpected("a request that can't be repeated"))
}
