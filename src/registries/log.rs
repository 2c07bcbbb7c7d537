//! What managed registries print.

use super::Registries;
use app::api::registries::LogLines;
use app::error::AppError;
use app::model::id::RegistryId;
use app::model::registry::{LogEntry, LogView};

impl Registries {
    /// The lines of a view, oldest first.
    pub(super) async fn read_log(&self, id: &RegistryId, view: &LogView) -> Result<Vec<LogEntry>, AppError> {
        self.find(id).await?;
        let _ = view;
        Ok(Vec::new())
    }

    /// The lines as they come.
    pub(super) async fn open_log(
        &self,
        id: &RegistryId,
        view: LogView,
        cursor: Option<String>,
    ) -> Result<LogLines, AppError> {
        self.find(id).await?;
        let _ = (view, cursor);
        Ok(Box::pin(futures::stream::empty()))
    }
}
