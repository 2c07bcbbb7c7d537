//! What runs in the Swarm: sources, settings, deployments.

use super::build::CommitSha;
use super::id::{BuildId, DeploymentId, JobId, ProjectId, RegistryId, ServiceId};
use super::image_ref::{ImageRef, Malformed, Repository, text_type};
use super::job::JobState;
use super::text;
use crate::error::{FieldError, Problem};
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

/// Where a service's images come from.
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
}

/// A published port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// On the node.
    pub published: u16,
    /// In the container.
    pub target: u16,
    /// UDP instead of TCP.
    pub udp: bool,
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}{}", self.published, self.target, if self.udp { "/udp" } else { "" })
    }
}

/// How Docker finds out whether a container is well: a program run in it, never a shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Seconds between runs.
    pub interval: u32,
    /// Failures in a row that make it unhealthy.
    pub retries: u32,
    /// Seconds in which failures don't count.
    pub start_period: u32,
}

/// Everything but the image; a deployment keeps a copy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Environment variables, in order.
    pub env: Vec<(String, String)>,
    /// Published ports.
    pub ports: Vec<Port>,
    /// Running copies.
    pub replicas: u32,
    /// How Docker finds out whether it is well.
    pub health: Option<HealthCheck>,
}

/// What the service form sends, for new ones and for edits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServiceForm {
    /// The project's name; made when it is new.
    #[serde(default)]
    pub project: String,
    /// What people call it.
    pub name: String,
    /// See [`GitUrl`].
    pub repository: String,
    /// See [`Branch`].
    pub branch: String,
    /// See [`InnerPath`]; empty: `Dockerfile`.
    #[serde(default)]
    pub dockerfile: String,
    /// See [`InnerPath`]; empty: the repository itself.
    #[serde(default)]
    pub context: String,
    /// Replaces the registry's base path.
    #[serde(default)]
    pub base_path: String,
    /// A registry's id; empty: the default one.
    #[serde(default)]
    pub registry: String,
    /// One `NAME=value` a line.
    #[serde(default)]
    pub env: String,
    /// One `published:target[/udp]` a line (or separated by spaces or commas).
    #[serde(default)]
    pub ports: String,
    /// 0 to 100.
    #[serde(default)]
    pub replicas: String,
    /// A command line, split like a shell would but run without one; empty: none.
    #[serde(default)]
    pub health_command: String,
}

/// A service's fields, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceFields {
    /// The project's name.
    pub project: String,
    /// What people call it.
    pub name: String,
    /// Where images come from.
    pub source: GitSource,
    /// Everything but the image.
    pub settings: Settings,
}

