//! Where the volumes of managed registries are, for the look at disks.

use super::{Registries, store_managed};
use crate::disk::{Volume, Volumes};
use crate::problems;
use app::model::registry::Storage;
use async_trait::async_trait;

#[async_trait]
impl Volumes for Registries {
    async fn volumes(&self) -> Vec<Volume> {
        let records = match store_managed::records(self.parts.db.read()).await {
            Ok(records) => records,
            Err(error) => {
                tracing::warn!(error = %problems::chain(&error), "managed registries can't be read for the look at disks");
                return Vec::new();
            }
        };
        let mut found = Vec::new();
        for record in records {
            let Storage::Volume { name } = &record.wanted.storage else { continue };
            // An engine that is away shows elsewhere; the room is then simply not known.
            let folder = match self.parts.docker.find_volume(name).await {
                Ok(volume) => volume.map(|volume| volume.folder),
                Err(_) => None,
            };
            found.push(Volume { registry: record.id, name: record.name, folder });
        }
        found
    }
}
