//! Environment variables of services and deployments: names in the row, values sealed in the vault.

use crate::clock::Clock;
use crate::storage::Tx;
use crate::vault::{Vault, VaultError};
use app::model::secret::Secret;
use app::model::service::Settings;

type Env = Vec<(String, String)>;
const NAME: &str = "env";

/// The same settings with the names of environment variables alone: what a row holds.
pub(super) fn without_values(settings: &Settings) -> Settings {
    let env = settings.env.iter().map(|(name, _)| (name.clone(), String::new())).collect();
    Settings { env, ..settings.clone() }
}

/// Seals the values for `owner` (a service's or deployment's id); replaces what was there.
pub(super) async fn keep(
    vault: &Vault,
    clock: &Clock,
    tx: &mut Tx,
    owner: &str,
    settings: &Settings,
) -> Result<(), VaultError> {
    if settings.env.is_empty() {
        return vault.forget(tx, owner).await;
    }
    let json = serde_json::to_string(&settings.env).unwrap_or_default();
    vault.put(tx, clock, owner, NAME, &Secret::new(json)).await
}

/// Settings from a row with the values put back.
pub(super) async fn with_values<'e>(
    vault: &Vault,
    db: impl sqlx::SqliteExecutor<'e>,
    owner: &str,
    settings: Settings,
) -> Result<Settings, VaultError> {
    if settings.env.is_empty() {
        return Ok(settings);
    }
    let secret = vault.get(db, owner, NAME).await?;
    let env: Env = serde_json::from_str(secret.expose("the service runs with it"))
        .map_err(|_| VaultError::Sealed { owner: owner.into(), name: NAME.into() })?;
    Ok(Settings { env, ..settings })
}
