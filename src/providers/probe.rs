//! Where the right to push is tried out: a repository name that the provider's rules allow. Pure.
//!
//! An upload session is opened there and cancelled, so nothing stays; Quay alone may create an empty repository.

use super::harbor::robots_project;
use crate::oci::Access;
use app::model::image_ref::Repository;
use app::model::provider::Provider;

/// The last part of a probe's name.
const NAME: &str = "slipway-probe";

/// A repository for trying out the right to push; None where no path is known that could be allowed. `base`: what a
/// registry puts in front of its images, when one uses the credential.
///
/// At AWS ECR the repository usually doesn't exist, and AWS says so (`NAME_UNKNOWN`) only to those who may push.
pub fn probe_repository(
    provider: Provider,
    access: &Access,
    namespaces: &[String],
    base: Option<&Repository>,
) -> Option<Repository> {
    let user = access.login.as_ref().map(|login| login.username.as_str());
    let named = namespaces.first().map(|name| name.trim_matches('/'));
    let base = base.map(Repository::as_str);
    let owner = match provider {
        // Exactly two parts: what follows the namespace is joined.
        Provider::DockerHub => {
            let owner = base.or(named).or(user)?.to_ascii_lowercase();
            let name = owner.replacen('/', "\n", 1).replace('/', "-");
            return match name.split_once('\n') {
                Some((owner, rest)) => format!("{owner}/{rest}-{NAME}").parse().ok(),
                None => format!("{name}/{NAME}").parse().ok(),
            };
        }
        Provider::Ghcr | Provider::Gitea => base.or(named).or(user)?,
        // A project; a group alone holds no images.
        Provider::Gitlab => base.or(named.filter(|path| path.contains('/')))?,
        Provider::GoogleArtifact => base.or(named).filter(|path| path.contains('/'))?,
        Provider::Ecr => base?,
        Provider::Harbor => base.or(named).or(user.and_then(robots_project))?,
        Provider::Quay => base.or(named).or(user.and_then(quays_owner))?,
        Provider::DigitalOcean => base.or(named)?,
        Provider::Acr | Provider::Generic => match base {
            Some(base) => base,
            None => return "slipway/probe".parse().ok(),
        },
    };
    format!("{}/{NAME}", owner.to_ascii_lowercase()).parse().ok()
}

/// `organisation+robot` belongs to the organisation; a user to itself; tokens say nothing.
fn quays_owner(username: &str) -> Option<&str> {
    if username.starts_with('$') { None } else { username.split('+').next() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Login;
    use app::model::credential::Trust;
    use app::model::secret::Secret;

    #[test]
    fn probes_obey_each_providers_rules() {
        use Provider::*;
        for (provider, user, named, base, expected) in [
            (Generic, "deploy", None, None, Some("slipway/probe")),
            (Generic, "deploy", None, Some("team/apps"), Some("team/apps/slipway-probe")),
            (Acr, "deploy", None, None, Some("slipway/probe")),
            (DockerHub, "Deploy", None, None, Some("deploy/slipway-probe")),
            (DockerHub, "deploy", Some("acme"), None, Some("acme/slipway-probe")),
            (DockerHub, "deploy", Some("acme"), Some("acme/shop/x"), Some("acme/shop-x-slipway-probe")),
            (Ghcr, "Octo", None, None, Some("octo/slipway-probe")),
            (Ghcr, "Octo", Some("Acme"), None, Some("acme/slipway-probe")),
            (Gitlab, "deploy", None, None, None),
            (Gitlab, "deploy", Some("acme"), None, None),
            (Gitlab, "deploy", Some("acme/shop"), None, Some("acme/shop/slipway-probe")),
            (GoogleArtifact, "_json_key", None, None, None),
            (GoogleArtifact, "_json_key", Some("my-project"), None, None),
            (GoogleArtifact, "_json_key", Some("my-project/apps"), None, Some("my-project/apps/slipway-probe")),
            (Ecr, "AKIA", Some("apps"), None, None),
            (Ecr, "AKIA", None, Some("apps"), Some("apps/slipway-probe")),
            (Harbor, "robot$shop+ci", None, None, Some("shop/slipway-probe")),
            (Harbor, "admin", None, None, None),
            (Quay, "acme+ci", None, None, Some("acme/slipway-probe")),
            (Quay, "$oauthtoken", None, None, None),
            (Gitea, "Jo", None, None, Some("jo/slipway-probe")),
            (DigitalOcean, "token", None, None, None),
            (DigitalOcean, "token", Some("acme"), None, Some("acme/slipway-probe")),
        ] {
            let access = Access {
                url: "https://registry.example.com".parse().expect("an address"),
                login: Some(Login { username: user.into(), password: Secret::default() }),
                trust: Trust::default(),
            };
            let base = base.map(|base| base.parse().expect("a path"));
            let named: Vec<String> = named.map(str::to_owned).into_iter().collect();
            let probe = probe_repository(provider, &access, &named, base.as_ref());
            assert_eq!(probe.as_ref().map(Repository::as_str), expected, "{provider:?} {user} {named:?} {base:?}");
        }
    }
}
