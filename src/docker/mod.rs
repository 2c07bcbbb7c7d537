//! The Docker engine and its Swarm, through bollard. The only place that knows bollard.
//!
//! What must always hold: no call that isn't a stream takes longer than [`LIMIT`], so a hung daemon costs seconds, not
//! workers; errors are plain words; what is sent to the Swarm is built from [`Spec`], which has no field for the host's
//! folders, privileges or name spaces; named volumes and secrets are for services that Slipway itself runs ([`Own`]).
//!
//! Engine API: <https://docs.docker.com/reference/api/engine/>.

mod control_groups;
mod error;
mod host;
mod images;
mod ipvs;
mod jobs;
mod logs;
mod networks;
mod presence;
mod runs;
mod secrets;
mod services;
mod tasks;
mod transport;
mod volumes;

pub use control_groups::{Caps, ControlGroup, ControlGroups};
pub use error::DockerError;
pub use host::{Engine, Node, SwarmMode};
pub use images::{EngineImage, ImagesInUse};
pub use ipvs::has_ipvs;
pub use jobs::OneShot;
pub use logs::{LogLine, LogQuery};
pub use networks::Network;
pub use runs::Runs;
pub use secrets::SwarmSecret;
pub use services::{Found, GivenSecret, Own, Publishing, PullLogin, Spec, Update};
pub use tasks::{Task, TaskState};
pub use volumes::Volume;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// The longest that one call may take.
pub const LIMIT: Duration = Duration::from_secs(10);

/// A directive for the log's filter, whatever else is asked for: at debug the library writes whole requests and answers,
/// environment variables of services among them.
pub const NEVER_LOGGED: &str = "bollard=off";

/// A connection to one engine. Cheap to clone; connects anew for every call, so it survives restarts of the daemon.
#[derive(Clone)]
pub struct Docker {
    client: bollard::Docker,
    address: Arc<str>,
}

impl std::fmt::Debug for Docker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Docker({})", self.address)
    }
}

impl Docker {
    /// For the engine at `unix:///path` or `tcp://host:port`. Doesn't connect yet, so it works while Docker is down.
    pub fn connect(address: &str) -> Result<Self, DockerError> {
        Ok(Self { client: transport::client(address)?, address: address.into() })
    }

    /// Where the engine is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// One call, bounded by [`LIMIT`].
    async fn ask<T>(&self, call: impl Future<Output = Result<T, bollard::errors::Error>>) -> Result<T, DockerError> {
        self.ask_within(LIMIT, call).await
    }

    /// One call that may take longer than others.
    async fn ask_within<T>(
        &self,
        limit: Duration,
        call: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, DockerError> {
        match tokio::time::timeout(limit, call).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(DockerError::of(&self.address, error)),
            Err(_) => Err(DockerError::Timeout { address: self.address.to_string() }),
        }
    }
}

/// The filter `{key: values}` of list calls.
fn filter(key: &str, values: &[String]) -> std::collections::HashMap<String, Vec<String>> {
    std::collections::HashMap::from([(key.to_owned(), values.to_vec())])
}
