//! Which credential pulls images of a host, for the parts that only know the images.

use super::{Credentials, store};
use crate::problems;
use app::error::AppError;
use app::model::credential::{Credential, CredentialState};
use app::model::image_ref::{RegistryHost, Repository};

impl Credentials {
    /// The one that fits these repositories best; None: there is none for the host, or none that its registry accepts.
    pub async fn fitting(
        &self,
        host: &RegistryHost,
        repositories: &[Repository],
    ) -> Result<Option<Credential>, AppError> {
        let resting = store::resting(self.db.read()).await.map_err(problems::of)?;
        let mut all = self.every().await?;
        all.retain(|credential| !resting.contains(&credential.id));
        Ok(best(all, host, repositories))
    }
}

/// One that works before one that doesn't; then the one whose namespaces or user own most of the repositories. Those that
/// are as good stay in the order of their names.
fn best(mut all: Vec<Credential>, host: &RegistryHost, repositories: &[Repository]) -> Option<Credential> {
    all.retain(|credential| credential.url.host == *host && !is_refused(&credential.state));
    let owned = |credential: &Credential| {
        let owns = |repository: &&Repository| {
            let names = credential.namespaces.iter().map(String::as_str).chain([credential.username.as_str()]);
            names.filter(|name| !name.is_empty()).any(|name| is_below(repository.as_str(), name))
        };
        repositories.iter().filter(owns).count()
    };
    all.sort_by_key(|credential| (credential.state != CredentialState::Works, std::cmp::Reverse(owned(credential))));
    all.into_iter().next()
}

/// With a login that its registry refuses, not even public images can be pulled.
fn is_refused(state: &CredentialState) -> bool {
    matches!(state, CredentialState::Fails(problem) if matches!(problem.code.as_str(), "registry.wrong_credentials" | "credential.sealed"))
}

fn is_below(repository: &str, owner: &str) -> bool {
    let owner = owner.trim_matches('/').to_ascii_lowercase();
    repository.strip_prefix(owner.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::error::Problem;
    use app::model::credential::Trust;
    use app::model::id::CredentialId;
    use app::model::provider::Provider;

    fn credential(name: &str, url: &str, username: &str, namespaces: &[&str]) -> Credential {
        Credential {
            id: CredentialId::from_random([1; 8]),
            name: name.into(),
            url: url.parse().expect("an address"),
            username: username.into(),
            state: CredentialState::Works,
            checked_at: 0,
            password_set_at: 0,
            used_by: Vec::new(),
            services: Vec::new(),
            provider: Provider::Generic,
            namespaces: namespaces.iter().map(|it| (*it).to_owned()).collect(),
            trust: Trust::default(),
            expires_on: None,
            owned_by: None,
            report: None,
            version: 1,
        }
    }

    #[test]
    fn host_first_then_what_works_then_the_owner() {
        let fails = |code: &str, of: Credential| Credential {
            state: CredentialState::Fails(Problem::new(code, "It fails.", "Try again.")),
            ..of
        };
        let all = vec![
            credential("elsewhere", "https://quay.io", "acme", &["acme"]),
            fails("registry.wrong_credentials", credential("refused", "https://gone.example", "acme", &[])),
            fails("registry.timeout", credential("away", "https://ghcr.io", "acme", &["acme"])),
            credential("a stranger", "https://ghcr.io", "eve", &[]),
            credential("the owner", "https://ghcr.io", "deploy", &["ACME", "other/team"]),
            fails("registry.dns", credential("only one", "https://far.example", "x", &[])),
        ];
        let of = |host: &str, repositories: &[&str]| {
            let repositories: Vec<Repository> =
                repositories.iter().map(|name| name.parse().expect("a repository")).collect();
            best(all.clone(), &host.parse().expect("a host"), &repositories).map(|found| found.name)
        };
        assert_eq!(of("ghcr.io", &["acme/base"]).as_deref(), Some("the owner"));
        assert_eq!(of("ghcr.io", &["other/team/base"]).as_deref(), Some("the owner"));
        assert_eq!(of("ghcr.io", &["eve/base"]).as_deref(), Some("a stranger"));
        assert_eq!(of("ghcr.io", &["eve/base", "acme/a", "acme/b"]).as_deref(), Some("the owner"));
        assert_eq!(of("ghcr.io", &["acmeish/base"]).as_deref(), Some("a stranger"), "by name, as nobody owns it");
        assert_eq!(of("quay.io", &["x/y"]).as_deref(), Some("elsewhere"));
        assert_eq!(of("gone.example", &["acme/x"]), None);
        assert_eq!(of("far.example", &["x/y"]).as_deref(), Some("only one"));
        assert_eq!(of("docker.io", &["library/alpine"]), None);
    }
}
