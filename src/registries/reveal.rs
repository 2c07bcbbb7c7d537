//! Shows the password of a managed registry once more, to those who may manage it; it is on record who asked.

use super::{Registries, store_managed};
use crate::problems;
use app::error::{AppError, Problem};
use app::model::account::Actor;
use app::model::id::RegistryId;
use app::model::secret::Secret;
use app::paths;

impl Registries {
    /// User and password; the record is written first.
    pub(super) async fn reveal_login(&self, actor: &Actor, id: &RegistryId) -> Result<(String, Secret), AppError> {
        let found = store_managed::record_of(self.parts.db.read(), id).await.map_err(problems::of)?;
        let record = found.ok_or_else(|| AppError::NotFound("managed registry".into()))?;
        let login = self.parts.credentials.access(&record.credential).await?.login.ok_or_else(|| {
            let cause = format!("The credential of {} has no password.", record.name);
            Problem::new("registry.no_login", cause, "Give the registry a new password.")
                .with_link(paths::registry(id), "Open the registry")
        })?;
        let mut tx = self.parts.db.write().await.map_err(problems::of)?;
        self.record(&mut tx, actor, "password_shown", id, &record.name).await?;
        tx.commit().await.map_err(problems::of)?;
        Ok((login.username, login.password))
    }
}
