//! What a registry's service stands on: the network, its secrets, its volume. Each is made when it isn't there, so all of it
//! can be done again and again.

use super::record::Record;
use super::{Registries, config, names, store_managed};
use crate::docker::{GivenSecret, Network, Volume};
use crate::jobs::{self, JobContext, JobError};
use app::error::Problem;
use app::model::registry::Storage;
use app::paths;

impl Registries {
    /// The network of all managed registries.
    pub(super) async fn network(&self) -> Result<Network, JobError> {
        Ok(self.parts.docker.ensure_network(names::NETWORK, &[(names::MANAGED, "true")]).await?)
    }

    /// The secrets of its revision, with the files that they are in the container.
    pub(super) async fn secrets(&self, record: &Record) -> Result<Vec<GivenSecret>, JobError> {
        let there = self.parts.docker.secrets(&names::filter(&record.id)).await?;
        let mut given = Vec::new();
        for (file, path) in [("config", config::CONFIG), ("htpasswd", config::HTPASSWD)] {
            let name = names::secret(&record.id, file, record.revision);
            let id = match there.iter().find(|secret| secret.name == name) {
                // Revisions only grow, so it was made from these very settings.
                Some(secret) => secret.id.clone(),
                None => {
                    let value = match file {
                        "config" => self.config_of(record).await?,
                        _ => self.htpasswd_of(record).await?,
                    };
                    self.parts.docker.create_secret(&name, &names::labels(&record.id), &value).await?
                }
            };
            given.push(GivenSecret { id, name, file: path.to_owned() });
        }
        Ok(given)
    }

    /// Its volume: made the first time, and from then on the very same one. A fresh one in its place would look like a
    /// registry that is well and has lost all images.
    pub(super) async fn volume(&self, record: &Record, cx: &JobContext) -> Result<(), JobError> {
        let Storage::Volume { name } = &record.wanted.storage else { return Ok(()) };
        let here = self.parts.docker.own_node().await?;
        if let (Some((node, host)), Some((id, _))) = (&record.node, &here)
            && node != id
        {
            cx.log(&format!("The volume {name} is on {host}, which this engine can't look at."));
            return Ok(());
        }
        let found = self.parts.docker.find_volume(name).await?;
        let volume = match (&record.volume_created, found) {
            (Some(before), Some(found)) if found.created == *before || names::are_of(&found.labels, &record.id) => {
                cx.log(&format!("The volume {name} is there."));
                return Ok(());
            }
            (Some(_), found) => return Err(lost(record, name, found.as_ref()).into()),
            (None, Some(found)) => {
                cx.log(&format!("The volume {name} is there already and is used."));
                found
            }
            (None, None) => {
                let made = self.parts.docker.ensure_volume(name, &names::labels(&record.id)).await?;
                cx.log(&format!("Volume {name} created."));
                made
            }
        };
        let mut tx = self.parts.db.write().await.map_err(jobs::internal)?;
        store_managed::set_volume_created(&mut tx, &record.id, Some(&volume.created)).await.map_err(jobs::internal)?;
        tx.commit().await.map_err(jobs::internal)
    }
}

/// The images are gone; nobody but people can say what that means.
fn lost(record: &Record, name: &str, found: Option<&Volume>) -> Problem {
    let cause = match found {
        None => format!("The volume {name}, which kept the images of {}, was removed.", record.name),
        Some(_) => {
            format!(
                "The volume {name} isn't the one that kept the images of {}: it was removed and made anew.",
                record.name
            )
        }
    };
    Problem::new(
        "registry.volume_lost",
        cause,
        "Put the volume back from a backup, or accept the loss on the registry's page and build your services anew.",
    )
    .with_link(paths::registry(&record.id), "Open the registry")
}
