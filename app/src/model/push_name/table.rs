//! Names over all providers: what they become, or the rule that forbids them.

use super::{Wish, push_name, requirement};
use crate::model::provider::Provider;
use Provider::*;

/// Provider, host, the registry's base path, the service's, the git repository; then the path or the rule.
type Case = (Provider, &'static str, &'static str, &'static str, &'static str, Result<&'static str, &'static str>);

const HUB: &str = "docker.io";
const GITLAB: &str = "registry.gitlab.com";
const GAR: &str = "europe-west3-docker.pkg.dev";
const AWS: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
const OCEAN: &str = "registry.digitalocean.com";

const CASES: &[Case] = &[
    // Any registry of the specification, and Azure's: any depth, grammar alone.
    (Generic, "127.0.0.1:5600", "", "", "", Ok("shop/web-3f9k2")),
    (Generic, "registry.example.com", "team", "", "", Ok("team/shop/web-3f9k2")),
    (Generic, "registry.example.com", "/team/apps/", "", "", Ok("team/apps/shop/web-3f9k2")),
    (Generic, "registry.example.com", "team", "other/place", "", Ok("other/place/shop/web-3f9k2")),
    (Generic, "registry.example.com", "a.b/c__d/e---f", "", "", Ok("a.b/c__d/e---f/shop/web-3f9k2")),
    (Generic, "git.example.com", "", "", "https://git.example.com/jo/web", Ok("shop/web-3f9k2")),
    (Generic, "registry.example.com", "Team", "", "", Err("path.case")),
    (Generic, "registry.example.com", "team", "a//b", "", Err("path.characters")),
    (Generic, "registry.example.com", "team", "a b", "", Err("path.characters")),
    (Generic, "registry.example.com", "team", "-a", "", Err("path.characters")),
    (Generic, "registry.example.com", "team", "a..b", "", Err("path.characters")),
    (Generic, "registry.example.com", "team", "a___b", "", Err("path.characters")),
    (Generic, "registry.example.com", "team", "../x", "", Err("path.characters")),
    (Generic, "registry.example.com", "team", "täglich", "", Err("path.characters")),
    (Generic, "registry.example.com", "registry.example.com/team", "", "", Err("path.host")),
    (Generic, "registry.example.com:5000", "registry.example.com/team", "", "", Err("path.host")),
    (Generic, "127.0.0.1:5600", "127.0.0.1:5600/team", "", "", Err("path.host")),
    (Acr, "shop.azurecr.io", "", "", "", Ok("shop/web-3f9k2")),
    (Acr, "shop.azurecr.io", "team/apps", "", "", Ok("team/apps/shop/web-3f9k2")),
    (Acr, "shop.azurecr.io", "Team", "", "", Err("path.case")),
    (Acr, "shop.azurecr.io", "shop.azurecr.io/team", "", "", Err("path.host")),
    // Docker Hub: two parts, whoever it was taken for.
    (DockerHub, HUB, "acme", "", "", Ok("acme/shop-web-3f9k2")),
    (DockerHub, HUB, "acme/x", "", "", Ok("acme/x-shop-web-3f9k2")),
    (DockerHub, HUB, "acme", "team/a/b", "", Ok("team/a-b-shop-web-3f9k2")),
    (Generic, HUB, "acme/x", "", "", Ok("acme/x-shop-web-3f9k2")),
    (DockerHub, "127.0.0.1:5600", "acme/x", "", "", Ok("acme/x-shop-web-3f9k2")),
    (DockerHub, HUB, "", "", "", Err("docker-hub.namespace")),
    (DockerHub, HUB, "", "", "https://github.com/acme/shop", Err("docker-hub.namespace")),
    (DockerHub, HUB, "acme/a__b", "", "", Err("docker-hub.separators")),
    (DockerHub, HUB, "acme--x", "", "", Err("docker-hub.separators")),
    (DockerHub, HUB, "library", "", "", Err("docker-hub.official")),
    (DockerHub, HUB, "Acme", "", "", Err("path.case")),
    (DockerHub, HUB, "docker.io/acme", "", "", Err("path.host")),
    // GitHub: the owner first, lower case.
    (Ghcr, "ghcr.io", "acme", "", "", Ok("acme/shop/web-3f9k2")),
    (Ghcr, "ghcr.io", "acme/containers/x", "", "", Ok("acme/containers/x/shop/web-3f9k2")),
    (Ghcr, "ghcr.io", "", "", "git@github.com:Acme/Shop.git", Ok("acme/shop/shop/web-3f9k2")),
    (Ghcr, "ghcr.io", "acme", "", "https://github.com/other/shop", Ok("acme/shop/web-3f9k2")),
    (Ghcr, "ghcr.io", "", "jo", "https://github.com/other/shop", Ok("jo/shop/web-3f9k2")),
    (Ghcr, "ghcr.io", "", "", "https://gitlab.com/acme/shop", Err("ghcr.owner")),
    (Ghcr, "ghcr.io", "", "", "", Err("ghcr.owner")),
    (Ghcr, "ghcr.io", "Acme", "", "", Err("ghcr.owner-case")),
    (Ghcr, "ghcr.io", "acme/Web", "", "", Err("path.case")),
    (Ghcr, "ghcr.io", "github.com/acme", "", "", Err("ghcr.owner-name")),
    (Ghcr, "ghcr.io", "a-name-that-is-longer-than-any-github-login", "", "", Err("ghcr.owner-name")),
    (Ghcr, "ghcr.io", "ghcr.io/acme", "", "", Err("path.host")),
    (Ghcr, "ghcr.io", "", "", "https://github.com/acme/.github", Err("path.repository")),
    // GitLab: a project, and two parts below it.
    (Gitlab, GITLAB, "acme/shop", "", "", Ok("acme/shop/shop/web-3f9k2")),
    (Gitlab, GITLAB, "acme/team/sub/shop", "", "", Ok("acme/team/sub/shop/shop/web-3f9k2")),
    (Gitlab, GITLAB, "", "", "https://gitlab.com/Acme/Team/Shop.git", Ok("acme/team/shop/shop/web-3f9k2")),
    (
        Gitlab,
        "git.example.com:5050",
        "",
        "",
        "ssh://git@git.example.com:2222/acme/shop",
        Ok("acme/shop/shop/web-3f9k2"),
    ),
    (Gitlab, GITLAB, "acme/shop", "", "https://gitlab.com/acme/shop", Ok("acme/shop/shop/web-3f9k2")),
    (Gitlab, GITLAB, "acme/shop-images", "", "https://gitlab.com/acme/shop", Ok("acme/shop-images/shop/web-3f9k2")),
    (Gitlab, GITLAB, "acme/shop/x", "", "https://gitlab.com/acme/shop", Err("gitlab.depth")),
    (Gitlab, GITLAB, "", "acme/shop/x/y", "git@gitlab.com:acme/shop.git", Err("gitlab.depth")),
    (Gitlab, GITLAB, "", "", "", Err("gitlab.project")),
    (Gitlab, GITLAB, "acme", "", "", Err("gitlab.project")),
    (Gitlab, GITLAB, "", "", "https://github.com/acme/shop", Err("gitlab.project")),
    (Gitlab, GITLAB, "Acme/Shop", "", "", Err("path.case")),
    (Gitlab, GITLAB, "registry.gitlab.com/acme/shop", "", "", Err("path.host")),
    // Google: project and repository first; both exist.
    (GoogleArtifact, GAR, "my-project/apps", "", "", Ok("my-project/apps/shop/web-3f9k2")),
    (GoogleArtifact, GAR, "my-project/apps/team", "", "", Ok("my-project/apps/team/shop/web-3f9k2")),
    (GoogleArtifact, GAR, "example.com/project/apps", "", "", Ok("example.com/project/apps/shop/web-3f9k2")),
    (GoogleArtifact, GAR, "example.com/project", "", "", Err("google-artifact.repository")),
    (GoogleArtifact, GAR, "my-project/eu.gcr.io", "", "", Ok("my-project/eu.gcr.io/shop/web-3f9k2")),
    (GoogleArtifact, GAR, "", "", "", Err("google-artifact.repository")),
    (GoogleArtifact, GAR, "my-project", "", "", Err("google-artifact.repository")),
    (GoogleArtifact, GAR, "short/apps", "", "", Err("google-artifact.project")),
    (GoogleArtifact, GAR, "123456789/apps", "", "", Err("google-artifact.project")),
    (GoogleArtifact, GAR, "my-project/my_apps", "", "", Err("google-artifact.repository-name")),
    (GoogleArtifact, GAR, "my-project/1apps", "", "", Err("google-artifact.repository-name")),
    // Amazon: any depth, from a letter on; it exists.
    (Ecr, AWS, "", "", "", Ok("shop/web-3f9k2")),
    (Ecr, AWS, "apps/team", "", "", Ok("apps/team/shop/web-3f9k2")),
    (Ecr, AWS, "7apps", "", "", Err("ecr.first-letter")),
    (Ecr, AWS, "apps__x", "", "", Err("ecr.separators")),
    (Ecr, AWS, "apps--x", "", "", Err("ecr.separators")),
    (Ecr, AWS, "123456789012.dkr.ecr.eu-central-1.amazonaws.com/apps", "", "", Err("path.host")),
    // Harbor: a project first.
    (Harbor, "harbor.example.com", "shop", "", "", Ok("shop/shop/web-3f9k2")),
    (Harbor, "harbor.example.com", "shop", "other/team", "", Ok("other/team/shop/web-3f9k2")),
    (Harbor, "harbor.example.com", "", "", "", Err("harbor.project")),
    (Harbor, "harbor.example.com", "a__b", "", "", Err("harbor.project-name")),
    // Quay: an organisation or user first.
    (Quay, "quay.io", "acme", "", "", Ok("acme/shop/web-3f9k2")),
    (Quay, "quay.example.com", "acme/team", "", "", Ok("acme/team/shop/web-3f9k2")),
    (Quay, "quay.io", "", "", "", Err("quay.namespace")),
    (Quay, "quay.io", "a", "", "", Err("quay.namespace-name")),
    (Quay, "quay.io", "a--b", "", "", Err("quay.namespace-name")),
    // Forges: the owner first, or the repository that is built.
    (Gitea, "codeberg.org", "jo", "", "", Ok("jo/shop/web-3f9k2")),
    (Gitea, "git.example.com:3000", "", "", "https://git.example.com:3000/Jo/Web.git", Ok("jo/web/shop/web-3f9k2")),
    (Gitea, "codeberg.org", "", "", "https://github.com/jo/web", Err("gitea.owner")),
    (Gitea, "codeberg.org", "", "", "", Err("gitea.owner")),
    (Gitea, "codeberg.org", "an-owner-with-a-name-of-more-than-forty-c", "", "", Err("gitea.owner-name")),
    (Gitea, "codeberg.org", "Jo", "", "", Err("path.case")),
    // DigitalOcean: the registry's own name first.
    (DigitalOcean, OCEAN, "acme", "", "", Ok("acme/shop/web-3f9k2")),
    (DigitalOcean, OCEAN, "acme", "acme/team", "", Ok("acme/team/shop/web-3f9k2")),
    (DigitalOcean, OCEAN, "", "", "", Err("digital-ocean.registry")),
    (DigitalOcean, OCEAN, "my_registry", "", "", Err("digital-ocean.registry-name")),
    (DigitalOcean, OCEAN, "registry.digitalocean.com/acme", "", "", Err("path.host")),
];

