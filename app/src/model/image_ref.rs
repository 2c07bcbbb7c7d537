//! Image references, after the grammar of distribution/reference (`normalize.go`, `regexp.go`) and the OCI distribution
//! specification.

use serde::{Deserialize, Serialize};

/// Why a text isn't what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

macro_rules! text_type {
    ($name:ident) => {
        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Malformed;

            fn try_from(text: String) -> Result<Self, Malformed> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(crate) use text_type;

/// A registry's `host[:port]`, lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RegistryHost(String);
text_type!(RegistryHost);

impl RegistryHost {
    /// Docker Hub under its short name.
    pub const DOCKER_HUB: &'static str = "docker.io";

    /// Whether this is Docker Hub.
    pub fn is_docker_hub(&self) -> bool {
        self.0 == Self::DOCKER_HUB
    }

    /// The key that the Docker client looks up in `config.json`.
    pub fn config_key(&self) -> &str {
        if self.is_docker_hub() { "https://index.docker.io/v1/" } else { &self.0 }
    }

    /// The host that answers the API.
    pub fn api_host(&self) -> &str {
        if self.is_docker_hub() { "registry-1.docker.io" } else { &self.0 }
    }

    /// Whether the host is this machine, where the Docker daemon accepts plain HTTP.
    pub fn is_loopback(&self) -> bool {
        let name = self.0.rsplit_once(':').map_or(self.0.as_str(), |(name, _)| name);
        name == "localhost"
            || name == "[::1]"
            || name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }
}

impl std::str::FromStr for RegistryHost {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad = |why: &str| {
            Err(Malformed(format!("{why} A registry host looks like registry.example.com or 127.0.0.1:5000.")))
        };
        let text = text.to_ascii_lowercase();
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
            _ => (text.as_str(), None),
        };
        if let Some(port) = port
            && !(port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0))
        {
            return bad("The port is not a number from 1 to 65535.");
        }
        if let Some(address) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return bad("This is not an IPv6 address.");
            }
            return Ok(Self(text));
        }
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if name.is_empty() || name.len() > 253 || !name.split('.').all(label) {
            return bad("This is not a host name.");
        }
        let hub = ["index.docker.io", "registry-1.docker.io", "hub.docker.com", "registry.hub.docker.com", "docker.io"];
        if port.is_none() && hub.contains(&name) {
            return Ok(Self(Self::DOCKER_HUB.into()));
        }
        Ok(Self(text))
    }
}

/// Path components joined by `/`: a repository's name without its host.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Repository(String);
text_type!(Repository);

impl std::str::FromStr for Repository {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.len() > 255 {
            return Err(Malformed("A repository name has at most 255 characters.".into()));
        }
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(Malformed("A repository name is lower case.".into()));
        }
        if text.split('/').all(is_component) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed(
                "Each part of a repository name has letters and digits, separated by one '.', one or two '_', or '-'."
                    .into(),
            ))
        }
    }
}

fn is_component(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !text.starts_with(is_word) || !text.ends_with(is_word) {
        return false;
    }
    text.split(is_word).all(|gap| matches!(gap, "" | "." | "_" | "__") || gap.bytes().all(|byte| byte == b'-'))
}

/// A tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tag(String);
text_type!(Tag);

impl std::str::FromStr for Tag {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        if !text.is_empty() && text.len() <= 128 && text.bytes().all(fits) && !text.starts_with(['.', '-']) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed(
                "A tag has up to 128 letters, digits, '_', '.' and '-', and starts with a letter, digit or '_'.".into(),
            ))
        }
    }
}

/// `sha256:` and 64 hex digits, or `sha512:` and 128; nothing else is ever put into an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);
text_type!(Digest);

impl Digest {
    /// `sha256:3f9a1b2c…` for people.
    pub fn brief(&self) -> String {
        self.0.split_once(':').map_or_else(|| self.0.clone(), |(kind, hex)| format!("{kind}:{}…", &hex[..12]))
    }
}

