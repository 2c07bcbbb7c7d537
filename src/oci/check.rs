//! Is there a registry, and does it accept the login?
//!
//! What it proves: something that speaks the registry protocol is there, and it accepted user name and password, or it
//! accepts everybody. The latter can't be told apart from here: when `/v2/` answers without asking, the password is shown
//! to it once all the same, because registries with anonymous pulls check a password when they get one. A registry without
//! any sign-in says yes to that, too. What it doesn't prove: any right on a repository; see `uploads.rs` for that.

use super::answer::{is_html, status_text, whole_body};
use super::auth::with_password;
use super::transport::Response;
use super::{Access, Client, OciError, answer};
use reqwest::header::LOCATION;
use reqwest::{Method, Request, StatusCode};

impl Client {
    pub(super) async fn check_access(&self, access: &Access) -> Result<(), OciError> {
        let request = || access.at("/v2/").map(|url| Request::new(Method::GET, url));
        let first = self.bare(access, request()?).await?;
        if first.status() == StatusCode::UNAUTHORIZED {
            let second = self.sign_in(access, None, first, request()?).await?;
            return accept(access, second).await;
        }
        accept(access, first).await?;
        if access.login.is_none() {
            return Ok(());
        }
        let shown = self.bare(access, with_password(access, request()?)?).await?;
        if shown.status() == StatusCode::UNAUTHORIZED {
            return match super::challenge::choose(shown.url(), shown.headers()) {
                Some(super::challenge::Challenge::Bearer(_)) => {
                    let second = self.sign_in(access, None, shown, request()?).await?;
                    accept(access, second).await
                }
                _ => Err(OciError::WrongCredentials {
                    host: access.host(),
                    answer: answer::words(shown, access.login.as_ref()).await,
                }),
            };
        }
        accept(access, shown).await
    }
}

/// Ok for the answer of a registry that lets us in.
pub(super) async fn accept(access: &Access, response: Response) -> Result<(), OciError> {
    let host = access.host();
    let is_known = response.headers().contains_key("docker-distribution-api-version");
    let not_a_registry = |reason: String| OciError::NotARegistry { host: access.host(), reason };
    match response.status() {
        StatusCode::OK if is_known => Ok(()),
        StatusCode::OK if is_html(&response) => Err(not_a_registry("/v2/ is a web page there".into())),
        StatusCode::OK => {
            let body = whole_body(&host, response, answer::SMALL_BODY).await?;
            let is_json = serde_json::from_slice::<serde_json::Value>(&body).is_ok();
            if body.trim_ascii().is_empty() || is_json {
                Ok(())
            } else {
                Err(not_a_registry("/v2/ answers something that registries don't".into()))
            }
        }
        StatusCode::FORBIDDEN if !is_html(&response) => Err(access.denied(response).await),
        StatusCode::BAD_REQUEST if access.url.plain => {
            let words = answer::words(response, access.login.as_ref()).await;
            // Go and nginx say so in plain text when HTTP arrives at their HTTPS port.
            if words.contains("HTTPS") {
                let reason = "it speaks HTTPS, not plain HTTP; write https:// in front of the address".into();
                Err(OciError::Tls { host, reason })
            } else {
                Err(not_a_registry(format!("/v2/ answers {words}")))
            }
        }
        status if status.is_redirection() => {
            let to = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let to = response.url().join(to).ok().and_then(|url| url.host_str().map(str::to_owned));
            let to = answer::sanitise(&to.unwrap_or_else(|| "somewhere else".into()));
            Err(not_a_registry(format!("/v2/ redirects to {to}, and credentials don't follow redirects")))
        }
        status if status.is_client_error() => Err(not_a_registry(format!("/v2/ answers {}", status_text(status)))),
        _ => Err(access.surprise(response).await),
    }
}
