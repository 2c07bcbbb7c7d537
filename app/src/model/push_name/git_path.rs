//! The path of a git repository, where its host and the registry belong together: GitHub's and GHCR, a GitLab's and its
//! registry, a forge's own.

use crate::model::image_ref::RegistryHost;
use crate::model::provider::Provider;
use crate::model::source::GitUrl;

/// `owner/name` or `group/…/project`, lower case; None where the registry isn't the git host's.
pub(super) fn at_registry(provider: Provider, host: &RegistryHost, url: &GitUrl) -> Option<String> {
    let (git, path) = split(url)?;
    let registry = without_port(host.as_str());
    let depth = path.split('/').count();
    let belongs = match provider {
        Provider::Ghcr => depth == 2 && matches!(git.as_str(), "github.com" | "www.github.com" | "ssh.github.com"),
        Provider::Gitlab => {
            let git = if git == "altssh.gitlab.com" { "gitlab.com" } else { &git };
            depth >= 2 && (registry == git || registry.strip_prefix("registry.") == Some(git))
        }
        Provider::Gitea => depth == 2 && registry == git,
        _ => false,
    };
    belongs.then_some(path)
}

/// A host's name without its port.
pub(super) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Host and path of an address, both lower case, without user, port, `.git` and slashes at the ends.
fn split(url: &GitUrl) -> Option<(String, String)> {
    let text = url.as_str().to_ascii_lowercase();
    let (host, path) = if let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("ssh://")) {
        let (host, path) = rest.split_once('/')?;
        (without_port(host.rsplit_once('@').map_or(host, |(_, host)| host)), path)
    } else {
        // Folders of this machine have neither.
        let (host, path) = text.split_once(':')?;
        (host.rsplit_once('@').map_or(host, |(_, host)| host), path)
    };
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/');
    (!host.is_empty() && !path.is_empty()).then(|| (host.to_owned(), path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_where_git_host_and_registry_belong_together() {
        use Provider::*;
        for (provider, host, url, expected) in [
            (Ghcr, "ghcr.io", "https://github.com/Acme/Shop.git", Some("acme/shop")),
            (Ghcr, "ghcr.io", "git@github.com:acme/shop.git", Some("acme/shop")),
            (Ghcr, "ghcr.io", "ssh://git@ssh.github.com:443/acme/shop", Some("acme/shop")),
            (Ghcr, "ghcr.io", "https://github.com/acme", None),
            (Ghcr, "ghcr.io", "https://github.example.com/acme/shop", None),
            (Gitlab, "registry.gitlab.com", "https://gitlab.com/acme/team/shop/", Some("acme/team/shop")),
            (Gitlab, "registry.gitlab.com", "git@altssh.gitlab.com:acme/shop.git", Some("acme/shop")),
            (Gitlab, "git.example.com:5050", "https://git.example.com/acme/shop.git", Some("acme/shop")),
            (Gitlab, "registry.example.com", "ssh://git@example.com:2222/acme/shop", Some("acme/shop")),
            (Gitlab, "registry.gitlab.com", "https://github.com/acme/shop", None),
            (Gitlab, "registry.gitlab.com", "https://gitlab.com/shop", None),
            (Gitea, "git.example.com", "https://git.example.com:3000/jo/web.git", Some("jo/web")),
            (Gitea, "git.example.com:3000", "git@git.example.com:jo/web", Some("jo/web")),
            (Gitea, "codeberg.org", "https://codeberg.org/jo/web/x", None),
            (Gitea, "codeberg.org", "/srv/git/web", None),
            (Generic, "git.example.com", "https://git.example.com/jo/web", None),
            (DockerHub, "docker.io", "https://github.com/jo/web", None),
        ] {
            let host = host.parse().expect("a host");
            let url = url.parse().unwrap_or_else(|error| panic!("{url}: {error}"));
            assert_eq!(at_registry(provider, &host, &url).as_deref(), expected, "{provider:?} {host} {url}");
        }
    }
}