impl ServiceForm {
    /// All broken rules at once, or the fields. Whether a local repository is allowed is the server's to say.
    pub fn validated(self) -> Result<ServiceFields, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut at = |field: &str, result: Result<(), String>| {
            if let Err(message) = result {
                errors.push(FieldError::new(field, message));
            }
        };
        let project = named("project", &self.project);
        let name = named("name", &self.name);
        let repository = self.repository.parse::<GitUrl>();
        let branch = if self.branch.trim().is_empty() {
            Err(Malformed("Fill this in.".into()))
        } else {
            self.branch.parse::<Branch>()
        };
        let dockerfile =
            if self.dockerfile.trim().is_empty() { "Dockerfile".parse() } else { self.dockerfile.parse::<InnerPath>() };
        let context = self.context.parse::<InnerPath>();
        let base_path = super::registry::base_path("base_path", &self.base_path);
        let registry = match self.registry.trim() {
            "" => Ok(None),
            id => id.parse().map(Some).map_err(|_| "Choose a registry.".to_owned()),
        };
        let env = env(&self.env);
        let ports = ports(&self.ports);
        let replicas = match self.replicas.trim() {
            "" => Ok(1),
            text => {
                text.parse::<u32>().ok().filter(|n| *n <= 100).ok_or_else(|| "Give a number from 0 to 100.".to_owned())
            }
        };
        let health = health(&self.health_command);
        at("project", project.as_ref().map(drop).map_err(|error| error.message.clone()));
        at("name", name.as_ref().map(drop).map_err(|error| error.message.clone()));
        at("repository", repository.as_ref().map(drop).map_err(|error| error.0.clone()));
        at("branch", branch.as_ref().map(drop).map_err(|error| error.0.clone()));
        at("dockerfile", dockerfile.as_ref().map(drop).map_err(|error| error.0.clone()));
        at("context", context.as_ref().map(drop).map_err(|error| error.0.clone()));
        at("base_path", base_path.as_ref().map(drop).map_err(|error| error.message.clone()));
        at("registry", registry.as_ref().map(drop).map_err(Clone::clone));
        at("env", env.as_ref().map(drop).map_err(Clone::clone));
        at("ports", ports.as_ref().map(drop).map_err(Clone::clone));
        at("replicas", replicas.as_ref().map(drop).map_err(Clone::clone));
        at("health_command", health.as_ref().map(drop).map_err(Clone::clone));
        match (
            project, name, repository, branch, dockerfile, context, base_path, registry, env, ports, replicas, health,
        ) {
            (
                Ok(project),
                Ok(name),
                Ok(repository),
                Ok(branch),
                Ok(dockerfile),
                Ok(context),
                Ok(base_path),
                Ok(registry),
                Ok(env),
                Ok(ports),
                Ok(replicas),
                Ok(health),
            ) => Ok(ServiceFields {
                project,
                name,
                source: GitSource { repository, branch, dockerfile, context, base_path, registry },
                settings: Settings { env, ports, replicas, health },
            }),
            _ => Err(errors),
        }
    }
}

fn named(field: &str, text: &str) -> Result<String, FieldError> {
    let name = text::name(field, text, 60)?;
    if text::slug(&name).is_empty() {
        return Err(FieldError::new(field, "Use at least one letter a–z or digit; the image's name is made from it."));
    }
    Ok(name)
}

fn env(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut env: Vec<(String, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_end_matches('\r');
        if line.trim().is_empty() {
            continue;
        }
        let at = index + 1;
        let Some((name, value)) = line.split_once('=') else {
            return Err(format!("Line {at}: write NAME=value."));
        };
        let name = name.trim();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || !name.bytes().all(fits) || name.as_bytes()[0].is_ascii_digit() {
            return Err(format!("Line {at}: a name has letters, digits and '_', and doesn't start with a digit."));
        }
        if value.contains('\0') || value.len() > 32_768 {
            return Err(format!("Line {at}: the value is too long or has a NUL character."));
        }
        if env.iter().any(|(other, _)| other == name) {
            return Err(format!("Line {at}: {name} is there twice."));
        }
        env.push((name.to_owned(), value.to_owned()));
    }
    Ok(env)
}

fn ports(text: &str) -> Result<Vec<Port>, String> {
    let mut ports: Vec<Port> = Vec::new();
    for part in text.split([',', ' ', '\n', '\r', '\t']).filter(|part| !part.is_empty()) {
        let (pair, udp) = match part.rsplit_once('/') {
            Some((pair, "udp")) => (pair, true),
            Some((pair, "tcp")) => (pair, false),
            Some(_) => return Err("Write ports like 8080:80, with /udp behind where needed.".into()),
            None => (part, false),
        };
        let (published, target) = pair.split_once(':').unwrap_or((pair, pair));
        let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
        let (Some(published), Some(target)) = (number(published), number(target)) else {
            return Err("Write ports like 8080:80; each is a number from 1 to 65535.".into());
        };
        if ports.iter().any(|port| port.published == published && port.udp == udp) {
            return Err(format!("Port {published} is published twice."));
        }
        ports.push(Port { published, target, udp });
    }
    Ok(ports)
}

fn health(text: &str) -> Result<Option<HealthCheck>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if text.chars().any(text::is_hidden) {
        return Err("Remove the control or invisible characters.".into());
    }
    let command = words(text)?;
    Ok(Some(HealthCheck { command, interval: 5, retries: 3, start_period: 10 }))
}

