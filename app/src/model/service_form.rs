//! What the service form sends, and how its texts become settings.

use super::image_ref::Malformed;
use super::service::{HealthCheck, Port, Settings};
use super::source::{Branch, GitSource, GitUrl, InnerPath};
use super::text;
use crate::error::FieldError;
use serde::{Deserialize, Serialize};

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
#[cfg(test)]
mod tests {
    use super::*;

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
