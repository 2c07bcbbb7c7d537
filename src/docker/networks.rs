//! Overlay networks, on which the services of a project reach each other by name.

use super::{Docker, DockerError, filter};
use bollard::models::NetworkCreateRequest;
use bollard::query_parameters::ListNetworksOptionsBuilder;

/// A network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Docker's id.
    pub id: String,
    /// Its name.
    pub name: String,
}

impl Docker {
    /// The overlay network of this name, if it exists.
    pub async fn find_network(&self, name: &str) -> Result<Option<Network>, DockerError> {
        let options = ListNetworksOptionsBuilder::default().filters(&filter("name", &[name.to_owned()])).build();
        let found = self.ask(self.client.list_networks(Some(options))).await?;
        // The filter matches parts of names.
        Ok(found.into_iter().find_map(|network| {
            // A fresh one has no driver until the Swarm has allocated it, but always its scope.
            let is_it = network.name.as_deref() == Some(name) && network.scope.as_deref() == Some("swarm");
            is_it.then_some(network.id).flatten().map(|id| Network { id, name: name.to_owned() })
        }))
    }

    /// Finds or creates the overlay network. Containers outside the Swarm can't attach to it.
    pub async fn ensure_network(&self, name: &str, labels: &[(&str, &str)]) -> Result<Network, DockerError> {
        if let Some(network) = self.find_network(name).await? {
            return Ok(network);
        }
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            driver: Some("overlay".into()),
            attachable: Some(false),
            labels: Some(labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()),
            ..Default::default()
        };
        match self.ask(self.client.create_network(request)).await {
            Ok(created) => Ok(Network { id: created.id, name: name.to_owned() }),
            // Somebody was faster; the Swarm says so with 409 or, in a race, with 500.
            Err(DockerError::Refused { status, message }) => {
                self.find_network(name).await?.ok_or(DockerError::Refused { status, message })
            }
            Err(error) => Err(error),
        }
    }

    /// Removes the network; one that isn't there is fine. Refused while tasks are on it.
    pub async fn remove_network(&self, name: &str) -> Result<(), DockerError> {
        let Some(network) = self.find_network(name).await? else { return Ok(()) };
        match self.ask(self.client.remove_network(&network.id)).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}
