//! What each provider allows in a path, as a table; from the providers' documentation.

use super::{NameProblem, Wish, git_path};
use crate::model::image_ref::Repository;
use crate::model::provider::Provider;

/// A rule that a base path may break: its id, what is wrong, what to do.
type Rule = (&'static str, &'static str, &'static str);

/// What a part has to look like, and the rule that says so.
type Shape = (fn(&str) -> bool, Rule);

/// How one provider's paths look.
struct Rules {
    /// Parts that the base path has at least, and the rule that says so.
    least: Option<(usize, Rule)>,
    /// Whether '-' and '_' stand alone between letters and digits, and the rule that says so.
    single: Option<Rule>,
    /// What the parts with a meaning look like: from the left.
    shapes: &'static [Shape],
    /// Whether what follows the first part is joined by `-`: a path of two parts.
    joins: bool,
}

const NONE: Rules = Rules { least: None, single: None, shapes: &[], joins: false };

const DOCKER_HUB: Rules = Rules {
    least: Some((
        1,
        (
            "docker-hub.namespace",
            "Docker Hub needs a base path: your Docker ID or organisation.",
            "Set it on the registry or on the service.",
        ),
    )),
    single: Some((
        "docker-hub.separators",
        "Docker Hub takes single '.', '_' and '-' alone between letters and digits.",
        "Write the base path without two of them in a row.",
    )),
    shapes: &[(
        |namespace| namespace != "library",
        (
            "docker-hub.official",
            "The namespace library is for Docker's official images.",
            "Begin the base path with your Docker ID or organisation.",
        ),
    )],
    joins: true,
};

const GHCR: Rules = Rules {
    least: Some((
        1,
        (
            "ghcr.owner",
            "GitHub needs to know whose the image is: a user or an organisation.",
            "Set the owner as base path, on the registry or on the service. Repositories of github.com bring their own.",
        ),
    )),
    shapes: &[(
        |owner| owner.len() <= 39 && !owner.contains('.'),
        (
            "ghcr.owner-name",
            "The first part of the base path can't be a GitHub user or organisation: those have up to 39 letters, digits \
             and '-'.",
            "Begin the base path with the owner.",
        ),
    )],
    ..NONE
};

const GITLAB: Rules = Rules {
    least: Some((
        2,
        (
            "gitlab.project",
            "GitLab keeps images in projects; a group alone holds none.",
            "Set the project's full path (group/project) as base path. Repositories of the same GitLab bring their own.",
        ),
    )),
    ..NONE
};

const GOOGLE_ARTIFACT: Rules = Rules {
    least: Some((
        2,
        (
            "google-artifact.repository",
            "Google Artifact Registry takes at least three parts: project/repository/image.",
            "Set project/repository as base path, on the registry or on the service.",
        ),
    )),
    shapes: &[
        (
            is_google_project,
            (
                "google-artifact.project",
                "The first part of the base path can't be the id of a Google Cloud project: those have 6 to 30 lower-case \
                 letters, digits and '-', and begin with a letter.",
                "Begin the base path with the project's id, not its name or number.",
            ),
        ),
        (
            is_google_repository,
            (
                "google-artifact.repository-name",
                "The second part of the base path can't be a repository of Artifact Registry: those have up to 63 lower-case \
                 letters, digits and '-', and begin with a letter.",
                "Write project/repository, as the repository's page shows it.",
            ),
        ),
    ],
    ..NONE
};

const ECR: Rules = Rules {
    single: Some((
        "ecr.separators",
        "AWS ECR takes single '.', '_' and '-' alone between letters and digits.",
        "Write the base path without two of them in a row.",
    )),
    ..NONE
};

const HARBOR: Rules = Rules {
    least: Some((
        1,
        (
            "harbor.project",
            "Harbor keeps images in projects, and pushing doesn't create one.",
            "Set an existing project as base path, on the registry or on the service.",
        ),
    )),
    shapes: &[(
        is_single,
        (
            "harbor.project-name",
            "The first part of the base path can't be a Harbor project: its name has single '.', '_' and '-' alone between \
             letters and digits.",
            "Begin the base path with an existing project.",
        ),
    )],
    ..NONE
};

const QUAY: Rules = Rules {
    least: Some((
        1,
        (
            "quay.namespace",
            "Quay needs to know whose the image is: a user or an organisation.",
            "Set the organisation or user as base path, on the registry or on the service.",
        ),
    )),
    shapes: &[(
        |namespace| namespace.len() >= 2 && is_single(namespace),
        (
            "quay.namespace-name",
            "The first part of the base path can't be a Quay user or organisation: those have at least 2 characters, with \
             single '.', '_' and '-' alone between letters and digits.",
            "Begin the base path with the organisation or user.",
        ),
    )],
    ..NONE
};

const GITEA: Rules = Rules {
    least: Some((
        1,
        (
            "gitea.owner",
            "The forge needs to know whose the image is: a user or an organisation.",
            "Set the owner as base path, on the registry or on the service. Repositories of the same forge bring their own.",
        ),
    )),
    shapes: &[(
        |owner| owner.len() <= 40,
        (
            "gitea.owner-name",
            "The first part of the base path can't be a user or organisation of the forge: those have up to 40 characters.",
            "Begin the base path with the owner.",
        ),
    )],
    ..NONE
};

const DIGITAL_OCEAN: Rules = Rules {
    least: Some((
        1,
        (
            "digital-ocean.registry",
            "At DigitalOcean the path begins with the registry's own name.",
            "Set that name as base path; the control panel shows it.",
        ),
    )),
    shapes: &[(
        |name| name.len() <= 63 && !name.contains(['.', '_']),
        (
            "digital-ocean.registry-name",
            "The first part of the base path can't be a registry of DigitalOcean: its name has up to 63 letters, digits and \
             '-'.",
            "Begin the base path with the registry's name.",
        ),
    )],
    ..NONE
};

fn of(provider: Provider) -> &'static Rules {
    match provider {
        Provider::DockerHub => &DOCKER_HUB,
        Provider::Ghcr => &GHCR,
        Provider::Gitlab => &GITLAB,
        Provider::GoogleArtifact => &GOOGLE_ARTIFACT,
        Provider::Ecr => &ECR,
        Provider::Harbor => &HARBOR,
        Provider::Quay => &QUAY,
        Provider::Gitea => &GITEA,
        Provider::DigitalOcean => &DIGITAL_OCEAN,
        Provider::Acr | Provider::Generic => &NONE,
    }
}

