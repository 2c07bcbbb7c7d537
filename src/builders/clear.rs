//! The job that empties the cache of one builder.

use super::{Builders, buildx, causes};
use crate::jobs::{self, Handler, JobContext, JobError};
use app::error::{AppError, Problem};
use app::model::builder::WhichBuilder;
use async_trait::async_trait;

/// The job's kind.
pub(super) const KIND: &str = "clear_builder_cache";

/// Empties caches.
pub(super) struct Clear(pub(super) Builders);

#[async_trait]
impl Handler for Clear {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, payload: &serde_json::Value, cx: &JobContext) -> Result<(), JobError> {
        let which: WhichBuilder = serde_json::from_value(payload["builder"].clone()).map_err(jobs::internal)?;
        cx.step("clear", "Empty the cache", self.0.clear(&which, cx)).await
    }
}

impl Builders {
    async fn clear(&self, which: &WhichBuilder, cx: &JobContext) -> Result<(), JobError> {
        let place = &self.inner.place;
        let done = match which {
            WhichBuilder::Engine => {
                std::fs::create_dir_all(place.folder.join("home")).map_err(jobs::internal)?;
                self.buildx(buildx::prune(place, buildx::ENGINE), &cx.cancel).await?.map_err(|written| {
                    Problem::new("builder.prune", "The cache can't be emptied.", "See the details, then try again.")
                        .with_details(written.trim())
                })
            }
            WhichBuilder::Added(id) => {
                let record = self.record(id).await.map_err(|error| match error {
                    AppError::Problem(problem) => JobError::Fail(*problem),
                    other => Problem::new("builder.gone", other.to_string(), "There is nothing left to do.").into(),
                })?;
                let (definition, _files) = self.open(&record).await?;
                self.repair(&definition, &cx.cancel).await?;
                let done = self.buildx(buildx::prune(place, &definition.name), &cx.cancel).await?;
                done.map_err(|written| {
                    causes::of(&written, &definition).with_link(super::page(id), format!("Open {}", record.name))
                })
            }
        };
        if cx.cancel.is_cancelled() {
            return Err(JobError::Cancelled);
        }
        let written = done?;
        cx.log(
            written.lines().last().map(str::trim).filter(|line| !line.is_empty()).unwrap_or("It was empty already."),
        );
        self.due(which);
        Ok(())
    }
}
