//! What people can ask for: one trait per noun, and the server functions that forms send to.
//!
//! The server implements the traits and hands a [`Backend`] to every request; the command line uses them directly.
//! Permission, validation, storage and the record of who did it belong to the use case behind the trait.

pub mod accounts;
pub mod builders;
pub mod builds;
pub mod cleanup;
pub mod credentials;
pub mod disk;
pub mod git_access;
pub mod images;
pub mod jobs;
pub mod registries;
pub mod retention;
pub mod services;
pub mod settings;
pub mod tokens;
pub mod trash;
pub mod triggers;
pub mod ways_back;

use std::sync::Arc;

/// Everything the product can do.
#[derive(Clone)]
pub struct Backend {
    /// People and sign-in.
    pub accounts: Arc<dyn accounts::AccountsApi>,
    /// API tokens.
    pub tokens: Arc<dyn tokens::TokensApi>,
    /// Credentials.
    pub credentials: Arc<dyn credentials::CredentialsApi>,
    /// Registries.
    pub registries: Arc<dyn registries::RegistriesApi>,
    /// What registries hold.
    pub images: Arc<dyn images::ImagesApi>,
    /// How to sign in at git hosts.
    pub git_accesses: Arc<dyn git_access::GitAccessApi>,
    /// What runs builds.
    pub builders: Arc<dyn builders::BuildersApi>,
    /// Builds.
    pub builds: Arc<dyn builds::BuildsApi>,
    /// Services and deployments.
    pub services: Arc<dyn services::ServicesApi>,
    /// What starts builds and deployments from outside.
    pub triggers: Arc<dyn triggers::TriggersApi>,
    /// What may be deleted from registries.
    pub retention: Arc<dyn retention::RetentionApi>,
    /// Runs of retention, and what they deleted.
    pub trash: Arc<dyn trash::TrashApi>,
    /// What of our own lies on nodes and may go.
    pub cleanup: Arc<dyn cleanup::CleanupApi>,
    /// Room on disks.
    pub disk: Arc<dyn disk::DiskApi>,
    /// Jobs and their logs.
    pub jobs: Arc<dyn jobs::JobsApi>,
    /// What the machine can do, Swarm mode.
    pub settings: Arc<dyn settings::SettingsApi>,
}
