//! What a push is called.

use super::ServiceFacts;
use crate::jobs::JobError;
use crate::registries::Target;
use app::error::Problem;
use app::model::build::Build;
use app::model::image_ref::ImageRef;
use app::model::path_template::{push_reference, service_part};
use app::paths;

/// The reference of a build under this tag, or which rule forbids it.
pub(super) fn name(build: &Build, facts: &ServiceFacts, target: &Target, tag: &str) -> Result<ImageRef, JobError> {
    let base = facts.source.base_path.as_ref().or(target.base_path.as_ref());
    let service = service_part(&facts.slug, &build.service);
    push_reference(&target.access.url.host, base, &facts.project_slug, &service, tag).map_err(|malformed| {
        JobError::Fail(
            Problem::new("build.name", "The image can't have the name that it would get.", malformed.0)
                .with_link(paths::edit_service(&build.service), "Edit the service"),
        )
    })
}
