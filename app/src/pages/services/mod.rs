//! Services: what runs in the Swarm.

pub mod build;
pub mod delete;
pub mod deployment;
pub mod edit;
mod form;
pub mod list;
pub mod new;
pub mod push_name;
pub mod roll_back;
pub mod show;
pub mod standing;
pub mod triggers;

use crate::model::registry::Registry;
use crate::model::service::Settings;
use crate::paths;
use crate::ui::{Fact, Note};
use leptos::prelude::*;

/// Says that nothing can be built yet, where there is no registry.
fn no_registry(registries: &[Registry]) -> Option<impl IntoView + use<>> {
    registries.is_empty().then(|| {
        view! {
            <Note tone="warn" title="There is no registry to push to.">
                <p>"A build pushes its image to a registry, and the Swarm pulls it from there. Until there is one, builds are refused."</p>
                <p><a href=paths::NEW_REGISTRY>"Create a registry"</a></p>
            </Note>
        }
    })
}

/// Settings as facts. Values of variables aren't shown: some are secrets.
fn settings_facts(settings: &Settings) -> impl IntoView + use<> {
    let none = || view! { <span class="muted">"None"</span> }.into_any();
    let list = |items: Vec<String>| {
        let count = items.len();
        items
            .into_iter()
            .enumerate()
            .map(|(index, item)| view! { <code>{item}</code> {(index + 1 < count).then_some(", ")} })
            .collect_view()
            .into_any()
    };
    let ports: Vec<_> = settings.ports.iter().map(ToString::to_string).collect();
    let env: Vec<_> = settings.env.iter().map(|(name, _)| name.clone()).collect();
    let ports = if ports.is_empty() { none() } else { list(ports) };
    let env = if env.is_empty() { none() } else { list(env) };
    let health = match &settings.health {
        Some(health) => view! { <code>{form::command_line(&health.command)}</code> }.into_any(),
        None => none(),
    };
    let replicas = settings.replicas;
    view! {
        <Fact name="Ports">{ports}</Fact>
        <Fact name="Replicas">{replicas}</Fact>
        <Fact name="Variables">{env}</Fact>
        <Fact name="Health check">{health}</Fact>
    }
}
