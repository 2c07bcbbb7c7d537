//! One registry: the page of its kind.

use super::{external, managed};
use crate::model::id::RegistryId;
use crate::pages::PageResult;
use crate::request;

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let id: RegistryId = request::id("registry")?;
    let registry = backend.registries.get(&actor, &id).await?;
    let users = backend.registries.users(&actor, &id).await?;
    if let Some(of) = registry.managed.clone() {
        return managed::page(&actor, &backend, registry, of, users).await;
    }
    let credentials = backend.credentials.list(&actor).await?;
    Ok(external::page(registry, credentials, &users))
}
