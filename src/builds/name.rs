//! What a push is called.

use super::ServiceFacts;
use crate::jobs::JobError;
use crate::registries::Target;
use app::model::build::Build;
use app::model::image_ref::{ImageRef, Repository};
use app::model::push_name::{Wish, push_name, service_part};
use app::paths;

/// The reference of a build under this tag, or which rule forbids it.
pub(super) fn name(build: &Build, facts: &ServiceFacts, target: &Target, tag: &str) -> Result<ImageRef, JobError> {
    let text = |path: &Option<Repository>| path.as_ref().map(ToString::to_string).unwrap_or_default();
    let wish = Wish {
        provider: target.provider,
        host: &target.access.url.host,
        base: &text(&target.base_path),
        own: &text(&facts.source.base_path),
        repository: Some(&facts.source.repository),
        project: &facts.project_slug,
        service: &service_part(&facts.slug, &build.service),
        tag,
    };
    push_name(&wish).map_err(|broken| {
        JobError::Fail(broken.problem().with_link(paths::edit_service(&build.service), "Edit the service"))
    })
}
