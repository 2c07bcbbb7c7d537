//! Whether a registry still has an image and gives it to us, in its own words when not.

use super::Services;
use super::pull::Pull;
use crate::oci::OciError;
use app::error::Problem;
use app::model::id::ServiceId;
use app::model::image_ref::ImageRef;
use app::paths;

/// Why an image isn't to be had.
#[derive(Debug)]
pub(super) struct Refusal {
    /// In words.
    pub problem: Problem,
    /// Whether nobody could say: the registry is away, or wants to be left alone.
    pub is_outage: bool,
    /// So long it wants to be left alone.
    pub seconds: Option<u64>,
}

impl From<OciError> for Refusal {
    fn from(error: OciError) -> Self {
        let (is_outage, seconds) = match &error {
            OciError::RateLimited { seconds, .. } => (true, *seconds),
            OciError::Dns { .. }
            | OciError::Refused { .. }
            | OciError::Tls { .. }
            | OciError::Timeout { .. }
            | OciError::NotARegistry { .. }
            | OciError::Unexpected { .. }
            | OciError::NotOffered { .. } => (true, None),
            OciError::WrongCredentials { .. }
            | OciError::Denied { .. }
            | OciError::ForeignRealm { .. }
            | OciError::SignIn { .. }
            | OciError::Forbidden { .. } => (false, None),
        };
        Self { problem: error.problem(), is_outage, seconds }
    }
}

impl Services {
    /// Asks the registry for an image by its digest.
    pub(super) async fn ask_registry(&self, pull: &Pull, image: &ImageRef, service: &ServiceId) -> Result<(), Refusal> {
        let refuse = |problem| Refusal { problem, is_outage: false, seconds: None };
        let Some(digest) = &image.digest else {
            let problem = Problem::new("deploy.no_digest", format!("{image} has no digest."), "Deploy anew.");
            return Err(refuse(problem));
        };
        let found = self.inner.oci.digest(&pull.access, &image.repository, digest.as_str()).await.map_err(|error| {
            let Refusal { problem, is_outage, seconds } = error.into();
            let cause = format!("The registry {} can't give the image. {}", pull.name, problem.cause);
            Refusal { problem: Problem { cause, ..problem }, is_outage, seconds }
        })?;
        if found.as_ref() == Some(digest) {
            return Ok(());
        }
        let problem = Problem::new(
            "deploy.image_gone",
            format!("The registry {} doesn't have {} {} any more.", pull.name, image.repository, digest.brief()),
            "Build or deploy anew, or choose another deployment.",
        );
        Err(refuse(problem.with_link(paths::service(service), "Open the service")))
    }
}
