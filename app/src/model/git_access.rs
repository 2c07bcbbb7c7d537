//! How to sign in at a git host: a token for https, or a deploy key for ssh with the host's own keys.

use super::id::{GitAccessId, ServiceId};
use super::image_ref::{Malformed, RegistryHost};
use super::secret::Secret;
use super::source::GitUrl;
use super::text;
use crate::error::FieldError;
use serde::{Deserialize, Serialize};

/// What is shown to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessKind {
    /// User and token, by https.
    Token,
    /// A deploy key, by ssh.
    Key,
}

impl AccessKind {
    /// As stored and in forms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Key => "key",
        }
    }

    /// The protocol that it is for, as [`GitUrl::protocol`] names it.
    pub fn protocol(self) -> &'static str {
        match self {
            Self::Token => "https",
            Self::Key => "ssh",
        }
    }

    /// The port that the protocol implies.
    fn port(self) -> &'static str {
        match self {
            Self::Token => ":443",
            Self::Key => ":22",
        }
    }
}

impl std::str::FromStr for AccessKind {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let found = [Self::Token, Self::Key].into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| Malformed("Choose a token or a deploy key.".into()))
    }
}

/// A host's key for ssh, as in `known_hosts`, without the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostKey {
    /// `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`, …
    pub kind: String,
    /// The key, in base64.
    pub key: String,
    /// `SHA256:…`, as ssh shows it.
    pub fingerprint: String,
}

impl HostKey {
    /// The kind in a word that people know.
    pub fn words(&self) -> &str {
        match self.kind.as_str() {
            "ssh-ed25519" => "ED25519",
            "ssh-rsa" => "RSA",
            kind if kind.starts_with("ecdsa-") => "ECDSA",
            kind => kind,
        }
    }
}

/// All fingerprints in one line, by which a page says what it showed.
pub fn fingerprints(keys: &[HostKey]) -> String {
    keys.iter().map(|key| key.fingerprint.as_str()).collect::<Vec<_>>().join(" ")
}

/// What the hosts themselves publish as fingerprints of their keys.
const PUBLISHED: &[(&str, &str)] = &[
    ("github.com", "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"),
    ("github.com", "SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM"),
    ("gitlab.com", "SHA256:eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8"),
    ("gitlab.com", "SHA256:HbW3g8zUjNSksFbqTiUWPWg2Bq1x8xdGUrliXFzSnUw"),
    ("bitbucket.org", "SHA256:ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM"),
];

/// Whether the host is known to publish this fingerprint. No: it may be new, or of a kind that isn't in the list.
pub fn is_published(host: &RegistryHost, key: &HostKey) -> bool {
    PUBLISHED.contains(&(host.as_str(), key.fingerprint.as_str()))
}

/// How to sign in at a git host. The token or private key isn't among what is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitAccess {
    /// Its id.
    pub id: GitAccessId,
    /// What people call it.
    pub name: String,
    /// What is shown to the host.
    pub kind: AccessKind,
    /// Where, without the port that the protocol implies.
    pub host: RegistryHost,
    /// The token's user; empty for keys.
    pub username: String,
    /// The key that the host has to know, as one line; None: it is a token.
    pub public_key: Option<String>,
    /// The host's keys that somebody confirmed. Empty: nothing is fetched yet.
    pub trusted: Vec<HostKey>,
    /// The host's keys as they were found last, where they wait to be confirmed.
    pub found: Vec<HostKey>,
    /// Created, Unix seconds.
    pub created_at: i64,
    /// Services that use it, by name.
    pub services: Vec<(ServiceId, String)>,
}

impl GitAccess {
    /// Whether it is one for this repository.
    pub fn fits(&self, url: &GitUrl) -> bool {
        fits(self.kind, &self.host, url)
    }

    /// Whether builds can use it.
    pub fn is_ready(&self) -> bool {
        self.kind == AccessKind::Token || !self.trusted.is_empty()
    }
}

/// Whether a sign-in of this kind at this host is one for the repository.
pub fn fits(kind: AccessKind, host: &RegistryHost, url: &GitUrl) -> bool {
    url.protocol() == kind.protocol() && url.host().is_some_and(|other| plain(kind, &other) == plain(kind, host))
}

/// A host without the port that the protocol implies.
fn plain(kind: AccessKind, host: &RegistryHost) -> &str {
    host.as_str().strip_suffix(kind.port()).unwrap_or(host.as_str())
}

/// What the form for a new one sends.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GitAccessForm {
    /// `token` or `key`.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// `host` or `host:port`.
    pub host: String,
    /// The token's user.
    pub username: String,
    /// The token.
    pub token: Secret,
}

/// The fields, checked.
#[derive(Debug)]
pub struct GitAccessFields {
    /// What is shown to the host.
    pub kind: AccessKind,
    /// What people call it.
    pub name: String,
    /// Where.
    pub host: RegistryHost,
    /// The token's user; empty for keys.
    pub username: String,
    /// The token; None for keys.
    pub token: Option<Secret>,
}

