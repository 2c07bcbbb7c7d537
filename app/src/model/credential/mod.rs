//! How to sign in at one registry host.

mod form;
mod import;

pub use form::{CredentialFields, CredentialForm};
pub use import::{ImportForm, ImportLine, ImportPick, ImportState, ImportText};

use super::id::{CredentialId, RegistryId, ServiceId};
use super::image_ref::{Malformed, RegistryHost};
use super::provider::Provider;
use super::report::Report;
use super::text;
use crate::error::Problem;
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

/// `https://host[:port]` of a sign-in service; a whole address is cut down to that.
pub fn origin(text: &str) -> Result<String, Malformed> {
    let bad = || Malformed("The sign-in service's address looks like https://auth.example.com.".into());
    let (scheme, rest) = text.trim().split_once("://").ok_or_else(bad)?;
    let scheme = scheme.to_ascii_lowercase();
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (default_port, host) = match scheme.as_str() {
        "https" => (":443", &rest[..end]),
        "http" => (":80", &rest[..end]),
        _ => return Err(bad()),
    };
    let host = host.strip_suffix(default_port).unwrap_or(host).to_ascii_lowercase();
    // For its grammar alone; Docker Hub's other names stay what they are.
    host.parse::<RegistryHost>().map_err(|_| bad())?;
    Ok(format!("{scheme}://{host}"))
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
    /// The managed registry whose credential it is: made, changed and deleted with it.
    pub owned_by: Option<RegistryId>,
    /// Grows with every change; an edit names the one it saw.
    pub version: i64,
}

impl Credential {
    /// Days until it ends, at `now` (Unix seconds): 0 on its last day, negative when it is over; None: it has no known end.
    pub fn days_left(&self, now: i64) -> Option<i64> {
        let today = time::OffsetDateTime::from_unix_timestamp(now).ok()?.date();
        Some((self.expires_on? - today).whole_days())
    }
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
    fn a_sign_in_service_is_an_origin() {
        for (text, expected) in [
            ("https://auth.example.com", Some("https://auth.example.com")),
            (" HTTPS://Auth.Example.com:443/token?service=x ", Some("https://auth.example.com")),
            ("https://auth.example.com:8443/", Some("https://auth.example.com:8443")),
            ("http://127.0.0.1:5001/token", Some("http://127.0.0.1:5001")),
            ("https://registry-1.docker.io", Some("https://registry-1.docker.io")),
            ("auth.example.com", None),
            ("https://user@auth.example.com", None),
            ("https://", None),
            ("ftp://auth.example.com", None),
            ("https://auth.example.com\r\nx: y", None),
        ] {
            assert_eq!(origin(text).ok().as_deref(), expected, "{text:?}");
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
}
