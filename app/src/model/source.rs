//! Where a service's images come from: a git repository that is built, or an image that somebody else made. Addresses,
//! branches and paths can't carry an option or a command.

use super::build_options::BuildOptions;
use super::id::{CredentialId, GitAccessId, RegistryId};
use super::image_ref::{ImageRef, Malformed, RegistryHost, Repository, text_type};
use super::text;
use serde::{Deserialize, Serialize};

/// A repository's address: `https://…`, `ssh://…`, `user@host:path`, or a local folder where the configuration allows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GitUrl(String);
text_type!(GitUrl);

impl GitUrl {
    /// Whether it is a folder on this machine.
    pub fn is_local(&self) -> bool {
        self.0.starts_with('/')
    }

    /// The protocol git is allowed to use for it (`GIT_ALLOW_PROTOCOL`).
    pub fn protocol(&self) -> &'static str {
        if self.is_local() {
            "file"
        } else if self.0.starts_with("https://") {
            "https"
        } else {
            "ssh"
        }
    }

    /// `host` or `host:port`; None: it is a folder.
    pub fn host(&self) -> Option<RegistryHost> {
        let rest = self.0.strip_prefix("https://").or_else(|| self.0.strip_prefix("ssh://"));
        let authority = match rest {
            Some(rest) => rest.split('/').next()?,
            None if self.is_local() => return None,
            None => self.0.split_once('@')?.1.split(':').next()?,
        };
        authority.rsplit_once('@').map_or(authority, |(_, host)| host).parse().ok()
    }
}

impl std::str::FromStr for GitUrl {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad =
            |why: &str| Err(Malformed(format!("{why} Use https://host/path, ssh://user@host/path or user@host:path.")));
        let text = text.trim();
        if text.is_empty() {
            return Err(Malformed("Fill this in.".into()));
        }
        if text.len() > 2_000 || text.chars().any(|c| text::is_hidden(c) || c.is_whitespace() || c == '\\') {
            return bad("Spaces, control characters and '\\' don't belong here.");
        }
        if text.starts_with('-') {
            return bad("An address can't start with '-'.");
        }
        if text.starts_with('/') {
            return if text.split('/').any(|part| part == "..") {
                bad("'..' isn't allowed.")
            } else {
                Ok(Self(text.into()))
            };
        }
        let user_fits = |user: &str| {
            !user.is_empty()
                && !user.starts_with('-')
                && user.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        };
        let path_fits =
            |path: &str| !path.trim_matches('/').is_empty() && !path.trim_start_matches('/').starts_with('-');
        let host_fits = |host: &str| host.parse::<super::image_ref::RegistryHost>().is_ok();
        if let Some(rest) = text.strip_prefix("https://") {
            let Some((host, path)) = rest.split_once('/') else { return bad("The path is missing.") };
            if host.contains('@') {
                return bad("Leave user name and password out of the address; they would be kept readable.");
            }
            return if host_fits(host) && path_fits(path) {
                Ok(Self(text.into()))
            } else {
                bad("Host or path is malformed.")
            };
        }
        let (user, host, path) = if let Some(rest) = text.strip_prefix("ssh://") {
            let Some((host, path)) = rest.split_once('/') else { return bad("The path is missing.") };
            let (user, host) = host.split_once('@').unwrap_or(("git", host));
            (user, host, path)
        } else if text.contains("::") || text.contains("://") {
            return bad("This protocol isn't allowed.");
        } else if let Some((user, rest)) = text.split_once('@') {
            let Some((host, path)) = rest.split_once(':') else { return bad("The path is missing.") };
            (user, host, path)
        } else {
            return bad("This isn't a repository's address.");
        };
        if user_fits(user) && host_fits(host) && path_fits(path) {
            Ok(Self(text.into()))
        } else {
            bad("User, host or path is malformed.")
        }
    }
}

/// A branch, after `git check-ref-format` and stricter: no shell or option characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Branch(String);
text_type!(Branch);

impl std::str::FromStr for Branch {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let text = text.trim();
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '/' | '_' | '-' | '.' | '+' | '#' | '=');
        let good = !text.is_empty()
            && text.len() <= 240
            && text.chars().all(fits)
            && !text.starts_with('-')
            && !text.contains("..")
            && text.split('/').all(|part| {
                !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock") && !part.ends_with('.')
            });
        if good {
            Ok(Self(text.into()))
        } else {
            Err(Malformed(
                "This isn't a branch name: use letters, digits, '/', '-', '_', '.'; it can't start with '-' or '.'."
                    .into(),
            ))
        }
    }
}

/// A path inside the repository: relative, without `..`. The empty path is the repository itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InnerPath(String);
text_type!(InnerPath);

impl std::str::FromStr for InnerPath {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad =
            |why: &str| Err(Malformed(format!("{why} Give a path inside the repository, like docker/Dockerfile.")));
        let text = text.trim();
        if text.starts_with('/') || text.starts_with('~') {
            return bad("The path is absolute.");
        }
        let text = text.strip_prefix("./").unwrap_or(text).trim_end_matches('/');
        let text = if text == "." { "" } else { text };
        if text.len() > 1_000
            || text
                .chars()
                .any(|c| text::is_hidden(c) || matches!(c, '\\' | ':' | '%' | '?' | '*' | '"' | '<' | '>' | '|'))
        {
            return bad("The path has characters that don't belong there.");
        }
        if !text.is_empty()
            && text.split('/').any(|part| matches!(part, "" | "." | "..") || part.starts_with('-') || part == ".git")
        {
            return bad("Parts like '..', '.git' or a leading '-' aren't allowed.");
        }
        Ok(Self(text.into()))
    }
}

