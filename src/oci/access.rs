//! A registry with the login that belongs to it and what is trusted on the way there.
//!
//! What must always hold: credentials go to this origin alone, and to its realm.

use super::OciError;
use super::answer::words;
use super::transport::{Response, check_url};
use app::model::credential::{RegistryUrl, Trust};
use app::model::secret::Secret;
use reqwest::Url;

/// How to sign in.
#[derive(Clone, Debug)]
pub struct Login {
    /// The user; [`Login::TOKEN`] when the password is an identity token.
    pub username: String,
    /// Password or token.
    pub password: Secret,
}

impl Login {
    /// The user name by which Docker's tools mark an identity token (a refresh token of the token protocol).
    pub const TOKEN: &'static str = "<token>";
}

/// A registry, who asks it, and under which rules.
#[derive(Clone, Debug)]
pub struct Access {
    /// Where it is.
    pub url: RegistryUrl,
    /// How to sign in; None: as anybody.
    pub login: Option<Login>,
    /// What is trusted on the way.
    pub trust: Trust,
}

impl Access {
    /// A public registry, as anybody.
    pub fn public(url: RegistryUrl) -> Self {
        Self { url, login: None, trust: Trust::default() }
    }

    /// Its host, for messages.
    pub fn host(&self) -> String {
        self.url.host.to_string()
    }

    /// An address below it.
    pub(super) fn at(&self, path: &str) -> Result<Url, OciError> {
        let text = format!("{}{path}", self.url.api_base());
        let url = Url::parse(&text).map_err(|error| self.unexpected(format!("its address is no URL: {error}")))?;
        check_url(self.url.host.as_str(), &url, &self.trust)?;
        Ok(url)
    }

    /// Whether an address is on this very scheme, host and port.
    pub(super) fn owns(&self, url: &Url) -> bool {
        Url::parse(&self.url.api_base()).is_ok_and(|own| own.origin() == url.origin())
    }

    pub(super) fn unexpected(&self, answer: impl Into<String>) -> OciError {
        OciError::Unexpected { host: self.host(), answer: answer.into() }
    }

    pub(super) async fn denied(&self, response: Response) -> OciError {
        OciError::Denied { host: self.host(), answer: words(response, self.login.as_ref()).await }
    }

    pub(super) async fn not_offered(&self, response: Response) -> OciError {
        OciError::NotOffered { host: self.host(), answer: words(response, self.login.as_ref()).await }
    }

    pub(super) async fn surprise(&self, response: Response) -> OciError {
        self.unexpected(words(response, self.login.as_ref()).await)
    }
}