impl std::str::FromStr for Digest {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let good = text.split_once(':').is_some_and(|(kind, hex)| {
            let length = match kind {
                "sha256" => 64,
                "sha512" => 128,
                _ => return false,
            };
            hex.len() == length && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        });
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed("This is not a digest (sha256:… or sha512:…).".into()))
        }
    }
}

/// A full reference: host, repository, and a tag, a digest or both.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ImageRef {
    /// Where it lives.
    pub host: RegistryHost,
    /// Its name there.
    pub repository: Repository,
    /// For people when a digest is there too.
    pub tag: Option<Tag>,
    /// What is pulled.
    pub digest: Option<Digest>,
}

impl std::str::FromStr for ImageRef {
    type Err = Malformed;

    /// Docker's rule: the first part is a host if it is `localhost`, has `.` or `:`, or an upper-case letter.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (text, None),
        };
        let (host, path) = match rest.split_once('/') {
            Some((first, path))
                if first == "localhost"
                    || first.contains(['.', ':'])
                    || first.bytes().any(|byte| byte.is_ascii_uppercase()) =>
            {
                (first.parse()?, path)
            }
            _ => (RegistryHost(RegistryHost::DOCKER_HUB.into()), rest),
        };
        let (path, tag) = match path.rsplit_once(':') {
            Some((path, tag)) => (path, Some(tag.parse()?)),
            None => (path, None),
        };
        let repository: Repository = if host.is_docker_hub() && !path.contains('/') {
            format!("library/{path}").parse()?
        } else {
            path.parse()?
        };
        let tag = match (tag, &digest) {
            (None, None) => Some("latest".parse()?),
            (tag, _) => tag,
        };
        Ok(Self { host, repository, tag, digest })
    }
}

impl std::fmt::Display for ImageRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_follow_dockers_rules() {
        let hex = "a".repeat(64);
        for (text, expected) in [
            ("nginx", "docker.io/library/nginx:latest".to_owned()),
            ("nginx:1.27", "docker.io/library/nginx:1.27".into()),
            ("grafana/loki", "docker.io/grafana/loki:latest".into()),
            ("index.docker.io/grafana/loki", "docker.io/grafana/loki:latest".into()),
            ("localhost/a/b:1", "localhost/a/b:1".into()),
            ("127.0.0.1:5000/shop/web:abc", "127.0.0.1:5000/shop/web:abc".into()),
            (&format!("ghcr.io/a/b:1@sha256:{hex}"), format!("ghcr.io/a/b:1@sha256:{hex}")),
            (&format!("[::1]:5000/a@sha256:{hex}"), format!("[::1]:5000/a@sha256:{hex}")),
        ] {
            let parsed: ImageRef = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(parsed.to_string(), expected);
            assert_eq!(expected.parse::<ImageRef>().as_ref(), Ok(&parsed));
        }
    }

    #[test]
    fn malformed_references_are_refused() {
        for text in [
            "",
            "/",
            "a//b",
            "docker.io/Upper",
            "a:b:c/d",
            "a:täg",
            "a@sha256:12",
            "-a",
            "a-",
            "a..b",
            "a___b",
            "a.b.example:0/x",
            "a.b:99999/x",
            "x/../y",
            "a b",
            "a\nb",
            "a@md5:d41d8cd98f00b204e9800998ecf8427e",
            "a:-x",
        ] {
            assert!(text.parse::<ImageRef>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn loopback_hosts_are_known() {
        for (host, loopback) in [
            ("127.0.0.1:5000", true),
            ("localhost", true),
            ("[::1]:5000", true),
            ("127.0.0.1.example.com", false),
            ("10.0.0.1", false),
        ] {
            assert_eq!(host.parse::<RegistryHost>().map(|host| host.is_loopback()), Ok(loopback), "{host}");
        }
    }
}
