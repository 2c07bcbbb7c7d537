//! What the service form sends, and how its texts become settings.

use super::build_form::{self, SecretInput};
use super::build_options::{BuildOptions, Recipe};
use super::id::CredentialId;
use super::image_ref::{ImageRef, Malformed};
use super::secret::Secret;
use super::service::{HealthCheck, Port, Settings};
use super::service_settings::{self, Resources, SecretFile};
use super::source::{Branch, GitSource, GitUrl, InnerPath};
use super::tag_watch::WatchMode;
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
    /// Seconds between checks; empty: 5.
    #[serde(default)]
    pub health_interval: String,
    /// Seconds that a check may take; empty: 5.
    #[serde(default)]
    pub health_timeout: String,
    /// Failures in a row; empty: 3.
    #[serde(default)]
    pub health_retries: String,
    /// Seconds in which failures don't count; empty: 10.
    #[serde(default)]
    pub health_start_period: String,
    /// A command line that replaces the image's entry point; empty: the image's.
    #[serde(default)]
    pub command: String,
    /// Arguments, as a command line; empty: the image's.
    #[serde(default)]
    pub args: String,
    /// Like `512 MB`; empty: no limit.
    #[serde(default)]
    pub memory: String,
    /// Cores, like `0.5`; empty: no limit.
    #[serde(default)]
    pub cpus: String,
    /// Like `256 MB`; empty: none.
    #[serde(default)]
    pub memory_reserved: String,
    /// Cores; empty: none.
    #[serde(default)]
    pub cpus_reserved: String,
    /// One `node.labels.x==y` a line.
    #[serde(default)]
    pub constraints: String,
    /// One `volume:/path[:ro]` or `/folder:/path[:ro]` a line.
    #[serde(default)]
    pub mounts: String,
    /// Names of overlay networks, one a line.
    #[serde(default)]
    pub networks: String,
    /// What becomes of each secret, and new ones.
    #[serde(default)]
    pub sealed: Vec<SecretInput>,
    /// See [`WatchMode`]; empty: off. For images.
    #[serde(default)]
    pub watch: String,
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
    /// Everything but the image; secrets have no marks yet.
    pub settings: Settings,
    /// New values of secrets by name; what isn't named keeps its own.
    pub values: Vec<(String, Secret)>,
    /// What happens when the image's tag leads to a new digest.
    pub watch: WatchMode,
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
        let health = self.health(&mut errors);
        let command = kept(&mut errors, "command", line(&self.command)).unwrap_or_default();
        let args = kept(&mut errors, "args", line(&self.args)).unwrap_or_default();
        let resources = self.resources(&mut errors);
        let constraints = kept(&mut errors, "constraints", service_settings::constraints(&self.constraints));
        let mounts = kept(&mut errors, "mounts", service_settings::mounts(&self.mounts));
        let networks = kept(&mut errors, "networks", service_settings::networks(&self.networks));
        let watch = self.watch(&mut errors);
        let (names, values) = build_form::secrets(self.sealed, &mut errors);
        let secrets = names.into_iter().map(|name| SecretFile { name, mark: String::new() }).collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        let (Some(project), Some(name), Some(source)) = (project, name, source) else { return Err(errors) };
        let settings = Settings {
            env: env.unwrap_or_default(),
            ports: ports.unwrap_or_default(),
            replicas: replicas.unwrap_or(1),
            health,
            command,
            args,
            resources,
            constraints: constraints.unwrap_or_default(),
            mounts: mounts.unwrap_or_default(),
            networks: networks.unwrap_or_default(),
            secrets,
        };
        Ok(ServiceFields { project, name, source, settings, values, watch })
    }

    fn watch(&self, errors: &mut Vec<FieldError>) -> WatchMode {
        let mode = match self.watch.trim() {
            _ if self.kind.trim() != "image" => return WatchMode::Off,
            "" => return WatchMode::Off,
            text => kept(errors, "watch", text.parse::<WatchMode>()).unwrap_or_default(),
        };
        if mode != WatchMode::Off && self.image.contains('@') {
            errors.push(FieldError::new("watch", "An image by digest never changes, so there is nothing to watch. Leave out @sha256:…, or choose not to."));
        }
        mode
    }

    fn resources(&self, errors: &mut Vec<FieldError>) -> Resources {
        let found = Resources {
            memory: kept(errors, "memory", service_settings::memory(&self.memory)).flatten(),
            millicpus: kept(errors, "cpus", service_settings::cores(&self.cpus)).flatten(),
            memory_reserved: kept(errors, "memory_reserved", service_settings::memory(&self.memory_reserved)).flatten(),
            millicpus_reserved: kept(errors, "cpus_reserved", service_settings::cores(&self.cpus_reserved)).flatten(),
        };
        let why = "This is more than it may use.";
        if found.memory.is_some_and(|most| found.memory_reserved.is_some_and(|kept| kept > most)) {
            errors.push(FieldError::new("memory_reserved", why));
        }
        if found.millicpus.is_some_and(|most| found.millicpus_reserved.is_some_and(|kept| kept > most)) {
            errors.push(FieldError::new("cpus_reserved", why));
        }
        found
    }

    /// Its details count for nothing without a command.
    fn health(&self, errors: &mut Vec<FieldError>) -> Option<HealthCheck> {
        let command = kept(errors, "health_command", line(&self.health_command)).unwrap_or_default();
        let mut number = |field: &str, text: &str, usual: u32, least: u32, most: u32| match text.trim() {
            "" => usual,
            text => {
                let found = text.parse::<u32>().ok().filter(|n| (least..=most).contains(n));
                kept(errors, field, found.ok_or_else(|| format!("Give a number from {least} to {most}.")))
                    .unwrap_or(usual)
            }
        };
        let check = HealthCheck {
            command,
            interval: number("health_interval", &self.health_interval, 5, 1, 3_600),
            timeout: number("health_timeout", &self.health_timeout, 5, 1, 600),
            retries: number("health_retries", &self.health_retries, 3, 1, 100),
            start_period: number("health_start_period", &self.health_start_period, 10, 0, 3_600),
        };
        (!check.command.is_empty()).then_some(check)
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

/// A command line on one line; nothing: no words.
fn line(text: &str) -> Result<Vec<String>, String> {
    let text = text.trim();
    if text.chars().any(text::is_hidden) {
        return Err("Remove the control or invisible characters.".into());
    }
    if text.len() > 8_192 {
        return Err("This is too long.".into());
    }
    words(text)
}

/// A command line that `ServiceForm` reads back as these words.
pub fn command_line(words: &[String]) -> String {
    let quoted = words.iter().map(|word| {
        let is_plain = !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || matches!(c, '\'' | '"'));
        match (is_plain, word.contains('\'')) {
            (true, _) => word.clone(),
            (false, false) => format!("'{word}'"),
            // A word with both kinds of quotes is put together from pieces.
            (false, true) => format!("\"{}\"", word.replace('"', "\"'\"'\"")),
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
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
    fn what_a_service_has_beside_its_image_is_checked_at_its_field() {
        let form = || ServiceForm {
            kind: "image".into(),
            project: "Shop".into(),
            name: "Web".into(),
            image: "nginx:1.27".into(),
            watch: "deploy".into(),
            command: "/bin/app 'a b'".into(),
            memory: "64 MB".into(),
            cpus: "0.5".into(),
            mounts: "data:/data".into(),
            sealed: vec![SecretInput { name: "key".into(), secret: Secret::new("x".into()), ..SecretInput::default() }],
            ..ServiceForm::default()
        };
        let fields = form().validated().expect("fields");
        assert_eq!((fields.watch, fields.settings.command.len(), fields.values.len()), (WatchMode::Deploy, 2, 1));
        assert_eq!(fields.settings.secrets, [SecretFile { name: "key".into(), mark: String::new() }]);
        assert_eq!(fields.settings.health, None);
        let field = |change: fn(&mut ServiceForm)| {
            let mut form = form();
            change(&mut form);
            let errors = form.validated().expect_err("refused");
            errors.into_iter().map(|error| error.field).collect::<Vec<_>>()
        };
        assert_eq!(field(|form| form.memory = "64".into()), ["memory"]);
        assert_eq!(field(|form| form.memory_reserved = "65 MB".into()), ["memory_reserved"]);
        assert_eq!(field(|form| form.cpus_reserved = "1".into()), ["cpus_reserved"]);
        assert_eq!(field(|form| form.mounts = "/:/host".into()), ["mounts"]);
        assert_eq!(field(|form| form.constraints = "x".into()), ["constraints"]);
        assert_eq!(field(|form| form.networks = "ingress".into()), ["networks"]);
        assert_eq!(field(|form| form.args = "'".into()), ["args"]);
        assert_eq!(field(|form| form.health_retries = "0".into()), ["health_retries"]);
        assert_eq!(field(|form| form.image = format!("nginx@sha256:{}", "a".repeat(64))), ["watch"]);
        assert_eq!(field(|form| form.sealed[0].name = "a/b".into()), ["sealed][0][name"]);
    }

    /// Rows of earlier versions have none of the newer settings.
    #[test]
    fn old_settings_are_read() {
        let old = r#"{"env":[["A",""]],"ports":[],"replicas":2,"health":{"command":["x"],"interval":5,"retries":3,"start_period":10}}"#;
        let settings: Settings = serde_json::from_str(old).expect("settings");
        assert_eq!((settings.replicas, settings.health.map(|health| health.timeout)), (2, Some(5)));
        assert!(settings.mounts.is_empty() && settings.resources == Resources::default());
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

    #[test]
    fn command_lines_are_read_back_as_the_same_words() {
        for words in [
            vec!["wget", "-q", "http://127.0.0.1/"],
            vec!["sh", "-c", "echo 'a b' && exit 0"],
            vec!["x", "", "a\"b'c \" d", "'"],
        ] {
            let words: Vec<String> = words.into_iter().map(ToOwned::to_owned).collect();
            let form = ServiceForm {
                project: "a".into(),
                name: "b".into(),
                repository: "https://a.example/b".into(),
                branch: "main".into(),
                health_command: command_line(&words),
                ..ServiceForm::default()
            };
            let read = form.validated().map(|fields| fields.settings.health.map(|health| health.command));
            assert_eq!(read, Ok(Some(words)));
        }
    }
}
