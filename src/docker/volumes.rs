//! Named volumes of this engine. The Swarm makes volumes on the node that runs a task; those of other nodes can't be looked
//! at from here.

use super::{Docker, DockerError, filter};
use bollard::models::{Volume as Raw, VolumeCreateRequest};
use bollard::query_parameters::{ListContainersOptionsBuilder, ListVolumesOptionsBuilder, RemoveVolumeOptions};
use std::collections::HashMap;
use std::path::PathBuf;

/// A volume of this engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// When it was made, as the engine writes it; another text means another volume of the same name.
    pub created: String,
    /// Its labels. One that the engine made by itself, for a task whose volume was gone, has none.
    pub labels: HashMap<String, String>,
    /// Where its files are on this machine.
    pub folder: PathBuf,
}

impl Docker {
    /// The volume of this name on this engine.
    pub async fn find_volume(&self, name: &str) -> Result<Option<Volume>, DockerError> {
        match self.ask(self.client.inspect_volume(name)).await {
            Ok(found) => Ok(Some(volume(found))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The volumes of this engine with this label (`key` or `key=value`).
    pub async fn volumes(&self, label: &str) -> Result<Vec<Volume>, DockerError> {
        let options = ListVolumesOptionsBuilder::default().filters(&filter("label", &[label.to_owned()])).build();
        let found = self.ask(self.client.list_volumes(Some(options))).await?;
        Ok(found.volumes.unwrap_or_default().into_iter().map(volume).collect())
    }

    /// Whether a container of this engine has it, running or not.
    pub async fn is_volume_used(&self, name: &str) -> Result<bool, DockerError> {
        let options =
            ListContainersOptionsBuilder::default().all(true).filters(&filter("volume", &[name.to_owned()])).build();
        let found = self.ask(self.client.list_containers(Some(options))).await?;
        // The filter also finds what is mounted at a folder of this name.
        let has_it = |mount: &bollard::models::MountPoint| mount.name.as_deref() == Some(name);
        Ok(found.iter().any(|container| container.mounts.iter().flatten().any(has_it)))
    }

    /// Finds or creates the volume.
    pub async fn ensure_volume(&self, name: &str, labels: &[(String, String)]) -> Result<Volume, DockerError> {
        let request = VolumeCreateRequest {
            name: Some(name.to_owned()),
            labels: Some(labels.iter().cloned().collect()),
            ..Default::default()
        };
        // The engine answers with the volume that is there already.
        Ok(volume(self.ask(self.client.create_volume(request)).await?))
    }

    /// Removes a volume with all that is in it; one that isn't there is fine. Refused while a container has it.
    pub async fn remove_volume(&self, name: &str) -> Result<(), DockerError> {
        match self.ask(self.client.remove_volume(name, None::<RemoveVolumeOptions>)).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}

fn volume(raw: Raw) -> Volume {
    Volume {
        name: raw.name,
        created: raw.created_at.map(|at| at.to_string()).unwrap_or_default(),
        labels: raw.labels,
        folder: raw.mountpoint.into(),
    }
}
