//! What the service form sends, and how its texts become settings.

use super::build_options::{BuildOptions, Recipe};
use super::id::CredentialId;
use super::image_ref::{ImageRef, Malformed};
use super::service::{HealthCheck, Port, Settings};
use super::source::{Branch, GitSource, GitUrl, InnerPath};
use super::text;
use crate::error::FieldError;
use serde::{Deserialize, Serialize};

/// Longest Dockerfile that is typed; a form that comes back keeps as much.
const LONGEST_DOCKERFILE: usize = 16_000;

/// What the service form sends, for new ones and for edits.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ServiceForm {
    /// `git` (or nothing) or `image`.
    #[serde(default)]
    pub kind: String,
    /// The project's name; made when it is new.
    #[serde(default)]
    pub project: String,
    /// What people call it.
    #[serde(default)]
    pub name: String,
    /// See [`GitUrl`].
    #[serde(default)]
    pub repository: String,
    /// See [`Branch`].
    #[serde(default)]
    pub branch: String,
    /// See [`InnerPath`]; empty: `Dockerfile`.
    #[serde(default)]
    pub dockerfile: String,
    /// See [`InnerPath`]; empty: the repository itself.
    #[serde(default)]
    pub context: String,
    /// `repository` (or nothing), `typed` or `static`: see [`Recipe`].
    #[serde(default)]
    pub recipe: String,
    /// The Dockerfile itself, where it is typed.
    #[serde(default)]
    pub dockerfile_text: String,
    /// See [`InnerPath`]; what a static site is served from.
    #[serde(default)]
    pub static_folder: String,
    /// Replaces the registry's base path.
    #[serde(default)]
    pub base_path: String,
    /// A registry's id; empty: the default one.
    #[serde(default)]
    pub registry: String,
    /// The id of an access to the repository's host; empty: none.
    #[serde(default)]
    pub access: String,
    /// See [`ImageRef`]; for images.
    #[serde(default)]
    pub image: String,
    /// A credential's id, [`CredentialChoice::NONE`], or nothing: the one of the image's host; for images.
    #[serde(default)]
    pub credential: String,
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
    pub source: SourceFields,
    /// Everything but the image.
    pub settings: Settings,
}

/// Where images come from, as far as the form says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceFields {
    /// Slipway builds them.
    Git(GitSource),
    /// They are there already.
    Image {
        /// By tag, by digest, or both.
        image: ImageRef,
        /// How to sign in for it.
        credential: CredentialChoice,
    },
}

/// Which credential pulls an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialChoice {
    /// The one that reaches it best; none where there is none.
    Automatic,
    /// None: anybody may pull it.
    None,
    /// This one.
    Of(CredentialId),
}

impl CredentialChoice {
    /// How forms say that there is none.
    pub const NONE: &'static str = "none";
}

impl std::str::FromStr for CredentialChoice {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        match text.trim() {
            "" => Ok(Self::Automatic),
            Self::NONE => Ok(Self::None),
            id => id.parse().map(Self::Of).map_err(|_| Malformed("Choose a credential.".into())),
        }
    }
}

/// What was read of a field, or a note of what is wrong with it.
fn kept<T, E: std::fmt::Display>(errors: &mut Vec<FieldError>, field: &str, read: Result<T, E>) -> Option<T> {
    read.map_err(|error| errors.push(FieldError::new(field, error.to_string()))).ok()
}

