//! What the parts of a managed registry are called in Docker, and the labels that mark them as ours.

use app::model::id::RegistryId;
use std::collections::HashMap;

/// Label of all that Slipway made.
pub(super) const MANAGED: &str = "slipway.managed";
/// Label that names the registry; on its service, proxy, secrets and volume.
pub(super) const REGISTRY: &str = "slipway.registry";
/// Label that says which of a registry's services it is: [`SERVES`] or [`PASSES_ON`].
pub(super) const ROLE: &str = "slipway.role";
/// The role of the registry itself.
pub(super) const SERVES: &str = "registry";
/// The role of the proxy on every node.
pub(super) const PASSES_ON: &str = "registry-proxy";
/// The role of what collects the garbage beside it.
pub(super) const COLLECTS: &str = "registry-garbage";
/// Label of what works for a job.
pub(super) const JOB: &str = "slipway.job";
/// Label of services: the revision of the settings that they were made from.
pub(super) const REVISION: &str = "slipway.revision";
/// The overlay network of all managed registries and their proxies.
pub(super) const NETWORK: &str = "slipway-registries";

/// The label filter that finds what belongs to a registry.
pub(super) fn filter(id: &RegistryId) -> String {
    format!("{REGISTRY}={id}")
}

/// The labels of what belongs to a registry.
pub(super) fn labels(id: &RegistryId) -> Vec<(String, String)> {
    vec![(MANAGED.to_owned(), "true".to_owned()), (REGISTRY.to_owned(), id.to_string())]
}

/// Whether these labels say that something was made for the registry.
pub(super) fn are_of(labels: &HashMap<String, String>, id: &RegistryId) -> bool {
    labels.get(REGISTRY).is_some_and(|named| named == id.as_str())
}

/// The Swarm service, also the volume of a registry that has one.
pub(super) fn service(id: &RegistryId) -> String {
    format!("slipway-registry-{}", id.short())
}

/// The service that passes on to it from every node.
pub(super) fn proxy(id: &RegistryId) -> String {
    format!("{}-proxy", service(id))
}

/// The service that collects its garbage.
pub(super) fn garbage(id: &RegistryId) -> String {
    format!("{}-garbage", service(id))
}

/// What it is called on the network.
pub(super) fn alias(id: &RegistryId) -> String {
    format!("registry-{}", id.short())
}

/// The Swarm secret with one of its files, `config` or `htpasswd`, of a revision.
pub(super) fn secret(id: &RegistryId, file: &str, revision: i64) -> String {
    format!("{}-{file}-{revision}", service(id))
}

/// What one job at a time changes.
pub(super) fn subject(id: &RegistryId) -> String {
    format!("registry:{id}")
}
