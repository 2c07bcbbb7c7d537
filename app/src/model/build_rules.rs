//! Rules that hold for all builds; an administrator sets them.

use super::static_server::StaticServer;
use crate::error::FieldError;
use serde::{Deserialize, Serialize};

/// Most builds that may run at once.
const MOST_PARALLEL: u32 = 64;
/// Hundredths of a core: a tenth of one, and more than any machine has.
const CPUS: std::ops::RangeInclusive<u32> = 10..=102_400;
/// MiB: less starts no shell, and more than any machine has.
const MEMORY: std::ops::RangeInclusive<u32> = 16..=16_777_216;
/// Minutes: up to two days.
const TIMEOUT: std::ops::RangeInclusive<u32> = 1..=2_880;
/// How often a push is tried.
const TRIES: std::ops::RangeInclusive<u32> = 1..=5;

/// Rules that hold for all builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BuildRules {
    /// How many builds run at once; none: half as many as there are cores, one at least.
    pub parallel: Option<u32>,
    /// Most of the processors that one build's commands get, in hundredths of a core; none: all.
    pub cpus: Option<u32>,
    /// Most memory that one build's commands get, in MiB; none: all.
    pub memory: Option<u32>,
    /// Minutes after which a build is ended.
    pub timeout: u32,
    /// Whether a build of the newest commit takes the place of older ones of its service that wait.
    pub supersedes: bool,
    /// How often a push is tried when the registry or the network fails for a moment.
    pub push_tries: u32,
    /// The web server that serves folders of static files; none: there are no such builds.
    pub static_image: Option<StaticServer>,
}

impl Default for BuildRules {
    fn default() -> Self {
        Self {
            parallel: None,
            cpus: None,
            memory: None,
            timeout: 120,
            supersedes: true,
            push_tries: 3,
            static_image: None,
        }
    }
}

impl BuildRules {
    /// Whether a build gets less than all of the machine.
    pub fn has_caps(&self) -> bool {
        self.cpus.is_some() || self.memory.is_some()
    }
}

/// Hundredths of a core as people write them: `150` → `1.5`.
pub fn cores(hundredths: u32) -> String {
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Whether caps of CPU and memory hold here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapsHold {
    /// They do, by control groups of this version.
    By(String),
    /// They don't.
    No {
        /// Why, as a sentence.
        why: String,
    },
}

/// The rules with what a page says beside them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesInForce {
    /// The rules.
    pub rules: BuildRules,
    /// How many builds run at once when no rule says it.
    pub usual_parallel: u32,
    /// Whether caps hold here.
    pub caps: CapsHold,
}

/// What the form of the rules sends.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BuildRulesForm {
    /// A number, or nothing.
    #[serde(default)]
    pub parallel: String,
    /// Cores, like `1.5`, or nothing.
    #[serde(default)]
    pub cpus: String,
    /// MiB, or nothing.
    #[serde(default)]
    pub memory: String,
    /// Minutes; nothing: the default.
    #[serde(default)]
    pub timeout: String,
    /// Ticked or not there.
    #[serde(default)]
    pub supersedes: Option<String>,
    /// A number.
    #[serde(default)]
    pub push_tries: String,
    /// See [`StaticServer`], or nothing.
    #[serde(default)]
    pub static_image: String,
}

impl BuildRulesForm {
    /// The rules, or what is wrong at which field.
    pub fn check(&self) -> Result<BuildRules, Vec<FieldError>> {
        let usual = BuildRules::default();
        let mut errors = Vec::new();
        let parallel = number(
            &mut errors,
            "parallel",
            &self.parallel,
            &(1..=MOST_PARALLEL),
            "Give a number from 1 to 64, or leave it empty.",
        );
        let cpus = match hundredths(&self.cpus) {
            Ok(cpus) => cpus,
            Err(()) => {
                errors
                    .push(FieldError::new("cpus", "Give a number of cores from 0.1 on, like 1.5, or leave it empty."));
                None
            }
        };
        let memory = number(
            &mut errors,
            "memory",
            &self.memory,
            &MEMORY,
            "Give a number of MiB from 16 on, like 2048, or leave it empty.",
        );
        let timeout =
            number(&mut errors, "timeout", &self.timeout, &TIMEOUT, "Give a number of minutes from 1 to 2880.");
        let push_tries = number(&mut errors, "push_tries", &self.push_tries, &TRIES, "Choose a number from 1 to 5.");
        let static_image = match self.static_image.trim() {
            "" => None,
            text => {
                let read = text.parse::<StaticServer>();
                read.map_err(|why| errors.push(FieldError::new("static_image", why.to_string()))).ok()
            }
        };
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(BuildRules {
            parallel,
            cpus,
            memory,
            timeout: timeout.unwrap_or(usual.timeout),
            supersedes: self.supersedes.is_some(),
            push_tries: push_tries.unwrap_or(usual.push_tries),
            static_image,
        })
    }
}