impl ServiceForm {
    /// All broken rules at once, or the fields. Whether a local repository is allowed is the server's to say.
    pub fn validated(self) -> Result<ServiceFields, Vec<FieldError>> {
        let mut errors = Vec::new();
        let project = kept(&mut errors, "project", named(&self.project));
        let name = kept(&mut errors, "name", named(&self.name));
        let source = match self.kind.trim() {
            "" | "git" => self.git(&mut errors).map(SourceFields::Git),
            "image" => self.image(&mut errors),
            _ => kept(&mut errors, "kind", Err("A service comes from git or from an image.")),
        };
        let env = kept(&mut errors, "env", pairs(&self.env));
        let ports = kept(&mut errors, "ports", ports(&self.ports));
        let replicas = match self.replicas.trim() {
            "" => Some(1),
            text => {
                let number = text.parse::<u32>().ok().filter(|n| *n <= 100);
                kept(&mut errors, "replicas", number.ok_or("Give a number from 0 to 100."))
            }
        };
        let health = kept(&mut errors, "health_command", health(&self.health_command));
        match (project, name, source, env, ports, replicas, health) {
            (Some(project), Some(name), Some(source), Some(env), Some(ports), Some(replicas), Some(health)) => {
                Ok(ServiceFields { project, name, source, settings: Settings { env, ports, replicas, health } })
            }
            _ => Err(errors),
        }
    }

    fn git(&self, errors: &mut Vec<FieldError>) -> Option<GitSource> {
        let repository = kept(errors, "repository", self.repository.parse::<GitUrl>());
        let branch = if self.branch.trim().is_empty() {
            Err(Malformed("Fill this in.".into()))
        } else {
            self.branch.parse::<Branch>()
        };
        let branch = kept(errors, "branch", branch);
        let dockerfile = if self.dockerfile.trim().is_empty() { "Dockerfile" } else { &self.dockerfile };
        let dockerfile = kept(errors, "dockerfile", dockerfile.parse::<InnerPath>());
        let context = kept(errors, "context", self.context.parse::<InnerPath>());
        let base_path = super::registry::base_path("base_path", &self.base_path).map_err(|error| error.message);
        let base_path = kept(errors, "base_path", base_path);
        let recipe = self.recipe(errors);
        let registry = match self.registry.trim() {
            "" => Some(None),
            id => kept(errors, "registry", id.parse().map_err(|_| "Choose a registry.")).map(Some),
        };
        let access = match self.access.trim() {
            "" => Some(None),
            id => kept(errors, "access", id.parse().map_err(|_| "Choose an access.")).map(Some),
        };
        Some(GitSource {
            repository: repository?,
            branch: branch?,
            dockerfile: dockerfile?,
            context: context?,
            base_path: base_path?,
            registry: registry?,
            access: access?,
            build: BuildOptions { recipe: recipe?, ..BuildOptions::default() },
        })
    }

    /// The fields of the other recipes are left alone: whoever changes their mind finds them as they were typed.
    fn recipe(&self, errors: &mut Vec<FieldError>) -> Option<Recipe> {
        match self.recipe.trim() {
            "" | "repository" => Some(Recipe::Repository),
            "typed" => {
                let text = self.dockerfile_text.replace("\r\n", "\n");
                let why = if text.trim().is_empty() {
                    Some("Type the Dockerfile, or choose another way to build.".to_owned())
                } else if text.len() > LONGEST_DOCKERFILE {
                    Some("This is too long: 16 kB is the most. Put it into the repository.".to_owned())
                } else {
                    text.contains('\0').then(|| "Remove the NUL character.".to_owned())
                };
                kept(errors, "dockerfile_text", why.map_or(Ok(Recipe::Typed { text }), Err))
            }
            "static" => {
                let folder = kept(errors, "static_folder", self.static_folder.parse::<InnerPath>());
                folder.map(|folder| Recipe::Static { folder })
            }
            _ => kept(errors, "recipe", Err("Choose what the image is built by.")),
        }
    }

    fn image(&self, errors: &mut Vec<FieldError>) -> Option<SourceFields> {
        let image = kept(errors, "image", image(&self.image));
        let credential = kept(errors, "credential", self.credential.parse::<CredentialChoice>());
        Some(SourceFields::Image { image: image?, credential: credential? })
    }
}

/// A reference as people type or paste it.
fn image(text: &str) -> Result<ImageRef, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("Fill this in.".into());
    }
    if text.contains("://") {
        return Err("Leave out https://. An image looks like ghcr.io/acme/web:1.4.".into());
    }
    text.parse().map_err(|error: Malformed| format!("{error} An image looks like ghcr.io/acme/web:1.4."))
}