/// Splits a command line at spaces; single and double quotes hold words together. Nothing is expanded.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err("A quote isn't closed.".into());
    }
    words.extend(word);
    Ok(words)
}

/// How a service is, from what is true in the Swarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    /// Never deployed.
    New,
    /// As many tasks run as should.
    Running,
    /// Fewer tasks run than should.
    Degraded,
    /// Zero replicas wanted.
    Stopped,
    /// Docker can't be asked.
    Unknown,
}

/// A service as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSummary {
    /// Its id.
    pub id: ServiceId,
    /// What people call it.
    pub name: String,
    /// The project's name.
    pub project: String,
    /// How it is.
    pub state: ServiceState,
    /// The number of the deployment that runs.
    pub deployment: Option<i64>,
    /// The newest build's state.
    pub last_build: Option<JobState>,
    /// When something last happened, Unix milliseconds.
    pub changed: i64,
}

/// A service as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// What people call it.
    pub name: String,
    /// What its name is in paths.
    pub slug: String,
    /// The project.
    pub project: ProjectId,
    /// The project's name.
    pub project_name: String,
    /// The project's name in paths.
    pub project_slug: String,
    /// Where images come from.
    pub source: GitSource,
    /// Used by the next deployment of a build.
    pub settings: Settings,
    /// The deployment that runs.
    pub current: Option<DeploymentId>,
    /// Grows with every change.
    pub version: i64,
}

/// One task of the Swarm service, in plain words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Swarm's id, short.
    pub id: String,
    /// The node's host name.
    pub node: String,
    /// `running`, `starting`, …
    pub state: String,
    /// Why it is not well, and what to do.
    pub message: Option<String>,
    /// The image's digest it runs, brief.
    pub image: String,
    /// Since when, Unix seconds.
    pub since: i64,
}

/// Why a deployment was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Origin {
    /// A build pushed its image.
    Build {
        /// Which.
        build: BuildId,
        /// Its number.
        number: i64,
    },
    /// Somebody went back.
    RollBack {
        /// To which.
        to: DeploymentId,
        /// Its number.
        number: i64,
    },
}

/// One version of a service: digest plus settings. Never changes, but for its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its id.
    pub id: DeploymentId,
    /// Counts within the service, from 1.
    pub number: i64,
    /// What it is a version of.
    pub service: ServiceId,
    /// By digest, with the tag for people.
    pub image: ImageRef,
    /// What was built.
    pub commit: CommitSha,
    /// First line of its message.
    pub commit_subject: Option<String>,
    /// The settings it runs with.
    pub settings: Settings,
    /// Why it was made.
    pub origin: Origin,
    /// Where its job is.
    pub state: JobState,
    /// Why it failed.
    pub problem: Option<Problem>,
    /// Whether this is the one that runs.
    pub is_current: bool,
    /// The work behind it.
    pub job: JobId,
    /// Who asked.
    pub asked_by: String,
    /// Unix milliseconds.
    pub created: i64,
    /// Unix milliseconds.
    pub finished: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn settings_are_read_line_by_line() {
        assert_eq!(env("A=1\n\nB=x=y\r\n"), Ok(vec![("A".into(), "1".into()), ("B".into(), "x=y".into())]));
        for text in ["A", "1A=x", "A=1\nA=2", "A-B=1", "=x"] {
            assert!(env(text).is_err(), "{text:?}");
        }
        assert_eq!(
            ports("8080:80, 53:53/udp"),
            Ok(vec![Port { published: 8080, target: 80, udp: false }, Port { published: 53, target: 53, udp: true }])
        );
        for text in ["0:80", "x", "80:80 80:81", "70000:1", "1:2/sctp"] {
            assert!(ports(text).is_err(), "{text:?}");
        }
        assert_eq!(words("wget -q 'a b' \"\""), Ok(vec!["wget".into(), "-q".into(), "a b".into(), "".into()]));
        assert!(words("a 'b").is_err());
    }
}
