//! Every address as a function or constant; nobody writes `/credentials/…` by hand.

use crate::model::id::{BuildId, CredentialId, DeploymentId, JobId, RegistryId, ServiceId};

/// The first page.
pub const OVERVIEW: &str = "/";
/// Sign in.
pub const SIGN_IN: &str = "/sign-in";
/// Sign in, then go on to a local address.
pub fn sign_in_then(next: &str) -> String {
    let mut encoded = String::new();
    for byte in next.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("{SIGN_IN}?next={encoded}")
}
/// Create the owner, once.
pub const SETUP: &str = "/setup";
/// All services.
pub const SERVICES: &str = "/services";
/// A new service.
pub const NEW_SERVICE: &str = "/services/new";
/// All builds.
pub const BUILDS: &str = "/builds";
/// All registries.
pub const REGISTRIES: &str = "/registries";
/// A new registry.
pub const NEW_REGISTRY: &str = "/registries/new";
/// All credentials.
pub const CREDENTIALS: &str = "/credentials";
/// A new credential.
pub const NEW_CREDENTIAL: &str = "/credentials/new";
/// All jobs.
pub const JOBS: &str = "/jobs";
/// Settings.
pub const SETTINGS: &str = "/settings";

/// A credential's page; edit is on it.
pub fn credential(id: &CredentialId) -> String {
    format!("/credentials/{id}")
}

/// Deleting a credential.
pub fn delete_credential(id: &CredentialId) -> String {
    format!("/credentials/{id}/delete")
}

/// A registry's page; edit is on it.
pub fn registry(id: &RegistryId) -> String {
    format!("/registries/{id}")
}

/// Deleting a registry.
pub fn delete_registry(id: &RegistryId) -> String {
    format!("/registries/{id}/delete")
}

/// A service's page.
pub fn service(id: &ServiceId) -> String {
    format!("/services/{id}")
}

/// Changing a service.
pub fn edit_service(id: &ServiceId) -> String {
    format!("/services/{id}/edit")
}

/// Deleting a service.
pub fn delete_service(id: &ServiceId) -> String {
    format!("/services/{id}/delete")
}

/// A build's page.
pub fn build(id: &BuildId) -> String {
    format!("/builds/{id}")
}

/// A deployment's page: what it is, its log, and "Roll back to this".
pub fn deployment(id: &DeploymentId) -> String {
    format!("/deployments/{id}")
}

/// A job's page.
pub fn job(id: &JobId) -> String {
    format!("/jobs/{id}")
}

/// A job's live log: server-sent events, `?from=<byte offset>` or `Last-Event-ID`.
pub fn job_log(id: &JobId) -> String {
    format!("/jobs/{id}/log")
}

/// A job's whole log as text.
pub fn job_log_text(id: &JobId) -> String {
    format!("/jobs/{id}/log.txt")
}
