//! Where a registry goes: its port, how nodes reach it, its volume; found by looking.

use super::{Registries, reach, store_managed};
use crate::problems;
use app::error::{AppError, Problem};
use app::model::registry::{Reach, Storage};
use app::model::settings::{DockerState, Host};
use app::paths;
use tokio::net::TcpListener;

/// Where free ports are looked for.
pub(super) const PORTS: std::ops::RangeInclusive<u16> = 5000..=5999;

impl Registries {
    /// The machine as it is now, if registries can run on it.
    async fn host(&self) -> Result<Host, AppError> {
        let host = match self.parts.settings.host_now() {
            // Right after the start nobody has looked yet.
            host if host.looked_at == 0 || host.docker != DockerState::Ready => self.parts.settings.look().await,
            host => host,
        };
        let problem = match &host.docker {
            DockerState::Ready => return Ok(host),
            DockerState::Unreachable { reason } => Problem::new(
                "docker.unreachable",
                format!("Docker can't be used now: {reason}"),
                "Start Docker; Slipway notices within seconds.",
            ),
            DockerState::Unknown | DockerState::NoSwarm { .. } | DockerState::NotManager => Problem::new(
                "docker.no_swarm",
                "A registry runs as a service of a Swarm, and Docker isn't the manager of one.",
                "Start Swarm mode in Settings, or connect Slipway to a manager.",
            )
            .with_link(paths::SETTINGS, "Open Settings"),
        };
        Err(problem.into())
    }

    /// How nodes would reach a registry by what they are now.
    pub(super) async fn reach_now(&self) -> Result<Reach, AppError> {
        let host = self.host().await?;
        let decided = reach::decide(host.nodes, host.has_ipvs, self.parts.config.proxy_image.as_ref());
        decided.map(|(reach, _)| reach).map_err(AppError::Problem)
    }

    /// The port that is asked for if it is free, or a free one.
    pub(super) async fn choose_port(&self, wanted: Option<u16>) -> Result<u16, AppError> {
        let published = self.parts.docker.published_ports().await.map_err(|error| error.problem())?;
        let records = store_managed::records(self.parts.db.read()).await.map_err(problems::of)?;
        let owner = |port: u16| records.iter().find(|record| record.port == port);
        let Some(port) = wanted else {
            for port in PORTS.filter(|port| !published.contains(port) && owner(*port).is_none()) {
                if is_free_here(port).await {
                    return Ok(port);
                }
            }
            return Err(AppError::field("port", "All ports from 5000 to 5999 are taken. Name another one."));
        };
        let taken = if let Some(record) = owner(port) {
            format!("The registry {} has port {port}.", record.name)
        } else if published.contains(&port) {
            format!("Another service of the Swarm publishes port {port}.")
        } else if !is_free_here(port).await {
            format!("Something on this machine listens on port {port} already.")
        } else {
            return Ok(port);
        };
        Err(AppError::field("port", format!("{taken} Choose another one, or leave it empty for a free one.")))
    }

    /// A volume that exists already has to exist, and to be nobody else's.
    pub(super) async fn check_volume(&self, name: &str) -> Result<(), AppError> {
        let field = |text: String| Err(AppError::field("volume", text));
        for record in store_managed::records(self.parts.db.read()).await.map_err(problems::of)? {
            if matches!(&record.wanted.storage, Storage::Volume { name: other } if other == name) {
                return field(format!(
                    "The registry {} has this volume. Two registries in one would ruin it.",
                    record.name
                ));
            }
        }
        let docker = &self.parts.docker;
        if docker.find_volume(name).await.map_err(|error| error.problem())?.is_none() {
            return field("There is no such volume on this node. Leave it empty for a new one.".into());
        }
        if docker.is_volume_used(name).await.map_err(|error| error.problem())? {
            return field("A container uses this volume. Choose another one, or leave it empty for a new one.".into());
        }
        Ok(())
    }
}

/// Whether nobody on this machine listens there.
pub(super) async fn is_free_here(port: u16) -> bool {
    TcpListener::bind(("0.0.0.0", port)).await.is_ok()
}