#[test]
fn every_provider_has_its_names() {
    assert!(CASES.len() >= 60);
    for provider in Provider::ALL {
        let count = |is_good| CASES.iter().filter(|case| case.0 == provider && case.5.is_ok() == is_good).count();
        assert!(count(true) >= 2 && count(false) >= 2, "{provider:?} has too few cases");
    }
    for (provider, host, base, own, repository, expected) in CASES {
        let parsed = host.parse().expect("a host");
        let url = (!repository.is_empty()).then(|| repository.parse().expect("a repository"));
        let wish = Wish {
            provider: *provider,
            host: &parsed,
            base,
            own,
            repository: url.as_ref(),
            project: "shop",
            service: "web-3f9k2",
            tag: "c0ffee",
        };
        let said = push_name(&wish);
        let name = said.as_ref().map(ToString::to_string).map_err(|problem| problem.rule.as_str());
        let expected = expected.map(|path| format!("{host}/{path}:c0ffee"));
        assert_eq!(name, expected, "{provider:?} at {host}: base {base:?}, own {own:?}, of {repository:?}");
        if let Err(problem) = said {
            assert!(problem.cause.ends_with('.') && problem.remedy.ends_with('.'), "{problem:?}");
            assert_eq!(problem.problem().code, format!("name.{}", problem.rule));
        }
    }
}

