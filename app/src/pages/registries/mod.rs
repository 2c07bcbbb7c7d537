//! Registries: where images are pushed to. `external` and `managed` are the pages of the two kinds; what both share is here.

pub mod delete;
pub mod edit;
mod external;
pub mod garbage;
pub mod list;
pub mod logs;
mod managed;
mod managed_fields;
pub mod new;
pub mod password;
pub mod run;
pub mod show;
pub mod trash;

use crate::error::AppError;
use crate::model::id::RegistryId;
use crate::model::registry::{Managed, Registry, RegistryUser};
use crate::request;
use crate::ui::{Badge, Tone};
use crate::{paths, ui::Empty};
use leptos::prelude::*;

/// Whether the credential works, in a word.
fn badge(registry: &Registry) -> AnyView {
    if registry.credential_works {
        view! { <Badge tone=Tone::Ok text="Signed in"/> }.into_any()
    } else {
        view! { <Badge tone=Tone::Bad text="Sign-in fails"/> }.into_any()
    }
}

/// Says that this is the default one, where it is.
fn default_badge(registry: &Registry) -> Option<AnyView> {
    registry.is_default.then(|| view! { <Badge tone=Tone::Idle text="Default"/> }.into_any())
}

/// What comes before `<project>/<service>` in names of images.
fn place(registry: &Registry) -> String {
    match &registry.base_path {
        Some(base) => format!("{}/{base}", registry.host),
        None => registry.host.to_string(),
    }
}

/// Platforms that builds to it produce, in words.
fn platforms(registry: &Registry) -> String {
    if registry.platforms.is_empty() {
        return "The one of the engine that builds".into();
    }
    registry.platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Platforms as they are typed.
fn typed_platforms(registry: &Registry) -> String {
    registry.platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Who uses it, and how.
fn users(users: &[RegistryUser]) -> AnyView {
    if users.is_empty() {
        return view! {
            <Empty
                title="Nobody yet"
                why="Services that build to it or run from it stand here."
                action=(paths::NEW_SERVICE.into(), "Create a service")
            />
        }
        .into_any();
    }
    let rows = users
        .iter()
        .map(|user| {
            let what = match (user.builds, user.runs) {
                (true, true) => "builds to it and runs from it",
                (true, false) => "builds to it",
                (false, _) => "runs from it",
            };
            view! { <li><span><a href=paths::service(&user.service)>{user.name.clone()}</a>" "<span class="muted">{what}</span></span></li> }
        })
        .collect_view();
    view! { <ul class="rows">{rows}</ul> }.into_any()
}

/// The managed registry of the address; an external one has no such page.
async fn find_managed() -> Result<(RegistryId, Registry, Managed), AppError> {
    let (actor, backend) = request::signed_in()?;
    let id: RegistryId = request::id("registry")?;
    let registry = backend.registries.get(&actor, &id).await?;
    let managed = registry.managed.clone().ok_or_else(|| AppError::NotFound("page".into()))?;
    Ok((id, registry, managed))
}
