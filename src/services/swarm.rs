//! What images want to know of the Swarm.

use super::{Services, store};
use crate::images::Swarm;
use crate::problems;
use app::error::AppError;
use app::model::image::RunsIn;
use app::model::platform::Platform;
use async_trait::async_trait;

#[async_trait]
impl Swarm for Services {
    async fn running(&self) -> Result<Vec<RunsIn>, AppError> {
        let found = store::running(self.inner.db.read()).await.map_err(problems::of)?;
        Ok(found.into_iter().map(|(service, name, image)| RunsIn { service, name, image }).collect())
    }

    fn platforms(&self) -> Vec<Platform> {
        self.inner.observed.platforms()
    }
}