fn named(text: &str) -> Result<String, String> {
    let name = text::name("name", text, 60).map_err(|error| error.message)?;
    if text::slug(&name).is_empty() {
        return Err("Use at least one letter a–z or digit; names in the Swarm are made from it.".into());
    }
    Ok(name)
}

/// Whether it is a name as variables have.
pub(super) fn is_variable(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && name.bytes().all(fits) && !name.as_bytes()[0].is_ascii_digit()
}

/// Lines of `NAME=value`.
pub(super) fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
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
        if !is_variable(name) {
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
    fn an_image_form_needs_an_image_and_no_repository() {
        let form = |image: &str, credential: &str| ServiceForm {
            kind: "image".into(),
            project: "Shop".into(),
            name: "Web".into(),
            image: image.into(),
            credential: credential.into(),
            ..ServiceForm::default()
        };
        let id = CredentialId::from_random([1; 8]);
        for (text, choice) in [
            ("", CredentialChoice::Automatic),
            ("none", CredentialChoice::None),
            (id.as_str(), CredentialChoice::Of(id.clone())),
        ] {
            let fields = form(" nginx:1.27 ", text).validated().expect("fields");
            let image = "docker.io/library/nginx:1.27".parse().expect("an image");
            assert_eq!(fields.source, SourceFields::Image { image, credential: choice });
        }
        for (image, credential, field) in [
            ("", "", "image"),
            ("https://ghcr.io/a/b", "", "image"),
            ("a b", "", "image"),
            ("nginx", "reg_000000000001", "credential"),
        ] {
            let errors = form(image, credential).validated().expect_err("refused");
            assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), [field], "{image:?}");
        }
        let neither = ServiceForm { kind: "tar".into(), ..form("nginx", "") };
        assert!(neither.validated().is_err());
    }

    #[test]
    fn a_git_form_says_what_the_image_is_built_by() {
        let form = |recipe: &str, text: &str, folder: &str| ServiceForm {
            project: "Shop".into(),
            name: "Web".into(),
            repository: "https://a.example/b".into(),
            branch: "main".into(),
            recipe: recipe.into(),
            dockerfile_text: text.into(),
            static_folder: folder.into(),
            ..ServiceForm::default()
        };
        for (recipe, text, folder, expected) in [
            ("", "", "", Recipe::Repository),
            ("repository", "FROM x", "public", Recipe::Repository),
            ("typed", "FROM x\r\nRUN y", "", Recipe::Typed { text: "FROM x\nRUN y".into() }),
            ("static", "", "./public/", Recipe::Static { folder: "public".parse().expect("a path") }),
            ("static", "", "", Recipe::Static { folder: "".parse().expect("a path") }),
        ] {
            let SourceFields::Git(source) = form(recipe, text, folder).validated().expect("fields").source else {
                panic!("from git")
            };
            assert_eq!(source.build.recipe, expected);
        }
        let long = "x".repeat(LONGEST_DOCKERFILE + 1);
        for (recipe, text, folder, field) in [
            ("typed", " \r\n", "", "dockerfile_text"),
            ("typed", long.as_str(), "", "dockerfile_text"),
            ("typed", "FROM x\0", "", "dockerfile_text"),
            ("static", "", "../up", "static_folder"),
            ("static", "", "/etc", "static_folder"),
            ("magic", "", "", "recipe"),
        ] {
            let errors = form(recipe, text, folder).validated().expect_err("refused");
            assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), [field], "{text:.20?}");
        }
    }

    #[test]
    fn settings_are_read_line_by_line() {
        assert_eq!(pairs("A=1\n\nB=x=y\r\n"), Ok(vec![("A".into(), "1".into()), ("B".into(), "x=y".into())]));
        for text in ["A", "1A=x", "A=1\nA=2", "A-B=1", "=x"] {
            assert!(pairs(text).is_err(), "{text:?}");
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
