//! How to sign in at one registry host.

use super::id::{CredentialId, ServiceId};
use super::image_ref::{Malformed, RegistryHost};
use super::provider::Provider;
use super::report::Report;
use super::secret::Secret;
use super::text;
use crate::error::{FieldError, Problem};
use serde::{Deserialize, Serialize};

/// A registry's address: `https://host[:port]`, or `http://` where [`Trust::internal`] allows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RegistryUrl {
    /// Plain HTTP; only for internal hosts.
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
            _ => {
                return Err(Malformed(
                    "The address starts with https:// (or http:// for an internal registry).".into(),
                ));
            }
        };
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

/// What is trusted on the way to a registry; nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Trust {
    /// Loopback and private addresses may be reached, over plain HTTP too.
    pub internal: bool,
    /// Certificates of authorities (PEM) that are trusted beside the system's.
    pub ca: Option<String>,
    /// A sign-in service elsewhere (`https://host[:port]`) that may be given the password: an administrator approved it.
    pub realm: Option<String>,
}

/// What the credential form sends; for new ones and for edits (an empty password keeps the old one).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
    /// See [`Provider`]; empty: what the host says.
    #[serde(default)]
    pub provider: String,
    /// Owners, organisations, groups or projects whose repositories are listed, where the registry lists by those;
    /// separated by spaces, commas or lines.
    #[serde(default)]
    pub namespaces: String,
    /// Present when ticked: see [`Trust::internal`].
    #[serde(default)]
    pub internal: Option<String>,
    /// See [`Trust::ca`]; PEM.
    #[serde(default)]
    pub ca: String,
    /// See [`Trust::realm`].
    #[serde(default)]
    pub realm: String,
    /// The day on which it ends, `2027-03-31`; empty: not known.
    #[serde(default)]
    pub expires_on: String,
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
    /// Whose rules the registry follows.
    pub provider: Provider,
    /// Whose repositories are listed, where the registry lists by owner.
    pub namespaces: Vec<String>,
    /// What is trusted on the way.
    pub trust: Trust,
    /// The day on which it ends.
    pub expires_on: Option<time::Date>,
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
        let internal = self.internal.is_some();
        if url.as_ref().is_some_and(|url: &RegistryUrl| url.plain) && !internal {
            errors.push(FieldError::new(
                "url",
                "Plain http:// sends the password readable through the network. Use https://, or tick “Internal network” \
                 if the way there is yours alone.",
            ));
        }
        let provider = match self.provider.trim() {
            "" => url.as_ref().map(|url| Provider::of_host(&url.host)),
            text => text.parse().map_err(|error: Malformed| errors.push(FieldError::new("provider", error.0))).ok(),
        };
        let expires_on = match self.expires_on.trim() {
            "" => None,
            text => {
                let format = time::macros::format_description!("[year]-[month]-[day]");
                let day = time::Date::parse(text, &format);
                day.map_err(|_| errors.push(FieldError::new("expires_on", "Write the day like 2027-03-31."))).ok()
            }
        };
        let namespaces = self.namespaces.split([',', ' ', '\n', '\r', '\t']).filter(|part| !part.is_empty());
        let namespaces = namespaces.map(str::to_owned).collect();
        let filled = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let trust = Trust { internal, ca: filled(&self.ca), realm: filled(&self.realm) };
        match (name, url, username, provider) {
            (Some(name), Some(url), Some(username), Some(provider)) if errors.is_empty() => Ok(CredentialFields {
                name,
                url,
                username,
                password: self.password,
                provider,
                namespaces,
                trust,
                expires_on,
            }),
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
    /// Services whose images are pulled with it, directly and not through a registry.
    pub services: Vec<(ServiceId, String)>,
    /// Whose rules the registry follows.
    pub provider: Provider,
    /// Whose repositories are listed, where the registry lists by owner.
    pub namespaces: Vec<String>,
    /// What is trusted on the way.
    pub trust: Trust,
    /// The day on which it ends.
    pub expires_on: Option<time::Date>,
    /// What the last test found, light by light; None: it was never tested in full.
    pub report: Option<Report>,
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
            ..CredentialForm::default()
        };
        let fields: Vec<_> = form.validated(true).unwrap_err().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["name", "url", "username", "password"]);
    }
}
