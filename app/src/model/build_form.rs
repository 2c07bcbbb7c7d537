//! What the form of build settings sends, and how its texts become [`BuildOptions`].

use super::build_options::{BuildOptions, CacheKind};
use super::id::BuilderId;
use super::platform::Platform;
use super::registry;
use super::secret::Secret;
use super::service_form;
use crate::error::FieldError;
use serde::{Deserialize, Serialize};

/// Most secrets of a service's builds.
pub const MOST_SECRETS: usize = 32;
/// Longest value of a secret; BuildKit takes 500 kB.
const LONGEST: usize = 128 * 1_024;
/// Would choose another program to drive the build, which only Docker's own may.
const FRONTEND: &str = "BUILDKIT_SYNTAX";

/// What the form sends.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BuildForm {
    /// One `NAME=value` a line.
    #[serde(default)]
    pub args: String,
    /// What becomes of each secret, and new ones.
    #[serde(default)]
    pub sealed: Vec<SecretInput>,
    /// Platforms with commas; empty: those of the registry.
    #[serde(default)]
    pub platforms: String,
    /// A builder's id; empty: one that fits.
    #[serde(default)]
    pub builder: String,
    /// See [`CacheKind`].
    #[serde(default)]
    pub cache: String,
    /// Present when ticked.
    #[serde(default)]
    pub sbom: Option<String>,
    /// Present when ticked.
    #[serde(default)]
    pub provenance: Option<String>,
}

/// One secret as the form has it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SecretInput {
    /// By which the Dockerfile asks for it.
    #[serde(default)]
    pub name: String,
    /// Its value; empty: the one that is kept. The field's name keeps it out of forms that come back.
    #[serde(default)]
    pub secret: Secret,
    /// Present when it is one that is kept already.
    #[serde(default)]
    pub kept: Option<String>,
    /// Present when ticked: it goes.
    #[serde(default)]
    pub remove: Option<String>,
}

/// The settings, checked, and the values that are sealed anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildFields {
    /// All but the recipe, which is the service form's.
    pub options: BuildOptions,
    /// New values by name; what isn't named keeps its own.
    pub values: Vec<(String, Secret)>,
}

/// The name of a field of the n-th secret, as a form sends it inside `form[…]`: `name`, `secret` or `remove`.
pub fn secret_field(index: usize, part: &str) -> String {
    format!("sealed][{index}][{part}")
}

impl BuildForm {
    /// All broken rules at once, or the fields.
    pub fn validated(self) -> Result<BuildFields, Vec<FieldError>> {
        let mut errors = Vec::new();
        let args = service_form::pairs(&self.args).unwrap_or_else(|error| {
            errors.push(FieldError::new("args", error));
            Vec::new()
        });
        if args.iter().any(|(name, _)| name == FRONTEND) {
            let why = format!("{FRONTEND} would choose another program to drive the build. Leave it out.");
            errors.push(FieldError::new("args", why));
        }
        let platforms: Vec<Platform> =
            registry::platforms("platforms", &self.platforms).map_err(|error| errors.push(error)).unwrap_or_default();
        let builder: Option<BuilderId> = match self.builder.trim() {
            "" => None,
            id => id.parse().map_err(|_| errors.push(FieldError::new("builder", "Choose a builder."))).ok(),
        };
        let cache = match self.cache.trim() {
            "" => Some(CacheKind::default()),
            text => CacheKind::ALL.into_iter().find(|kind| kind.as_str() == text),
        };
        if cache.is_none() {
            errors.push(FieldError::new("cache", "Choose where the cache is."));
        }
        let (sbom, provenance) = (self.sbom.is_some(), self.provenance.is_some());
        let (secrets, values) = secrets(self.sealed, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let options = BuildOptions {
            args,
            secrets,
            platforms,
            builder,
            cache: cache.unwrap_or_default(),
            sbom,
            provenance,
            ..BuildOptions::default()
        };
        Ok(BuildFields { options, values })
    }
}

/// Names that stay or come, and the values that are new.
pub(super) fn secrets(inputs: Vec<SecretInput>, errors: &mut Vec<FieldError>) -> (Vec<String>, Vec<(String, Secret)>) {
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for (index, input) in inputs.into_iter().enumerate() {
        let name = input.name.trim().to_owned();
        let mut wrong = |part: &str, why: String| errors.push(FieldError::new(&secret_field(index, part), why));
        if input.remove.is_some() || (name.is_empty() && input.secret.is_empty()) {
            continue;
        }
        if !is_secret_name(&name) {
            wrong("name", "A secret's name has up to 64 letters, digits, '_', '-' and '.', like NPM_TOKEN.".into());
        } else if names.contains(&name) {
            wrong("name", format!("{name} is there twice."));
        } else if names.len() == MOST_SECRETS {
            wrong("name", format!("{MOST_SECRETS} secrets are the most."));
        }
        if input.secret.len() > LONGEST {
            wrong("secret", "This is too long: 128 KiB is the most.".into());
        } else if input.secret.is_empty() && input.kept.is_none() {
            wrong("secret", "Fill in the value. It isn't kept while a form has errors.".into());
        }
        if !input.secret.is_empty() {
            // Browsers send lines as \r\n; files have \n.
            let text = input.secret.expose("its line ends are put right").replace("\r\n", "\n");
            values.push((name.clone(), Secret::new(text)));
        }
        names.push(name);
    }
    (names, values)
}

/// Whether it can stand in a Dockerfile and in buildx's arguments as it is.
pub fn is_secret_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    name.len() <= 64 && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') && name.bytes().all(fits)
}