fn number(
    errors: &mut Vec<FieldError>,
    field: &str,
    text: &str,
    range: &std::ops::RangeInclusive<u32>,
    advice: &str,
) -> Option<u32> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let number = text.parse().ok().filter(|number| range.contains(number));
    if number.is_none() {
        errors.push(FieldError::new(field, advice));
    }
    number
}

/// `1.5` → 150; nothing → none.
fn hundredths(text: &str) -> Result<Option<u32>, ()> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(part) || part.len() > 2 {
        return Err(());
    }
    let (whole, part): (u32, u32) = (whole.parse().map_err(|_| ())?, format!("{part:0<2}").parse().map_err(|_| ())?);
    let cpus = whole.checked_mul(100).and_then(|whole| whole.checked_add(part)).ok_or(())?;
    if CPUS.contains(&cpus) { Ok(Some(cpus)) } else { Err(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> BuildRulesForm {
        BuildRulesForm { supersedes: Some("on".into()), ..BuildRulesForm::default() }
    }

    #[test]
    fn an_empty_form_is_the_usual() {
        assert_eq!(form().check(), Ok(BuildRules::default()));
    }

    #[test]
    fn all_fields_are_taken() {
        let form = BuildRulesForm {
            parallel: " 4 ".into(),
            cpus: "1.5".into(),
            memory: "2048".into(),
            timeout: "30".into(),
            supersedes: None,
            push_tries: "1".into(),
            static_image: "nginx".into(),
        };
        let rules = form.check().expect("all is well");
        assert_eq!((rules.parallel, rules.cpus, rules.memory, rules.timeout), (Some(4), Some(150), Some(2_048), 30));
        assert!(!rules.supersedes && rules.push_tries == 1 && rules.has_caps());
        assert_eq!(
            rules.static_image.map(|server| server.to_string()),
            Some("docker.io/library/nginx:latest /usr/share/nginx/html".into())
        );
    }

    #[test]
    fn what_is_wrong_is_said_at_its_field() {
        let wrong = |change: fn(&mut BuildRulesForm)| {
            let mut form = form();
            change(&mut form);
            form.check().expect_err("refused").into_iter().map(|error| error.field).collect::<Vec<_>>()
        };
        assert_eq!(wrong(|form| form.parallel = "0".into()), ["parallel"]);
        assert_eq!(wrong(|form| form.cpus = "0.05".into()), ["cpus"]);
        assert_eq!(wrong(|form| form.cpus = "1.234".into()), ["cpus"]);
        assert_eq!(wrong(|form| form.cpus = "-1".into()), ["cpus"]);
        assert_eq!(wrong(|form| form.memory = "2 GiB".into()), ["memory"]);
        assert_eq!(wrong(|form| form.timeout = "0".into()), ["timeout"]);
        assert_eq!(wrong(|form| form.push_tries = "9".into()), ["push_tries"]);
        assert_eq!(wrong(|form| form.static_image = "no image!".into()), ["static_image"]);
        let all = wrong(|form| {
            form.parallel = "x".into();
            form.memory = "x".into();
        });
        assert_eq!(all, ["parallel", "memory"]);
    }

    #[test]
    fn cores_are_written_as_people_write_them() {
        for (hundredths, text) in [(150, "1.5"), (100, "1"), (25, "0.25"), (1_000, "10")] {
            assert_eq!(cores(hundredths), text);
            assert_eq!(super::hundredths(text), Ok(Some(hundredths)));
        }
    }

    #[test]
    fn rules_of_an_older_version_keep_what_they_say() {
        let rules: BuildRules = serde_json::from_str(r#"{"parallel":2}"#).expect("read");
        assert_eq!(rules, BuildRules { parallel: Some(2), ..BuildRules::default() });
    }
}