impl GitAccessForm {
    /// All broken rules at once, or the fields.
    pub fn validated(self) -> Result<GitAccessFields, Vec<FieldError>> {
        let mut errors = Vec::new();
        let kind = self.kind.parse().unwrap_or_else(|error: Malformed| {
            errors.push(FieldError::new("kind", error.0));
            AccessKind::Token
        });
        let name = text::name("name", &self.name, 60).map_err(|error| errors.push(error)).ok();
        let host = host(kind, &self.host).map_err(|words| errors.push(FieldError::new("host", words))).ok();
        let mut username = String::new();
        let mut token = None;
        if kind == AccessKind::Token {
            match user(&self.username) {
                Ok(user) => username = user,
                Err(words) => errors.push(FieldError::new("username", words)),
            }
            match checked(self.token) {
                Ok(checked) => token = Some(checked),
                Err(words) => errors.push(FieldError::new("token", words)),
            }
        }
        match (name, host, errors.is_empty()) {
            (Some(name), Some(host), true) => Ok(GitAccessFields { kind, name, host, username, token }),
            _ => Err(errors),
        }
    }
}

/// `host` or `host:port`; of a whole address the host is taken.
fn host(kind: AccessKind, text: &str) -> Result<RegistryHost, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("Fill this in.".into());
    }
    let looks = "A host looks like github.com or git.example.com:8443.";
    let host = match text.parse::<GitUrl>() {
        Ok(url) => url.host().ok_or(looks)?,
        Err(_) => text.parse().map_err(|_| looks)?,
    };
    plain(kind, &host).parse().map_err(|_| looks.to_owned())
}

fn user(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text {
        "" => Err("Fill this in. GitHub takes x-access-token, GitLab oauth2, Bitbucket x-token-auth.".into()),
        _ if text.len() > 200 || text.chars().any(|c| c.is_whitespace() || text::is_hidden(c) || c == ':') => {
            Err("A user has no spaces and no ':'.".into())
        }
        _ => Ok(text.to_owned()),
    }
}

/// A token of visible characters.
pub fn checked(token: Secret) -> Result<Secret, String> {
    let text = token.expose("its form is checked").trim().to_owned();
    if text.is_empty() {
        return Err("Fill this in.".into());
    }
    if text.len() > 4_000 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("A token has visible characters only, without spaces. Copy it again.".into());
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_is_for_one_host_and_one_protocol() {
        use AccessKind::{Key, Token};
        for (kind, host, url, is_for) in [
            (Token, "github.com", "https://github.com/a/b", true),
            (Token, "github.com:443", "https://github.com/a/b", true),
            (Token, "github.com", "https://GitHub.com:443/a/b", true),
            (Token, "github.com", "https://github.com:8443/a/b", false),
            (Token, "github.com", "https://github.com.evil.example/a/b", false),
            (Token, "github.com", "git@github.com:a/b", false),
            (Key, "github.com", "git@github.com:a/b", true),
            (Key, "github.com", "ssh://git@github.com:22/a/b", true),
            (Key, "github.com:2222", "ssh://git@github.com:2222/a/b", true),
            (Key, "github.com", "ssh://github.com:2222/a/b", false),
            (Key, "github.com", "https://github.com/a/b", false),
            (Token, "github.com", "/srv/git/a", false),
        ] {
            let host = host.parse().expect("a host");
            assert_eq!(fits(kind, &host, &url.parse().expect("an address")), is_for, "{kind:?} {host} {url}");
        }
    }

    #[test]
    fn the_rules_of_a_form_are_told_all_at_once() {
        let form = |kind: &str, host: &str, username: &str, token: &str| GitAccessForm {
            kind: kind.into(),
            name: "Shop".into(),
            host: host.into(),
            username: username.into(),
            token: Secret::new(token.into()),
        };
        let fields = form("token", "https://github.com/acme/web", "x-access-token", " ghp_x ").validated();
        let fields = fields.expect("fields");
        assert_eq!((fields.host.as_str(), fields.username.as_str()), ("github.com", "x-access-token"));
        assert_eq!(fields.token, Some(Secret::new("ghp_x".into())));
        let fields = form("key", "git@git.example.com:acme/web", "", "").validated().expect("fields");
        assert_eq!((fields.host.as_str(), fields.token.is_none()), ("git.example.com", true));
        assert_eq!(
            form("key", "git.example.com:22", "", "").validated().expect("fields").host.as_str(),
            "git.example.com"
        );
        for (kind, host, username, token, wrong) in [
            ("token", "", "", "", &["host", "username", "token"][..]),
            ("token", "-x", "a:b", "a b", &["host", "username", "token"]),
            ("token", "a.example", "a", "a\nb", &["token"]),
            ("key", "a.example/-oProxyCommand=x", "", "", &["host"]),
            ("password", "a.example", "a", "b", &["kind"]),
        ] {
            let errors = form(kind, host, username, token).validated().expect_err("refused");
            assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), wrong, "{host:?}");
        }
    }
}
