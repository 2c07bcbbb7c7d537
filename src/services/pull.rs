//! How the image of a deployment is reached: through one of our registries, by a credential, or as anybody. And which
//! digest a tag leads to.
//!
//! What must always hold: a password goes to the host of the image alone.

use super::Services;
use crate::oci::{Access, OciError};
use crate::problems;
use app::error::{AppError, Problem};
use app::model::credential::RegistryUrl;
use app::model::id::{CredentialId, RegistryId, ServiceId};
use app::model::image_ref::{ImageRef, RegistryHost};
use app::model::service::ImageSource;
use app::paths;
use std::time::Duration;

/// Somebody waits before a page while a tag is looked up.
const LIMIT: Duration = Duration::from_secs(15);

/// How an image is reached; a deployment keeps it, so that a way back works the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Slipway pushed it there.
    Registry(RegistryId),
    /// By a credential of its host.
    Credential(CredentialId),
    /// As anybody.
    Public,
}

impl Reach {
    /// The registry, if it is one of ours.
    pub(super) fn registry(&self) -> Option<&RegistryId> {
        if let Self::Registry(id) = self { Some(id) } else { None }
    }

    /// The credential, if it has one of its own.
    pub(super) fn credential(&self) -> Option<&CredentialId> {
        if let Self::Credential(id) = self { Some(id) } else { None }
    }

    /// Of a service's image.
    pub(super) fn of(source: &ImageSource) -> Self {
        source.credential.clone().map_or(Self::Public, Self::Credential)
    }
}

/// Where an image is pulled from.
#[derive(Clone, Debug)]
pub(super) struct Pull {
    /// What people call the registry.
    pub name: String,
    /// Where it is, and how to sign in.
    pub access: Access,
}

impl Services {
    /// Opens the way to an image.
    pub(super) async fn pull(&self, reach: &Reach, image: &ImageRef) -> Result<Pull, AppError> {
        let pull = match reach {
            Reach::Registry(id) => {
                let target = self.inner.registries.target(id).await?.ok_or_else(registry_gone)?;
                Pull { name: target.name, access: target.access }
            }
            Reach::Credential(id) => {
                let access = match self.inner.credentials.access(id).await {
                    Err(AppError::NotFound(_)) => return Err(credential_gone().into()),
                    access => access?,
                };
                Pull { name: access.host(), access }
            }
            Reach::Public => {
                let url = RegistryUrl { plain: image.host.is_loopback(), host: image.host.clone() };
                Pull { name: url.host.to_string(), access: Access::public(url) }
            }
        };
        if pull.access.url.host == image.host { Ok(pull) } else { Err(elsewhere(&pull.access.url.host, image).into()) }
    }

    /// The image by digest: its own, or the one that the registry has under its tag now.
    pub(super) async fn resolve(&self, service: &ServiceId, source: &ImageSource) -> Result<ImageRef, AppError> {
        let image = &source.image;
        let Some(tag) = image.tag.as_ref().filter(|_| image.digest.is_none()) else { return Ok(image.clone()) };
        let reach = Reach::of(source);
        let pull = self.pull(&reach, image).await?;
        let asked = self.inner.oci.digest(&pull.access, &image.repository, tag.as_str());
        match tokio::time::timeout(LIMIT, asked).await {
            Ok(Ok(Some(digest))) => Ok(ImageRef { digest: Some(digest), ..image.clone() }),
            Ok(Ok(None)) => Err(not_there(service, &reach, image).into()),
            Ok(Err(error)) => {
                tracing::info!(service.id = %service, %image, cause = %problems::chain(&error), "a tag wasn't resolved");
                Err(refused(service, &reach, image, &error).into())
            }
            Err(_) => Err(refused(service, &reach, image, &OciError::Timeout { host: pull.access.host() }).into()),
        }
    }
}

fn registry_gone() -> Problem {
    Problem::new(
        "deploy.registry_gone",
        "The registry that holds this image was deleted from Slipway, so nodes can't sign in to pull it.",
        "Create it again and build anew.",
    )
    .with_link(paths::NEW_REGISTRY, "Create a registry")
}