/// Where a service's images come from. A service keeps its kind of source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Source {
    /// Slipway builds them.
    Git(GitSource),
    /// They are there already.
    Image(ImageSource),
}

impl Source {
    /// The repository and how to build it, if it is built.
    pub fn git(&self) -> Option<&GitSource> {
        match self {
            Self::Git(source) => Some(source),
            Self::Image(_) => None,
        }
    }

    /// The image, if it isn't built here.
    pub fn image(&self) -> Option<&ImageSource> {
        match self {
            Self::Image(source) => Some(source),
            Self::Git(_) => None,
        }
    }
}

/// An image that is there already. Every deployment of it is by digest: the one in the reference, which pins it, or else
/// the one that the tag leads to when the deployment is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageSource {
    /// As it was typed: by tag, by digest, or both.
    pub image: ImageRef,
    /// How to sign in for it; none: anybody may pull it. Of the image's own host.
    pub credential: Option<CredentialId>,
}

/// A repository and how to build it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitSource {
    /// The repository.
    pub repository: GitUrl,
    /// Built when nothing else is said.
    pub branch: Branch,
    /// The Dockerfile, relative to the repository.
    pub dockerfile: InnerPath,
    /// The build context, relative to the repository.
    pub context: InnerPath,
    /// Replaces the registry's base path for this service.
    pub base_path: Option<Repository>,
    /// Where to push; none: the default registry.
    pub registry: Option<RegistryId>,
    /// How to sign in for the repository; none: not at all, or with the agent of the server.
    #[serde(default)]
    pub access: Option<GitAccessId>,
    /// How its images are built.
    #[serde(default)]
    pub build: BuildOptions,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_source_says_its_kind() {
        let image = ImageSource { image: "ghcr.io/acme/web:1".parse().expect("an image"), credential: None };
        let json = serde_json::to_value(Source::Image(image.clone())).expect("JSON");
        assert_eq!(json["kind"], "image");
        assert_eq!(serde_json::from_value::<Source>(json).ok(), Some(Source::Image(image)));
        let git = r#"{"kind":"git","repository":"https://a.example/b","branch":"main","dockerfile":"Dockerfile","context":"",
            "base_path":null,"registry":null}"#;
        assert!(serde_json::from_str::<Source>(git).is_ok_and(|source| source.git().is_some()));
    }

    #[test]
    fn repositories_come_by_https_and_ssh_only() {
        for text in [
            "https://git.example.com/a/b.git",
            "ssh://git@git.example.com:2222/a/b",
            "git@git.example.com:a/b.git",
            "/srv/git/a.git",
            "https://127.0.0.1:8443/a.git",
        ] {
            assert_eq!(text.parse::<GitUrl>().map(|url| url.to_string()), Ok(text.into()));
        }
        for text in [
            "",
            "ext::sh -c id",
            "ext::x",
            "fd::17",
            "file:///etc",
            "git://a.example/b",
            "http://127.0.0.1/a",
            "http://a.example/b",
            "--upload-pack=touch /tmp/x",
            "-oProxyCommand=x",
            "--config=a",
            "-u",
            "ssh://-x/a",
            "ssh://-oProxyCommand=x/a",
            "user@-x:a",
            "-x@a.example:b",
            "https://a.example/b\r\nHost: c",
            "https://a.example/b c",
            "https://a:b@a.example/b",
            "../a",
            "a/b",
            "/srv/../etc",
            "https://a.example",
            "https://a.example/-x",
            "git@a.example:-x",
            "ftp://a.example/b",
            "https://[::1/a",
            "https://a.example\\b/c",
            "\u{202e}https://a.example/b",
        ] {
            assert!(text.parse::<GitUrl>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn branches_carry_no_options_and_no_commands() {
        for text in ["main", "feature/one-2", "v1.2", "issue#3", "größe"] {
            assert!(text.parse::<Branch>().is_ok(), "{text:?} was refused");
        }
        for text in [
            "",
            "--upload-pack=x",
            "a;touch x",
            "a b",
            "$(id)",
            "`id`",
            "a..b",
            "/a",
            "a/",
            ".a",
            "a/.b",
            "a.lock",
            "a~1",
            "a^",
            "a:b",
            "a\nb",
            "a\0",
            "refs@{0}",
            "a|b",
            "a&b",
        ] {
            assert!(text.parse::<Branch>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn paths_stay_inside() {
        for (text, path) in [("", ""), (".", ""), ("./docker/Dockerfile", "docker/Dockerfile"), ("app/", "app")] {
            assert_eq!(text.parse::<InnerPath>().map(|path| path.to_string()), Ok(path.into()));
        }
        for text in [
            "../../etc/passwd",
            "/etc/passwd",
            "a/../b",
            "a/..",
            "%2e%2e/x",
            "a\\..\\b",
            "a\0b",
            "~/x",
            ".git/config",
            "-f",
            "a//b",
            "a/./b",
            "C:x",
        ] {
            assert!(text.parse::<InnerPath>().is_err(), "{text:?} was accepted");
        }
    }
}
