//! How to sign in at one registry host.

use super::id::CredentialId;
use super::image_ref::{Malformed, RegistryHost};
use super::secret::Secret;
use super::text;
use crate::error::{FieldError, Problem};
use serde::{Deserialize, Serialize};

/// A registry's address: `https://host[:port]`, or `http://` for this machine alone, where Docker accepts it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RegistryUrl {
    /// Plain HTTP; only for loopback hosts.
    pub plain: bool,
    /// The host as it stands in image references.
    pub host: RegistryHost,
}

impl RegistryUrl {
    /// `https://registry-1.docker.io` and the like, without a slash at the end.
    pub fn api_base(&self) -> String {
        format!("{}://{}", if self.plain { "http" } else { "https" }, self.host.api_host())
    }
}

impl std::str::FromStr for RegistryUrl {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let text = text.trim();
        if text.chars().any(text::is_hidden) {
            return Err(Malformed("Remove the control or invisible characters.".into()));
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => ("".into(), text),
        };
        let rest = rest.trim_end_matches('/');
        let rest = rest.strip_suffix("/v2").or_else(|| rest.strip_suffix("/v1")).unwrap_or(rest);
        if rest.contains('@') {
            return Err(Malformed(
                "Leave user name and password out of the address; they have fields of their own.".into(),
            ));
        }
        if rest.contains(['/', '?', '#', '\\']) {
            return Err(Malformed(
                "Give the host alone, without a path; a path belongs to the registry's base path.".into(),
            ));
        }
        let host: RegistryHost = rest.parse()?;
        let plain = match scheme.as_str() {
            "https" => false,
            "http" => true,
            "" => host.is_loopback(),
            _ => return Err(Malformed("The address starts with https:// (or http:// on this machine).".into())),
        };
        if plain && !host.is_loopback() {
            return Err(Malformed(
                "Plain http:// would send the password readable through the network. Use https://, or 127.0.0.1 for a registry on this machine.".into(),
            ));
        }
        Ok(Self { plain, host })
    }
}

impl TryFrom<String> for RegistryUrl {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<RegistryUrl> for String {
    fn from(url: RegistryUrl) -> String {
        url.to_string()
    }
}

impl std::fmt::Display for RegistryUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", if self.plain { "http" } else { "https" }, self.host)
    }
}

/// What the credential form sends; for new ones and for edits (an empty password keeps the old one).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CredentialForm {
    /// What people call it.
    pub name: String,
    /// The registry's address.
    pub url: String,
    /// The user to sign in as.
    pub username: String,
    /// Password or token.
    #[serde(default)]
    pub password: Secret,
}

/// A credential's fields, checked.
#[derive(Clone, Debug)]
pub struct CredentialFields {
    /// What people call it.
    pub name: String,
    /// The registry's address.
    pub url: RegistryUrl,
    /// The user to sign in as.
    pub username: String,
    /// Password or token; empty on an edit that keeps it.
    pub password: Secret,
}

impl CredentialForm {
    /// All broken rules at once, or the fields.
    pub fn validated(self, password_needed: bool) -> Result<CredentialFields, Vec<FieldError>> {
        let mut errors = Vec::new();
        let name = text::name("name", &self.name, 60).map_err(|error| errors.push(error)).ok();
        let url = if self.url.trim().is_empty() {
            errors.push(FieldError::new("url", "Fill this in."));
            None
        } else {
            self.url.parse().map_err(|error: Malformed| errors.push(FieldError::new("url", error.0))).ok()
        };
        let username = text::name("username", &self.username, 255).map_err(|error| errors.push(error)).ok();
        if username.as_ref().is_some_and(|name| name.contains(':')) {
            errors.push(FieldError::new("username", "A user name can't contain ':' (Basic authentication, RFC 7617)."));
        }
        let password = self.password.expose("its shape is checked");
        if password.is_empty() && password_needed {
            errors.push(FieldError::new("password", "Fill this in."));
        } else if password.len() > 16_384 {
            errors.push(FieldError::new("password", "Use at most 16 384 bytes."));
        } else if password.contains(['\r', '\0']) {
            errors.push(FieldError::new("password", "Remove the control characters."));
        }
        match (name, url, username) {
            (Some(name), Some(url), Some(username)) if errors.is_empty() => {
                Ok(CredentialFields { name, url, username, password: self.password })
            }
            _ => Err(errors),
        }
    }
}

/// What the last test of a credential found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialState {
    /// The registry accepted it.
    Works,
    /// The registry refused it, or couldn't be asked.
    Fails(Problem),
}

/// A credential as people see it; the password isn't in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// What people call it.
    pub name: String,
    /// The registry's address.
    pub url: RegistryUrl,
    /// The user to sign in as.
    pub username: String,
    /// What the last test found.
    pub state: CredentialState,
    /// When it was tested, Unix seconds.
    pub checked_at: i64,
    /// When the password was set, Unix seconds.
    pub password_set_at: i64,
    /// Names of the registries that use it.
    pub used_by: Vec<String>,
    /// Grows with every change; an edit names the one it saw.
    pub version: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registry_addresses_are_normalised() {
        for (text, expected) in [
            ("ghcr.io", "https://ghcr.io"),
            ("https://index.docker.io/v1/", "https://docker.io"),
            ("127.0.0.1:5000", "http://127.0.0.1:5000"),
            ("http://localhost:5000/", "http://localhost:5000"),
            (" HTTPS://Registry.Example.com ", "https://registry.example.com"),
        ] {
            assert_eq!(text.parse::<RegistryUrl>().map(|url| url.to_string()), Ok(expected.into()), "{text}");
        }
    }

    #[test]
    fn hostile_registry_addresses_are_refused() {
        for text in [
            "",
            "ftp://a.example",
            "http://registry.example.com",
            "https://user:pass@a.example",
            "https://a.example/x/y",
            "--help",
            "a b",
            "https://a.example\r\nX: y",
            "https://-x",
            "https://a.example?x",
            "https://a.example#x",
            "https://",
            "file:///etc/passwd",
        ] {
            assert!(text.parse::<RegistryUrl>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn all_errors_come_at_once_and_at_their_fields() {
        let form = CredentialForm {
            name: " ".into(),
            url: "http://a.example".into(),
            username: "a:b".into(),
            password: Secret::default(),
        };
        let fields: Vec<_> = form.validated(true).unwrap_err().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["name", "url", "username", "password"]);
    }
}
