//! Swarm secrets: values that the Swarm keeps encrypted and shows only to the tasks that were given them, as files in memory.
//! A secret never changes; another value is another secret.

use super::{Docker, DockerError, filter};
use app::model::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard::models::SecretSpec;
use bollard::query_parameters::ListSecretsOptionsBuilder;
use std::collections::HashMap;

/// A secret as the Swarm has it; nobody can read its value any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwarmSecret {
    /// Swarm's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: HashMap<String, String>,
}

impl Docker {
    /// The secrets with this label (`key` or `key=value`).
    pub async fn secrets(&self, label: &str) -> Result<Vec<SwarmSecret>, DockerError> {
        let options = ListSecretsOptionsBuilder::default().filters(&filter("label", &[label.to_owned()])).build();
        let found = self.ask(self.client.list_secrets(Some(options))).await?;
        Ok(found
            .into_iter()
            .filter_map(|secret| {
                let spec = secret.spec?;
                Some(SwarmSecret { id: secret.id?, name: spec.name?, labels: spec.labels.unwrap_or_default() })
            })
            .collect())
    }

    /// Creates a secret; its id. Refused with 409 when the name is taken.
    pub async fn create_secret(
        &self,
        name: &str,
        labels: &[(String, String)],
        value: &Secret,
    ) -> Result<String, DockerError> {
        let spec = SecretSpec {
            name: Some(name.to_owned()),
            labels: Some(labels.iter().cloned().collect()),
            data: Some(STANDARD.encode(value.expose("the Swarm keeps it encrypted"))),
            ..Default::default()
        };
        Ok(self.ask(self.client.create_secret(spec)).await?.id)
    }

    /// Removes a secret; one that isn't there is fine. Refused while a service has it.
    pub async fn remove_secret(&self, id: &str) -> Result<(), DockerError> {
        match self.ask(self.client.delete_secret(id)).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}