fn credential_gone() -> Problem {
    Problem::new(
        "deploy.credential_gone",
        "The credential that pulled this image was deleted, so nodes can't sign in for it.",
        "Choose another one on the service, then deploy.",
    )
}

fn elsewhere(host: &RegistryHost, image: &ImageRef) -> Problem {
    Problem::new(
        "deploy.other_host",
        format!(
            "The image lies at {}, but the sign-in for it is one of {host} now; it isn't sent elsewhere.",
            image.host
        ),
        "Choose a credential of the image's host on the service, then deploy.",
    )
}

/// The image without its digest, as people know it.
fn named(image: &ImageRef) -> ImageRef {
    ImageRef { digest: None, ..image.clone() }
}

fn not_there(service: &ServiceId, reach: &Reach, image: &ImageRef) -> Problem {
    let remedy = match reach {
        Reach::Public => {
            "Check name and tag. Registries hide private images from strangers: if it is one, choose a credential."
        }
        _ => "Check name and tag, and that the credential may read this repository.",
    };
    Problem::new("deploy.no_such_image", format!("{} doesn't have {}.", image.host, named(image)), remedy)
        .with_link(paths::edit_service(service), "Edit the service")
}

/// What the registry's refusal means for somebody who wants to deploy.
fn refused(service: &ServiceId, reach: &Reach, image: &ImageRef, error: &OciError) -> Problem {
    let problem = error.problem();
    let cause = format!("{} can't be looked up. {}", named(image), problem.cause);
    let details = problem.details.clone();
    let is_refusal = matches!(
        error,
        OciError::SignIn { .. }
            | OciError::Denied { .. }
            | OciError::WrongCredentials { .. }
            | OciError::RateLimited { .. }
    );
    let mut told = match (reach, error) {
        (Reach::Public, OciError::RateLimited { .. }) => Problem::new(
            "deploy.rate_limited",
            cause,
            format!("{} Or choose a credential: who signs in may ask more often.", problem.remedy),
        )
        .with_link(paths::edit_service(service), "Edit the service"),
        (Reach::Public, _) if is_refusal => Problem::new(
            "deploy.needs_credential",
            format!("{} can't be pulled by anybody: it is private, or it doesn't exist.", named(image)),
            "Choose a credential that may read it, and check name and tag.",
        )
        .with_link(paths::edit_service(service), "Edit the service"),
        (Reach::Credential(id), _) if is_refusal => {
            Problem { cause, ..problem }.with_link(paths::credential(id), "Open the credential")
        }
        _ => Problem { cause, ..problem },
    };
    told.details = told.details.or(details);
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who may not see it is told to choose a credential; who has one is led to it.
    #[test]
    fn a_refusal_says_what_to_choose() {
        let service = ServiceId::from_random([1; 8]);
        let image: ImageRef = "ghcr.io/acme/web:1".parse().expect("an image");
        let host = || "ghcr.io".to_owned();
        let denied = OciError::Denied { host: host(), answer: "pull access denied".into() };
        let public = refused(&service, &Reach::Public, &image, &denied);
        assert!(public.remedy.contains("Choose a credential"), "{public:?}");
        assert_eq!(public.details.as_deref(), Some("pull access denied"));
        let id = CredentialId::from_random([2; 8]);
        let private = refused(&service, &Reach::Credential(id.clone()), &image, &denied);
        assert_eq!(private.link.map(|link| link.href), Some(paths::credential(&id)));
        let limited = OciError::RateLimited { host: host(), seconds: Some(60) };
        let public = refused(&service, &Reach::Public, &image, &limited);
        assert!(public.remedy.contains("60 s") && public.remedy.contains("credential"), "{public:?}");
        let missing = not_there(&service, &Reach::Public, &image);
        assert!(missing.cause.contains("ghcr.io/acme/web:1") && missing.remedy.contains("credential"), "{missing:?}");
    }
}