/// Whether it may be an argument of a build.
pub fn is_argument(name: &str) -> bool {
    service_form::is_variable(name) && name != FRONTEND
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str, value: &str) -> SecretInput {
        SecretInput { name: name.into(), secret: Secret::new(value.into()), ..SecretInput::default() }
    }

    fn kept(name: &str) -> SecretInput {
        SecretInput { kept: Some("yes".into()), ..secret(name, "") }
    }

    fn fields_of(errors: Vec<FieldError>) -> Vec<String> {
        errors.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn a_form_becomes_options() {
        let form = BuildForm {
            args: "A=1\nB=x=y\n".into(),
            platforms: "linux/amd64, linux/arm64".into(),
            cache: "registry".into(),
            sbom: Some("on".into()),
            sealed: vec![
                kept("NPM_TOKEN"),
                SecretInput { remove: Some("on".into()), ..kept("OLD") },
                SecretInput { kept: Some("yes".into()), ..secret("key.pem", "one\r\ntwo\r\n") },
                secret(" new-1 ", "x"),
                secret("", ""),
            ],
            ..BuildForm::default()
        };
        let BuildFields { options, values } = form.validated().expect("fields");
        assert_eq!(options.args, [("A".into(), "1".into()), ("B".into(), "x=y".into())]);
        assert_eq!(options.secrets, ["NPM_TOKEN", "key.pem", "new-1"]);
        assert_eq!(options.platforms.len(), 2);
        assert_eq!((options.cache, options.sbom, options.provenance), (CacheKind::Registry, true, false));
        let values: Vec<_> = values.iter().map(|(name, value)| (name.as_str(), value.expect_text())).collect();
        assert_eq!(values, [("key.pem", "one\ntwo\n"), ("new-1", "x")]);
        assert_eq!(BuildForm::default().validated().map(|fields| fields.options), Ok(BuildOptions::default()));
    }

    #[test]
    fn each_rule_is_told_at_its_field() {
        let of = |form: BuildForm| fields_of(form.validated().expect_err("refused"));
        for (args, field) in [("A", "args"), ("1=x", "args"), ("A=1\nA=2", "args"), ("BUILDKIT_SYNTAX=evil", "args")] {
            assert_eq!(of(BuildForm { args: args.into(), ..BuildForm::default() }), [field], "{args}");
        }
        assert_eq!(of(BuildForm { platforms: "linux".into(), ..BuildForm::default() }), ["platforms"]);
        assert_eq!(of(BuildForm { builder: "x".into(), ..BuildForm::default() }), ["builder"]);
        assert_eq!(of(BuildForm { cache: "moon".into(), ..BuildForm::default() }), ["cache"]);
        for (sealed, field) in [
            (vec![secret("a", "")], "sealed][0][secret"),
            (vec![secret("", "x")], "sealed][0][name"),
            (vec![secret("a,src=/etc/passwd", "x")], "sealed][0][name"),
            (vec![secret("a b", "x")], "sealed][0][name"),
            (vec![secret("-a", "x")], "sealed][0][name"),
            (vec![kept("a"), secret("a", "x")], "sealed][1][name"),
            (vec![secret("a", &"x".repeat(LONGEST + 1))], "sealed][0][secret"),
            ((0..=MOST_SECRETS).map(|n| secret(&format!("a{n}"), "x")).collect(), "sealed][32][name"),
        ] {
            assert_eq!(of(BuildForm { sealed, ..BuildForm::default() }), [field]);
        }
    }

    trait Text {
        fn expect_text(&self) -> &str;
    }

    impl Text for Secret {
        fn expect_text(&self) -> &str {
            self.expose("the test compares it")
        }
    }
}