#[test]
fn names_have_lengths_tags_and_projects_too() {
    let host = "git.example.com".parse().expect("a host");
    let wish = Wish {
        provider: Generic,
        host: &host,
        base: "",
        own: "",
        repository: None,
        project: "shop",
        service: "web-3f9k2",
        tag: "c0ffee",
    };
    let rule = |wish: Wish<'_>| push_name(&wish).map(|name| name.to_string()).map_err(|problem| problem.rule);
    let long = ["part"; 49].join("/");
    assert_eq!(rule(Wish { base: &long, ..wish }), Err("path.length".into()));
    let fits = ["part"; 48].join("/");
    assert!(rule(Wish { base: &fits, ..wish }).is_ok(), "{} characters", fits.len());
    assert_eq!(rule(Wish { tag: "", ..wish }), Err("tag".into()));
    assert_eq!(rule(Wish { tag: "-x", ..wish }), Err("tag".into()));
    assert_eq!(rule(Wish { tag: &"x".repeat(129), ..wish }), Err("tag".into()));
    assert_eq!(rule(Wish { tag: &"x".repeat(128), base: "a", ..wish }).map(|_| ()), Ok(()));
    assert_eq!(rule(Wish { project: "Shop", ..wish }), Err("path.characters".into()));
    assert_eq!(rule(Wish { provider: Ecr, project: "7shop", ..wish }), Err("ecr.first-letter".into()));
    // A forge's tags know no case.
    let named = rule(Wish { provider: Gitea, base: "jo", tag: "V1.0-RC", ..wish });
    assert_eq!(named, Ok("git.example.com/jo/shop/web-3f9k2:v1.0-rc".into()));
}

#[test]
fn what_has_to_exist_is_named() {
    for (provider, path, part) in [
        (Ecr, "apps/shop/web", Some("create apps/shop/web first")),
        (GoogleArtifact, "my-project/apps/shop/web", Some("my-project/apps has to exist")),
        (Gitlab, "acme/team/shop/shop/web", Some("acme/team/shop has to exist")),
        (Harbor, "shop/shop/web", Some("project shop has")),
        (Quay, "acme/shop/web", Some("acme has to exist")),
        (Gitea, "jo/shop/web", Some("jo has to exist")),
        (DigitalOcean, "acme/shop/web", Some("acme has to be")),
        (Ghcr, "acme/shop/web", Some("acme has to be")),
        (DockerHub, "acme/shop-web", Some("acme has to be")),
        (Acr, "shop/web", None),
        (Generic, "shop/web", None),
    ] {
        let words = requirement(provider, &path.parse().expect("a path"));
        assert_eq!(words.is_some(), part.is_some(), "{provider:?}");
        assert!(words.unwrap_or_default().contains(part.unwrap_or_default()), "{provider:?}");
    }
}
