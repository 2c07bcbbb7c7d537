//! What the form for a new registry begins with. A loop looks around in Docker, so that the form waits for nobody.

use super::place::{PORTS, is_free_here};
use super::{Registries, names, reach, store_managed};
use crate::docker::DockerError;
use crate::problems;
use app::error::AppError;
use app::model::platform::Platform;
use app::model::registry::{Storage, Suggestions};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks around.
const EVERY: Duration = Duration::from_secs(30);

/// What was seen last, shared by all clones.
#[derive(Clone, Debug, Default)]
pub(super) struct Around(Arc<RwLock<Seen>>);

/// Nothing, as long as nobody has looked.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// Host name of the node whose engine is asked.
    node: Option<String>,
    /// What the nodes run, each once.
    platforms: Vec<Platform>,
    /// Ports that services publish.
    published: Vec<u16>,
    /// Volumes of registries, those of deleted ones among them.
    volumes: Vec<String>,
}

impl Registries {
    /// Looks around until `stop`.
    pub async fn watch_around(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                looked = self.look_around() => {
                    // That Docker is away is said elsewhere; what was seen stays.
                    if let Err(error) = looked {
                        tracing::debug!(%error, "nobody could look around for new registries");
                    }
                }
                () = stop.cancelled() => return,
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    async fn look_around(&self) -> Result<(), DockerError> {
        let docker = &self.parts.docker;
        let mut platforms: Vec<Platform> = Vec::new();
        for platform in docker.nodes().await?.into_iter().filter_map(|node| node.platform) {
            if !platforms.contains(&platform) {
                platforms.push(platform);
            }
        }
        let seen = Seen {
            node: docker.own_node().await?.map(|(_, name)| name),
            platforms,
            published: docker.published_ports().await?,
            volumes: docker.volumes(names::REGISTRY).await?.into_iter().map(|volume| volume.name).collect(),
        };
        *self.around.0.write().unwrap_or_else(PoisonError::into_inner) = seen;
        Ok(())
    }

    /// What a form begins with, from what is known.
    pub(super) async fn suggest(&self) -> Result<Suggestions, AppError> {
        let seen = self.around.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let host = self.parts.settings.host_now();
        let records = store_managed::records(self.parts.db.read()).await.map_err(problems::of)?;
        let is_ours = |port: u16| records.iter().any(|record| record.port == port);
        let mut port = 0;
        for candidate in PORTS.filter(|port| !is_ours(*port) && !seen.published.contains(port)) {
            if is_free_here(candidate).await {
                port = candidate;
                break;
            }
        }
        let reach = match reach::decide(host.nodes, host.has_ipvs, self.parts.config.proxy_image.as_ref()) {
            Ok((_, sentence)) => sentence,
            Err(problem) => problem.to_string(),
        };
        let is_in_use = |name: &String| {
            records
                .iter()
                .any(|record| matches!(&record.wanted.storage, Storage::Volume { name: used } if used == name))
        };
        let platforms = match seen.platforms.as_slice() {
            [] => host.platform.iter().filter_map(|text| text.parse().ok()).collect(),
            known => known.to_vec(),
        };
        Ok(Suggestions {
            port,
            image: self.parts.config.registry_image.to_string(),
            reach,
            node: reach::node_sentence(seen.node.as_deref().unwrap_or("that Slipway works with"), host.nodes),
            platforms,
            volumes: seen.volumes.into_iter().filter(|name| !is_in_use(name)).collect(),
        })
    }
}