/// No two separators in a row.
fn is_single(part: &str) -> bool {
    !part.contains("__") && !part.contains("--")
}

fn is_google_project(id: &str) -> bool {
    (6..=30).contains(&id.len()) && id.starts_with(|c: char| c.is_ascii_lowercase()) && !id.contains(['.', '_'])
}

/// `gcr.io` and its regions are the names of those that came from Container Registry.
fn is_google_repository(name: &str) -> bool {
    name == "gcr.io"
        || name.ends_with(".gcr.io")
        || (name.len() <= 63 && name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.contains(['.', '_']))
}

fn broken((id, cause, remedy): Rule) -> NameProblem {
    NameProblem::new(id, cause, remedy)
}

/// The whole path below a base path whose grammar is right.
pub(super) fn path(provider: Provider, base: &[&str], wish: &Wish<'_>) -> Result<String, NameProblem> {
    let rules = of(provider);
    // A project of a domain has two parts, the domain and its own name.
    let skipped = usize::from(provider == Provider::GoogleArtifact && base.first().is_some_and(|id| id.contains('.')));
    let parts = &base[skipped..];
    if let Some((least, rule)) = rules.least
        && parts.len() < least
    {
        return Err(broken(rule));
    }
    if let Some(rule) = rules.single
        && !base.iter().all(|part| is_single(part))
    {
        return Err(broken(rule));
    }
    for ((fits, rule), part) in rules.shapes.iter().zip(parts) {
        if !fits(part) {
            return Err(broken(*rule));
        }
    }
    let parts: Vec<&str> = base.iter().copied().chain([wish.project, wish.service]).collect();
    match provider {
        Provider::Gitlab => depth(&parts, wish)?,
        Provider::Ecr if !parts[0].starts_with(|c: char| c.is_ascii_lowercase()) => {
            return Err(NameProblem::new(
                "ecr.first-letter",
                format!("Repositories of AWS ECR begin with a letter, and “{}” doesn't.", parts[0]),
                "Set a base path that begins with a letter.",
            ));
        }
        _ => {}
    }
    Ok(match parts.split_first() {
        Some((namespace, rest)) if rules.joins => format!("{namespace}/{}", rest.join("-")),
        _ => parts.join("/"),
    })
}

/// GitLab allows two parts below a project. Which part of a path is the project is known for what is built there alone.
fn depth(parts: &[&str], wish: &Wish<'_>) -> Result<(), NameProblem> {
    let project = wish.repository.and_then(|url| git_path::at_registry(Provider::Gitlab, wish.host, url));
    let Some(project) = project else { return Ok(()) };
    let is_below = format!("{}/", parts.join("/")).starts_with(&format!("{project}/"));
    if is_below && parts.len() > project.split('/').count() + 2 {
        return Err(NameProblem::new(
            "gitlab.depth",
            format!(
                "GitLab takes at most two parts below the project {project}, and these are the project's and the service's here."
            ),
            format!("Set {project} as base path, or none."),
        ));
    }
    Ok(())
}

/// What has to be there before a push works, as far as the name tells; a rule that only the registry can see.
pub fn requirement(provider: Provider, repository: &Repository) -> Option<String> {
    let parts: Vec<&str> = repository.as_str().split('/').collect();
    let first = parts[0];
    match provider {
        Provider::Ecr => Some(format!(
            "AWS ECR takes pushes to repositories that exist: create {repository} first, or a creation template with CREATE_ON_PUSH."
        )),
        Provider::GoogleArtifact => {
            let named = if first.contains('.') { 3 } else { 2 };
            Some(format!(
                "The repository {} has to exist in Artifact Registry.",
                parts[..parts.len().min(named)].join("/")
            ))
        }
        Provider::Gitlab => {
            let project = &parts[..parts.len().saturating_sub(2).max(1)];
            Some(format!("The project {} has to exist at GitLab, with its container registry on.", project.join("/")))
        }
        Provider::Harbor => Some(format!("The project {first} has to exist at Harbor.")),
        Provider::Quay => {
            Some(format!("The organisation or user {first} has to exist at Quay; new repositories are private."))
        }
        Provider::Gitea => Some(format!("The user or organisation {first} has to exist there.")),
        Provider::DigitalOcean => Some(format!("{first} has to be your registry's name at DigitalOcean.")),
        Provider::Ghcr => {
            Some(format!("{first} has to be the token's user, or an organisation where it may create packages."))
        }
        Provider::DockerHub => Some(format!(
            "{first} has to be your Docker ID or organisation; a new repository gets its default visibility."
        )),
        Provider::Acr | Provider::Generic => None,
    }
}
