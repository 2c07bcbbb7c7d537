//! What is different between two versions of a service.

use super::service::{Deployment, HealthCheck, Settings};
use super::service_settings::{cores_text, memory_text};
use std::fmt::Display;

/// One thing that is different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What: `Image`, `Command`, `Variable TZ`, …
    pub what: String,
    /// As it was; none: it wasn't there. Never a value that may be secret.
    pub before: Option<String>,
    /// As it is; none: it is gone.
    pub after: Option<String>,
}

/// What is different from `before` to `after`, in the order of the form. That a variable has another value is found where both
/// come with values; the values themselves are never told.
pub fn changes(before: &Deployment, after: &Deployment) -> Vec<Change> {
    let mut found = Vec::new();
    one(&mut found, "Image", Some(before.image.to_string()), Some(after.image.to_string()));
    found.extend(of_settings(&before.settings, &after.settings));
    found
}

/// What is different between two sets of settings, in the order of the form.
pub fn of_settings(before: &Settings, after: &Settings) -> Vec<Change> {
    let mut found = Vec::new();
    let all = &mut found;
    hidden(all, "Variable", &before.env, &after.env);
    let files = |settings: &Settings| {
        settings.secrets.iter().map(|file| (file.name.clone(), file.mark.clone())).collect::<Vec<_>>()
    };
    hidden(all, "Secret", &files(before), &files(after));
    list(all, "Port", &before.ports, &after.ports);
    one(all, "Replicas", Some(before.replicas.to_string()), Some(after.replicas.to_string()));
    let health = |settings: &Settings| settings.health.as_ref().map(check);
    one(all, "Health check", health(before), health(after));
    one(all, "Command", words(&before.command), words(&after.command));
    one(all, "Arguments", words(&before.args), words(&after.args));
    let (was, is) = (&before.resources, &after.resources);
    one(all, "Memory at most", was.memory.map(memory_text), is.memory.map(memory_text));
    one(all, "Cores at most", was.millicpus.map(cores_text), is.millicpus.map(cores_text));
    one(all, "Memory reserved", was.memory_reserved.map(memory_text), is.memory_reserved.map(memory_text));
    one(all, "Cores reserved", was.millicpus_reserved.map(cores_text), is.millicpus_reserved.map(cores_text));
    list(all, "Placement", &before.constraints, &after.constraints);
    list(all, "Mount", &before.mounts, &after.mounts);
    list(all, "Network", &before.networks, &after.networks);
    found
}

fn one(found: &mut Vec<Change>, what: &str, before: Option<String>, after: Option<String>) {
    if before != after {
        found.push(Change { what: what.to_owned(), before, after });
    }
}

/// What is gone comes before what is new.
fn list<T: Display + PartialEq>(found: &mut Vec<Change>, what: &str, before: &[T], after: &[T]) {
    for gone in before.iter().filter(|item| !after.contains(item)) {
        one(found, what, Some(gone.to_string()), None);
    }
    for new in after.iter().filter(|item| !before.contains(item)) {
        one(found, what, None, Some(new.to_string()));
    }
}

/// By name; values are compared and never told.
fn hidden(found: &mut Vec<Change>, what: &str, before: &[(String, String)], after: &[(String, String)]) {
    let get = |all: &[(String, String)], name: &str| {
        all.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
    };
    let named = |name: &str| format!("{what} {name}");
    for (name, _) in before.iter().filter(|(name, _)| get(after, name).is_none()) {
        one(found, &named(name), Some("set".into()), None);
    }
    for (name, value) in after {
        match get(before, name) {
            None => one(found, &named(name), None, Some("set".into())),
            Some(was) if was != *value => {
                one(found, &named(name), Some("another value".into()), Some("changed".into()));
            }
            Some(_) => {}
        }
    }
}

fn words(words: &[String]) -> Option<String> {
    (!words.is_empty()).then(|| super::service_form::command_line(words))
}

fn check(check: &HealthCheck) -> String {
    format!(
        "{} (every {} s, at most {} s, unhealthy after {}, start {} s)",
        super::service_form::command_line(&check.command),
        check.interval,
        check.timeout,
        check.retries,
        check.start_period
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::service::{Mount, Port, Resources, SecretFile};

    fn told(before: &Settings, after: &Settings) -> Vec<String> {
        let text = |value: Option<String>| value.unwrap_or_else(|| "-".into());
        of_settings(before, after)
            .into_iter()
            .map(|change| format!("{}: {} -> {}", change.what, text(change.before), text(change.after)))
            .collect()
    }

    #[test]
    fn all_settings_are_compared_in_the_order_of_the_form_and_no_value_is_told() {
        let env = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let file = |name: &str, mark: &str| SecretFile { name: name.into(), mark: mark.into() };
        let port = |published| Port { published, target: 80, udp: false };
        let mount = |read_only| Mount { source: "data".into(), target: "/data".into(), read_only };
        let before = Settings {
            env: env(&[("OLD", "hunter1"), ("TZ", "hunter2"), ("SAME", "x")]),
            secrets: vec![file("key", "mark1"), file("same", "mark2")],
            ports: vec![port(80), port(81)],
            replicas: 1,
            mounts: vec![mount(false)],
            networks: vec!["a".into()],
            ..Settings::default()
        };
        let after = Settings {
            env: env(&[("TZ", "hunter3"), ("SAME", "x"), ("NEW", "hunter4")]),
            secrets: vec![file("key", "mark3"), file("same", "mark2")],
            ports: vec![port(81), port(82)],
            replicas: 3,
            health: Some(HealthCheck {
                command: vec!["a b".into()],
                interval: 1,
                retries: 2,
                start_period: 3,
                timeout: 4,
            }),
            command: vec!["/app".into()],
            args: vec!["-v".into()],
            resources: Resources {
                memory: Some(64 << 20),
                millicpus: Some(500),
                memory_reserved: Some(32 << 20),
                millicpus_reserved: Some(250),
            },
            constraints: vec!["node.role==worker".into()],
            mounts: vec![mount(true)],
            networks: vec!["b".into()],
        };
        assert_eq!(
            told(&before, &after),
            [
                "Variable OLD: set -> -",
                "Variable TZ: another value -> changed",
                "Variable NEW: - -> set",
                "Secret key: another value -> changed",
                "Port: 80:80 -> -",
                "Port: - -> 82:80",
                "Replicas: 1 -> 3",
                "Health check: - -> 'a b' (every 1 s, at most 4 s, unhealthy after 2, start 3 s)",
                "Command: - -> /app",
                "Arguments: - -> -v",
                "Memory at most: - -> 64 MB",
                "Cores at most: - -> 0.5",
                "Memory reserved: - -> 32 MB",
                "Cores reserved: - -> 0.25",
                "Placement: - -> node.role==worker",
                "Mount: data:/data -> -",
                "Mount: - -> data:/data:ro",
                "Network: a -> -",
                "Network: - -> b",
            ]
        );
        assert_eq!(told(&after, &after), Vec::<String>::new());
        // Every field of the settings is told: a new one has to be added here and above.
        let all = told(&Settings::default(), &after).len();
        let Settings { env, ports, secrets, constraints, mounts, networks, .. } = &after;
        let lists = env.len() + ports.len() + secrets.len() + constraints.len() + mounts.len() + networks.len();
        assert_eq!(all, lists + 8);
    }
}
