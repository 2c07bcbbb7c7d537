//! Registries, on a real database.

mod default;
mod delete;
pub mod managed;
mod update;

use crate::credentials::{CANARY, House, form, honest};
use crate::liar::Liar;
use app::api::credentials::CredentialsApi as _;
use app::model::id::CredentialId;
use app::model::registry::RegistryForm;

/// A house with one credential, whose registry runs as long as the liar is kept.
async fn house() -> (House, Liar, CredentialId) {
    let house = House::open().await;
    let registry = honest().await;
    let id = house.credentials.create(&house.actor, form("Main", &registry.host(), CANARY)).await.expect("created");
    (house, registry, id)
}

fn registry(name: &str, credential: &CredentialId, is_default: bool) -> RegistryForm {
    RegistryForm {
        name: name.into(),
        credential: credential.to_string(),
        base_path: String::new(),
        is_default: is_default.then(|| "on".to_owned()),
        platforms: String::new(),
    }
}
