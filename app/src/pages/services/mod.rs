//! Services: what runs in the Swarm.

pub mod build;
pub mod changes;
pub mod delete;
pub mod deployment;
pub mod edit;
mod form;
mod how;
pub mod list;
pub mod new;
pub mod push_name;
pub mod roll_back;
pub mod running;
pub mod show;
pub mod standing;
pub mod triggers;

use crate::model::registry::Registry;
use crate::model::service::Settings;
use crate::model::service_form::command_line;
use crate::model::service_settings::{cores_text, memory_text};
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
        Some(health) => view! { <code>{command_line(&health.command)}</code> }.into_any(),
        None => none(),
    };
    let replicas = settings.replicas;
    let names = |items: Vec<String>| (!items.is_empty()).then(|| list(items));
    let more = [
        ("Secrets", names(settings.secrets.iter().map(|file| file.name.clone()).collect())),
        ("Command", names(line(&settings.command))),
        ("Arguments", names(line(&settings.args))),
        ("At most", names(amounts(settings.resources.memory, settings.resources.millicpus))),
        ("Reserved", names(amounts(settings.resources.memory_reserved, settings.resources.millicpus_reserved))),
        ("Mounts", names(settings.mounts.iter().map(ToString::to_string).collect())),
        ("Placement", names(settings.constraints.clone())),
        ("More networks", names(settings.networks.clone())),
    ];
    let more = more
        .into_iter()
        .filter_map(|(name, content)| content.map(|content| view! { <Fact name=name>{content}</Fact> }))
        .collect_view();
    view! {
        <Fact name="Ports">{ports}</Fact>
        <Fact name="Replicas">{replicas}</Fact>
        <Fact name="Variables">{env}</Fact>
        <Fact name="Health check">{health}</Fact>
        {more}
    }
}

fn line(words: &[String]) -> Vec<String> {
    if words.is_empty() { Vec::new() } else { vec![command_line(words)] }
}

fn amounts(memory: Option<u64>, millicpus: Option<u32>) -> Vec<String> {
    let cores = millicpus.map(|millis| match cores_text(millis).as_str() {
        "1" => "1 core".to_owned(),
        text => format!("{text} cores"),
    });
    memory.map(memory_text).into_iter().chain(cores).collect()
}
