//! From a credential to what signs in with it: the kept password, the login that the registry accepts, and the one that
//! an edit leads to.

use super::{Credentials, PASSWORD, with_link};
use crate::oci::{Access, Login};
use crate::problems;
use crate::vault::VaultError;
use app::error::{AppError, Problem};
use app::model::credential::{Credential, CredentialFields};
use app::model::id::CredentialId;
use app::model::provider::Provider;
use app::model::secret::Secret;
use app::paths;

impl Credentials {
    /// What it takes to ask the credential's registry, for the parts of Slipway that talk to it.
    pub async fn access(&self, id: &CredentialId) -> Result<Access, AppError> {
        let credential = self.find(id).await?;
        self.access_of(&credential).await
    }

    pub(super) async fn access_of(&self, credential: &Credential) -> Result<Access, AppError> {
        let password = self.password(credential).await?;
        let stored = Login { username: credential.username.clone(), password };
        let access = Access { url: credential.url.clone(), login: None, trust: credential.trust.clone() };
        let adapter = self.providers.of(credential.provider);
        match adapter.login(&access, &stored).await {
            Ok(login) => Ok(Access { login: Some(login), ..access }),
            Err(error) => {
                let problem = adapter.explain(&error).unwrap_or_else(|| error.problem());
                Err(with_link(problem, &credential.id).into())
            }
        }
    }

    /// The kept password.
    pub(super) async fn password(&self, of: &Credential) -> Result<Secret, AppError> {
        match self.vault.get(self.db.read(), of.id.as_str(), PASSWORD).await {
            Ok(password) => Ok(password),
            Err(error @ (VaultError::Sealed { .. } | VaultError::NotThere { .. })) => {
                tracing::error!(credential.id = %of.id, %error, "a password can't be opened");
                Err(sealed(of).into())
            }
            Err(error) => Err(problems::of(error)),
        }
    }

    /// The login that an edit leads to: with the new password, or with the kept one if that goes where it went before.
    pub(super) async fn edited_login(&self, old: &Credential, fields: &CredentialFields) -> Result<Login, AppError> {
        let username = fields.username.clone();
        if !fields.password.is_empty() {
            return Ok(Login { username, password: fields.password.clone() });
        }
        if let Some(elsewhere) = goes_elsewhere(old, fields) {
            return Err(AppError::field(
                "password",
                format!("Type the password again: the kept one was typed for {}, and {elsewhere}.", old.url),
            ));
        }
        match self.password(old).await {
            Ok(password) => Ok(Login { username, password }),
            Err(AppError::Problem(problem)) => {
                Err(AppError::field("password", format!("{} Type the password again.", problem.cause)))
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether an edit would have the kept password sent to where it wasn't typed for: to another address or sign-in service,
/// to a host that only a new authority vouches for, to addresses that were out of reach, to another provider's services.
fn goes_elsewhere(old: &Credential, fields: &CredentialFields) -> Option<&'static str> {
    let (before, now) = (&old.trust, &fields.trust);
    let is_new = |before: &Option<String>, now: &Option<String>| now.is_some() && now != before;
    if fields.url != old.url {
        Some("isn't sent to another address")
    } else if is_new(&before.realm, &now.realm) {
        Some("isn't sent to a sign-in service that was approved later")
    } else if is_new(&before.ca, &now.ca) {
        Some("isn't sent to whom another authority vouches for")
    } else if now.internal && !before.internal {
        Some("isn't sent into a network that was opened later")
    } else if fields.provider != old.provider && fields.provider != Provider::Generic {
        Some("isn't sent to another provider's services")
    } else {
        None
    }
}

fn sealed(credential: &Credential) -> Problem {
    Problem::new(
        "credential.sealed",
        format!("The kept password of {} can't be opened with this master key.", credential.name),
        "Put the right master key file back, or type the password again.",
    )
    .with_link(paths::credential(&credential.id), "Open the credential")
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::credential::{CredentialForm, CredentialState, Trust};

    fn credential(trust: Trust) -> Credential {
        Credential {
            id: CredentialId::from_random([1; 8]),
            name: "Main".into(),
            url: "https://r.example.com".parse().expect("an address"),
            username: "deploy".into(),
            state: CredentialState::Works,
            checked_at: 0,
            password_set_at: 0,
            used_by: Vec::new(),
            services: Vec::new(),
            provider: Provider::Generic,
            namespaces: Vec::new(),
            trust,
            expires_on: None,
            owned_by: None,
            report: None,
            version: 1,
        }
    }

    #[test]
    fn more_trust_wants_the_password_again_and_less_doesnt() {
        let ca = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----";
        let old = credential(Trust { internal: true, ca: Some(ca.into()), realm: Some("https://auth.example".into()) });
        let same = CredentialForm {
            name: "Main".into(),
            url: "https://r.example.com".into(),
            username: "deploy".into(),
            internal: Some("on".into()),
            ca: ca.into(),
            realm: "https://auth.example".into(),
            ..CredentialForm::default()
        };
        let elsewhere =
            |old: &Credential, form: CredentialForm| goes_elsewhere(old, &form.validated(false).expect("valid fields"));
        assert_eq!(elsewhere(&old, same.clone()), None);
        let less = CredentialForm { internal: None, ca: String::new(), realm: String::new(), ..same.clone() };
        assert_eq!(elsewhere(&old, less), None);
        let bare = credential(Trust::default());
        for (form, words) in [
            (CredentialForm { url: "https://r2.example.com".into(), ..same.clone() }, "another address"),
            (CredentialForm { realm: "https://evil.example".into(), ..same.clone() }, "approved later"),
            (CredentialForm { ca: format!("{ca}\n{ca}"), ..same.clone() }, "authority"),
            (CredentialForm { provider: "gitlab".into(), ..same.clone() }, "provider"),
        ] {
            assert!(elsewhere(&old, form).is_some_and(|text| text.contains(words)), "{words}");
        }
        let opened = CredentialForm { ca: String::new(), realm: String::new(), ..same };
        assert!(elsewhere(&bare, opened).is_some_and(|text| text.contains("opened later")));
    }
}
