//! After the push: the registry has it, and services get it.

use super::{BuildImage, gone, refused};
use crate::builds::{FinishedBuild, HandedOver};
use crate::jobs::{JobContext, JobError, internal};
use app::error::Problem;
use app::model::id::BuildId;
use app::model::image_ref::{Digest, ImageRef};

impl BuildImage {
    /// The registry has what buildx says it pushed.
    pub(super) async fn confirm(&self, id: &BuildId, pushed: &Digest, cx: &JobContext) -> Result<Digest, JobError> {
        let inner = &self.builds.inner;
        let build = self.find(id).await?;
        let reference = build.reference.clone().ok_or_else(|| gone("build"))?;
        let target = self.target(&build, cx).await?;
        let tag = reference.tag.as_ref().map(ToString::to_string).unwrap_or_default();
        let found = match cx.or_cancel(inner.oci.digest(&target.access, &reference.repository, &tag)).await? {
            Ok(found) => found,
            Err(error) => return Err(self.unreachable(&error, &target).await),
        };
        match found {
            Some(found) if found == *pushed => {}
            Some(found) => {
                return Err(JobError::Fail(
                    Problem::new(
                        "build.digest",
                        format!(
                            "The registry {} has another image under this tag than the one that was pushed.",
                            target.name
                        ),
                        "Somebody else pushed at the same time, or the registry changes images. Build again.",
                    )
                    .with_details(format!("pushed {pushed}, found {found}")),
                ));
            }
            None => {
                return Err(JobError::Fail(Problem::new(
                    "build.not_there",
                    format!("The registry {} doesn't have the image, although the push succeeded.", target.name),
                    "Check the registry's retention rules and storage, and build again.",
                )));
            }
        }
        self.builds.record_push(id, &target, &reference, pushed, cx).await?;
        cx.log(&format!("{} has {reference}@{pushed}.", target.name));
        Ok(pushed.clone())
    }

    /// Makes a deployment of it.
    pub(super) async fn hand_over(&self, id: &BuildId, digest: Digest, cx: &JobContext) -> Result<(), JobError> {
        let inner = &self.builds.inner;
        let build = self.find(id).await?;
        let (Some(reference), Some(commit)) = (build.reference, build.commit) else { return Err(gone("build")) };
        let finished = FinishedBuild {
            id: build.id,
            number: build.number,
            service: build.service,
            image: ImageRef { digest: Some(digest), ..reference },
            registry: build.registry,
            commit,
            commit_subject: build.commit_subject,
            asked_by: build.asked_by,
            trigger: build.trigger,
        };
        let services = self.builds.services().map_err(refused)?;
        let mut tx = inner.db.write().await.map_err(internal)?;
        let handed = services.deploy(&mut tx, &finished).await.map_err(refused)?;
        tx.commit().await.map_err(internal)?;
        inner.jobs.wake();
        cx.log(match handed {
            HandedOver::Queued => "The deployment is queued.",
            HandedOver::Held => {
                "Not deployed: somebody rolled the service back, and pushes wait until somebody resumes them on its page."
            }
        });
        Ok(())
    }
}
