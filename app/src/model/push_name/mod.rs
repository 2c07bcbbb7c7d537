//! The name a push will have, by the rules of the registry's provider: `<host>/<base path>/<project>/<service>:<commit>`.
//!
//! Pure. The build, the preview in the form and the check before a build call the same function. What a rule forbids is
//! said before anything is built: providers say it at the end of a build, and most say no more than "denied".

mod git_path;
mod rules;
mod typed;

pub use rules::requirement;
pub use typed::{Named, Typed};

use super::id::ServiceId;
use super::image_ref::{ImageRef, RegistryHost, Repository, Tag};
use super::provider::Provider;
use super::source::GitUrl;
use crate::error::Problem;
use serde::{Deserialize, Serialize};

/// The longest path that registries and clients take.
const LONGEST: usize = 255;

/// All that decides a name.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// Whose rules the registry follows.
    pub provider: Provider,
    /// Where the registry is.
    pub host: &'a RegistryHost,
    /// The registry's base path; may be empty.
    pub base: &'a str,
    /// The service's own, which replaces it; may be empty.
    pub own: &'a str,
    /// What is built. Its path is the base path where its host belongs to the registry and nothing else is said.
    pub repository: Option<&'a GitUrl>,
    /// The project's name in paths.
    pub project: &'a str,
    /// The service's, with its id: see [`service_part`].
    pub service: &'a str,
    /// The commit, or another tag.
    pub tag: &'a str,
}

/// Which rule forbids a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameProblem {
    /// Short and stable: `ghcr.owner-case`.
    pub rule: String,
    /// What is wrong.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
}

impl NameProblem {
    pub(super) fn new(rule: &str, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { rule: rule.to_owned(), cause: cause.into(), remedy: remedy.into() }
    }

    /// As every other failure is told.
    pub fn problem(&self) -> Problem {
        Problem::new(&format!("name.{}", self.rule), self.cause.as_str(), self.remedy.as_str())
    }
}

/// The part of the path that names a service: its slug and its id without prefix, so that a rename never collides.
pub fn service_part(slug: &str, id: &ServiceId) -> String {
    format!("{slug}-{}", id.short())
}

/// Where the base path comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Service,
    Registry,
    Repository,
    Nowhere,
}

/// The reference of a push, without digest; or which rule forbids it.
pub fn push_name(wish: &Wish<'_>) -> Result<ImageRef, NameProblem> {
    let provider = match wish.provider {
        // Docker Hub stays Docker Hub, whatever it was taken for.
        Provider::Generic => Provider::of_host(wish.host),
        other => other,
    };
    // Gitea's tags know no case; the others' commits have none.
    let tag = if provider == Provider::Gitea { wish.tag.to_lowercase() } else { wish.tag.to_owned() };
    let tag: Tag = tag
        .parse()
        .map_err(|malformed: super::image_ref::Malformed| NameProblem::new("tag", malformed.0, "Use another tag."))?;
    let (base, origin) = base(provider, wish);
    let parts: Vec<&str> = if base.is_empty() { Vec::new() } else { base.split('/').collect() };
    grammar(provider, wish.host, &base, &parts, origin)?;
    let path = rules::path(provider, &parts, wish)?;
    if path.len() > LONGEST {
        return Err(NameProblem::new(
            "path.length",
            format!("The image's path has {} characters; {LONGEST} is the most.", path.len()),
            "Use a shorter base path.",
        ));
    }
    let repository: Repository = path.parse().map_err(|malformed: super::image_ref::Malformed| {
        NameProblem::new("path.characters", malformed.0, "Rename the project or the service.")
    })?;
    Ok(ImageRef { host: wish.host.clone(), repository, tag: Some(tag), digest: None })
}

/// The service's own base path, else the registry's, else the path of what is built where that belongs to the registry.
fn base(provider: Provider, wish: &Wish<'_>) -> (String, Origin) {
    let given = |text: &str| text.trim().trim_matches('/').to_owned();
    match (given(wish.own), given(wish.base)) {
        (own, _) if !own.is_empty() => (own, Origin::Service),
        (_, base) if !base.is_empty() => (base, Origin::Registry),
        _ => match wish.repository.and_then(|url| git_path::at_registry(provider, wish.host, url)) {
            Some(path) => (path, Origin::Repository),
            None => (String::new(), Origin::Nowhere),
        },
    }
}

/// What holds for the base path everywhere: no host in it, lower case, parts of words with separators between.
fn grammar(
    provider: Provider,
    host: &RegistryHost,
    base: &str,
    parts: &[&str],
    origin: Origin,
) -> Result<(), NameProblem> {
    let Some(first) = parts.first() else { return Ok(()) };
    let bare = git_path::without_port(host.as_str());
    if first.eq_ignore_ascii_case(host.as_str()) || (bare.contains('.') && first.eq_ignore_ascii_case(bare)) {
        return Err(NameProblem::new(
            "path.host",
            format!("The base path begins with the registry's own host, {first}."),
            "Leave the host out of the base path: it comes in front by itself.",
        ));
    }
    if base.bytes().any(|byte| byte.is_ascii_uppercase()) {
        let lower = base.to_ascii_lowercase();
        if provider == Provider::Ghcr && first.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(NameProblem::new(
                "ghcr.owner-case",
                format!(
                    "GitHub's owner {first} is written in lower case in images' names, whatever the account is called."
                ),
                format!("Write the base path as {lower}."),
            ));
        }
        return Err(NameProblem::new(
            "path.case",
            "Images' names are lower case.",
            format!("Write the base path as {lower}."),
        ));
    }
    // One part after the other, so that the one that is wrong can be named.
    let Some(wrong) = parts.iter().find(|part| part.parse::<Repository>().is_err()) else { return Ok(()) };
    if origin == Origin::Repository {
        return Err(NameProblem::new(
            "path.repository",
            format!("The git repository's path {base} can't stand in an image's name, because of “{wrong}”."),
            "Set a base path on the service.",
        ));
    }
    let cause = if wrong.is_empty() {
        "The base path has two slashes in a row.".to_owned()
    } else if wrong.len() > LONGEST {
        format!("A part of the base path has more than {LONGEST} characters.")
    } else {
        format!("“{wrong}” can't be a part of an image's name.")
    };
    Err(NameProblem::new(
        "path.characters",
        cause,
        "Each part has lower-case letters and digits, separated by one '.', one or two '_', or '-'.",
    ))
}

#[cfg(test)]
mod table;
