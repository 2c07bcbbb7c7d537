//! Caches of builders, for who makes room.

use super::{Builders, ENGINE_NAME, buildx, causes, store};
use crate::problems;
use app::error::{AppError, Problem};
use app::model::builder::{BuilderKind, WhichBuilder};
use tokio_util::sync::CancellationToken;

/// The cache of a builder, as it was when last looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    /// Whose.
    pub which: WhichBuilder,
    /// What people call it.
    pub name: String,
    /// Whether nobody but Slipway builds there: a container that Slipway made.
    pub is_ours: bool,
    /// Bytes; none: not known.
    pub size: Option<u64>,
}

impl Builders {
    /// All of them, the engine's own first; never waits for one.
    pub async fn caches(&self) -> Result<Vec<Cache>, AppError> {
        let cache = |which: WhichBuilder, name: String, is_ours: bool| {
            let size = self.inner.seen.one(&which).disk;
            Cache { which, name, is_ours, size }
        };
        let records = store::list(self.inner.parts.db.read()).await.map_err(problems::of)?;
        let added = records
            .into_iter()
            .map(|record| cache(WhichBuilder::Added(record.id), record.name, record.kind == BuilderKind::Container));
        Ok(std::iter::once(cache(WhichBuilder::Engine, ENGINE_NAME.into(), false)).chain(added).collect())
    }

    /// Takes from a cache what nobody used for so many hours; the bytes that came free.
    pub async fn trim(&self, which: &WhichBuilder, hours: u32, stop: &CancellationToken) -> Result<u64, Problem> {
        let place = &self.inner.place;
        let broken = |error: std::io::Error| failed(&error.to_string());
        let written = match which {
            WhichBuilder::Engine => {
                std::fs::create_dir_all(place.folder.join("home")).map_err(broken)?;
                self.buildx(buildx::trim(place, buildx::ENGINE, hours), stop).await?.map_err(|text| failed(&text))?
            }
            WhichBuilder::Added(id) => {
                let record = self.record(id).await.map_err(|error| failed(&error.to_string()))?;
                let (definition, _files) = self.open(&record).await?;
                self.repair(&definition, stop).await?;
                let done = self.buildx(buildx::trim(place, &definition.name, hours), stop).await?;
                done.map_err(|text| {
                    causes::of(&text, &definition).with_link(super::page(id), format!("Open {}", record.name))
                })?
            }
        };
        self.due(which);
        Ok(buildx::read_disk_use(&written).unwrap_or(0))
    }
}

fn failed(written: &str) -> Problem {
    Problem::new("builder.prune", "The cache can't be trimmed.", "See the details, then try again.")
        .with_details(written.trim())
}
