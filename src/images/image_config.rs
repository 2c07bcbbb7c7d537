//! The configuration of an image, as far as people see it. Values of the environment stay out: they may be secret, also where
//! the history repeats them.

use super::document::{PAIRS, Unusable, clean, or_default, pairs};
use app::model::image::ImageConfig;
use app::model::platform::Platform;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Characters of a command, a path and the like that are kept.
const TEXT: usize = 500;
/// Most steps of the history that are kept.
const STEPS: usize = 300;
/// What is older is no date: reproducible builds say 1970, some tools the year 1.
const EARLIEST: i64 = 86_400 * 365;

#[derive(Deserialize)]
struct Raw {
    #[serde(default, deserialize_with = "or_default")]
    created: String,
    #[serde(default, deserialize_with = "or_default")]
    os: String,
    #[serde(default, deserialize_with = "or_default")]
    architecture: String,
    #[serde(default)]
    variant: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    config: RawConfig,
    #[serde(default, deserialize_with = "or_default")]
    history: Vec<Step>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RawConfig {
    #[serde(deserialize_with = "or_default")]
    entrypoint: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    cmd: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    env: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    exposed_ports: Keys,
    #[serde(deserialize_with = "or_default")]
    volumes: Keys,
    #[serde(deserialize_with = "or_default")]
    user: String,
    #[serde(deserialize_with = "or_default")]
    working_dir: String,
    #[serde(deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
struct Keys(BTreeMap<String, IgnoredAny>);

#[derive(Deserialize)]
struct Step {
    #[serde(default, deserialize_with = "or_default")]
    created_by: String,
    #[serde(default, deserialize_with = "or_default")]
    empty_layer: bool,
}

/// The platform and the configuration.
pub(crate) fn parse(bytes: &[u8]) -> Result<(Option<Platform>, ImageConfig), Unusable> {
    let raw: Raw = serde_json::from_slice(bytes).map_err(|_| Unusable("has a configuration that can't be read"))?;
    let platform = Platform::of(&raw.os, &raw.architecture, raw.variant.as_deref()).ok();
    let config = raw.config;
    let texts = |texts: Vec<String>| texts.iter().take(PAIRS).map(|text| clean(text, TEXT)).collect();
    let keys = |keys: Keys| texts(keys.0.into_keys().collect());
    let env_name = |entry: &String| clean(entry.split('=').next().unwrap_or_default(), TEXT);
    let created = OffsetDateTime::parse(&raw.created, &Rfc3339).ok().map(OffsetDateTime::unix_timestamp);
    let config = ImageConfig {
        created: created.filter(|at| *at > EARLIEST),
        entrypoint: texts(config.entrypoint),
        cmd: texts(config.cmd),
        env_names: config.env.iter().take(PAIRS).map(env_name).filter(|name| !name.is_empty()).collect(),
        ports: keys(config.exposed_ports),
        volumes: keys(config.volumes),
        user: clean(&config.user, TEXT),
        working_dir: clean(&config.working_dir, TEXT),
        labels: pairs(config.labels),
        history: raw.history.iter().take(STEPS).map(|step| (command(&step.created_by), step.empty_layer)).collect(),
    };
    Ok((platform, config))
}

/// A step as it stands in a Dockerfile, without the values of variables.
fn command(text: &str) -> String {
    let text = text.trim();
    let text = text.strip_prefix("/bin/sh -c #(nop)").map_or(text, str::trim_start);
    let text = text.strip_suffix("# buildkit").unwrap_or(text).trim_end();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let hidden = match word {
        "ENV" | "ARG" => rest.trim_start().split_once('=').map(|(name, _)| format!("{word} {name}=…")),
        // `RUN |2 A=b C=d /bin/sh -c make`: build arguments with their values.
        "RUN" if rest.starts_with('|') => Some(format!("RUN {}", without_arguments(rest))),
        _ if word.starts_with('|') => Some(without_arguments(text)),
        _ => None,
    };
    clean(hidden.as_deref().unwrap_or(text), TEXT)
}

fn without_arguments(text: &str) -> String {
    match text.find("/bin/sh -c ") {
        Some(at) => text[at..].to_owned(),
        None => "… (build arguments aren't shown)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_read_without_values() {
        let text = r##"{
            "created": "2026-08-01T10:00:00.123Z", "os": "linux", "architecture": "arm", "variant": "v7",
            "config": {
                "Env": ["PATH=/bin", "TOKEN=geheim=1", "=x", "BARE"], "Entrypoint": ["/web"], "Cmd": null,
                "ExposedPorts": {"80/tcp": {}}, "Volumes": {"/data": {}}, "User": "1000", "WorkingDir": "/srv",
                "Labels": {"a": "b\u0000c"}
            },
            "history": [
                {"created_by": "/bin/sh -c #(nop)  ENV TOKEN=geheim", "empty_layer": true},
                {"created_by": "ARG TOKEN=geheim more", "empty_layer": true},
                {"created_by": "RUN |1 TOKEN=geheim /bin/sh -c make # buildkit"},
                {"created_by": "|1 TOKEN=geheim /bin/sh -c make"},
                {"created_by": "RUN |1 TOKEN=geheim ash"},
                {"created_by": "COPY web / # buildkit"}
            ]
        }"##;
        let (platform, config) = parse(text.as_bytes()).expect("read");
        assert_eq!(platform.map(String::from).as_deref(), Some("linux/arm/v7"));
        assert_eq!(config.created, Some(1_785_578_400));
        assert_eq!(config.env_names, ["PATH", "TOKEN", "BARE"]);
        assert_eq!((config.ports, config.volumes), (vec!["80/tcp".to_owned()], vec!["/data".to_owned()]));
        assert_eq!(config.labels, [("a".to_owned(), "b c".to_owned())]);
        let steps: Vec<&str> = config.history.iter().map(|(command, _)| command.as_str()).collect();
        assert_eq!(steps[0], "ENV TOKEN=…");
        assert_eq!(steps[1], "ARG TOKEN=…");
        assert_eq!(steps[2], "RUN /bin/sh -c make");
        assert_eq!(steps[5], "COPY web /");
        assert!(!format!("{:?}", config.history).contains("geheim"));
    }

    #[test]
    fn dates_that_are_none_are_left_out_and_nulls_are_allowed() {
        for created in [r#""1970-01-01T00:00:00Z""#, r#""0001-01-01T00:00:00Z""#, "null", r#""yesterday""#] {
            let text = format!(r#"{{"created":{created},"config":null,"history":null}}"#);
            let (platform, config) = parse(text.as_bytes()).unwrap_or_else(|error| panic!("{created}: {error:?}"));
            assert_eq!((platform, config), (None, ImageConfig::default()));
        }
        assert!(parse(b"[1]").is_err());
    }
}
