//! Why git, BuildKit or a push failed, from what they wrote: a catalogue of known failures with cause and remedy.
//!
//! One table for each of those who write. An entry is known by pieces of text, all in lower case, that stand together in
//! one error; the first entry that fits is taken, so the narrow ones come first. Each table's tests hold the real texts,
//! and fail when an entry has none. To add one: put a line into the table, and the text it was seen in into the test.

mod build;
mod command;
mod git;
mod network;
mod pull;
mod push;
pub(super) mod telling;

use app::error::Problem;
use app::model::id::{RegistryId, ServiceId};
use app::paths;

pub(super) use build::of_build;
pub(super) use git::of_git;
pub(super) use push::is_push;

/// A failure that is known.
#[derive(Debug)]
struct Known {
    /// What stands in its text.
    says: &'static [&'static str],
    code: &'static str,
    /// `{}` is the image, host or file that it is about.
    cause: &'static str,
    remedy: &'static str,
}

/// A line of a table.
const fn known(says: &'static [&'static str], code: &'static str, cause: &'static str, remedy: &'static str) -> Known {
    Known { says, code, cause, remedy }
}

impl Known {
    fn fits(&self, lower: &str) -> bool {
        self.says.iter().all(|text| lower.contains(text))
    }

    fn problem(&self, about: &str) -> Problem {
        let put = |text: &str| text.replace("{}", about);
        Problem::new(self.code, put(self.cause), put(self.remedy))
    }
}

/// The first entry that fits the text.
fn find<'a>(table: &'a [Known], text: &str) -> Option<&'a Known> {
    let lower = text.to_lowercase();
    table.iter().find(|known| known.fits(&lower))
}

/// The error at the end of what buildx wrote: its last `ERROR` and what follows; all of it where there is none.
fn error_of(written: &str) -> &str {
    let mut at = 0;
    let mut found = None;
    for line in written.split_inclusive('\n') {
        if line.starts_with("ERROR") {
            found = Some(at);
        }
        at += line.len();
    }
    found.map_or(written, |at| &written[at..])
}

/// What stands between two texts.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

fn last_lines(written: &str, count: usize) -> String {
    let lines: Vec<_> = written.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// The same problem with the place where its remedy starts, if it has none yet.
pub(super) fn linked(problem: Problem, service: &ServiceId, registry: &RegistryId) -> Problem {
    if problem.link.is_some() {
        return problem;
    }
    let kind = problem.code.split('.').next().unwrap_or_default();
    match (kind, problem.code.as_str()) {
        ("push" | "cache", _) => problem.with_link(paths::registry(registry), "Open the registry"),
        ("git", _) | (_, "build.dockerfile_missing" | "build.platform" | "build.platform_name" | "build.arg") => {
            problem.with_link(paths::edit_service(service), "Edit the service")
        }
        ("base", "base.denied" | "base.rate_limit") => problem.with_link(paths::CREDENTIALS, "Open the credentials"),
        ("docker" | "disk" | "buildx", _) => problem.with_link(paths::SETTINGS, "See Settings"),
        _ => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each text is explained with its code, and each entry of the table has a text.
    pub(super) fn all_have_real_texts(tables: &[&[Known]], texts: &[(&str, &str)], explain: impl Fn(&str) -> Problem) {
        let mut codes = std::collections::BTreeSet::new();
        for (text, code) in texts {
            let problem = explain(text);
            assert_eq!(problem.code, *code, "{text}");
            assert!(problem.cause.ends_with('.') || problem.cause.contains(": "), "{}", problem.cause);
            assert!(problem.remedy.ends_with('.'), "{}", problem.remedy);
            assert!(!format!("{problem}").contains("{}"), "{problem}");
        }
        for table in tables {
            for known in *table {
                assert!(known.says.iter().all(|text| *text == text.to_lowercase()), "{known:?}");
                let seen =
                    texts.iter().any(|(text, _)| find(table, text).is_some_and(|found| found.says == known.says));
                assert!(seen, "no text for {known:?}");
                codes.insert(known.code);
            }
        }
        assert!(!codes.is_empty());
    }

    #[test]
    fn the_error_is_the_last_one_with_all_its_lines() {
        let text = "Dockerfile:1\n>>> FROM x\nERROR: first\nERROR: failed to solve: x: 429 Too Many Requests\ntoomanyrequests: wait\n";
        assert_eq!(error_of(text), "ERROR: failed to solve: x: 429 Too Many Requests\ntoomanyrequests: wait\n");
        assert_eq!(error_of("unknown flag: --push"), "unknown flag: --push");
    }

    #[test]
    fn links_lead_where_the_remedy_starts() {
        let service = ServiceId::from_random([1; 8]);
        let registry = RegistryId::from_random([2; 8]);
        let link = |code: &str| {
            linked(Problem::new(code, "c", "r"), &service, &registry).link.map(|link| link.href).unwrap_or_default()
        };
        assert_eq!(link("push.denied"), paths::registry(&registry));
        assert_eq!(link("git.denied"), paths::edit_service(&service));
        assert_eq!(link("base.denied"), paths::CREDENTIALS);
        assert_eq!(link("build.command"), "");
        let own = Problem::new("push.denied", "c", "r").with_link("/jobs", "Open");
        assert_eq!(linked(own, &service, &registry).link.map(|link| link.href), Some("/jobs".into()));
    }
}
