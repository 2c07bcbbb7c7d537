//! Registries: where images are pushed to.

pub mod delete;
pub mod list;
pub mod new;
pub mod show;

use crate::model::credential::Credential;
use crate::model::registry::Registry;
use crate::ui::{Badge, Checkbox, Field, Select, Submit, Tone};
use leptos::prelude::*;

/// Whether the credential works, in a word.
fn badge(registry: &Registry) -> AnyView {
    if registry.credential_works {
        view! { <Badge tone=Tone::Ok text="Signed in"/> }.into_any()
    } else {
        view! { <Badge tone=Tone::Bad text="Sign-in fails"/> }.into_any()
    }
}

/// The fields, for a new registry and for an edit.
fn fields(of: Option<&Registry>, credentials: Vec<Credential>, is_first: bool) -> impl IntoView + use<> {
    let options = credentials
        .into_iter()
        .map(|credential| {
            let words = format!("{} ({} at {})", credential.name, credential.username, credential.url.host);
            (credential.id.to_string(), words)
        })
        .collect();
    let name = of.map(|of| of.name.clone()).unwrap_or_default();
    let chosen = of.map(|of| of.credential.to_string()).unwrap_or_default();
    let base = of.and_then(|of| of.base_path.as_ref()).map(ToString::to_string).unwrap_or_default();
    let is_default = of.map_or(is_first, |of| of.is_default);
    view! {
        <Field field="name" label="Name" value=name required=true hint="What you call it, like “internal”."/>
        <Select field="credential" label="Credential" options=options value=chosen hint="It decides the host and the account."/>
        <Field field="base_path" label="Base path" value=base mono=true
            hint="Optional. Comes before <project>/<service>: your organisation at GHCR, your Docker ID at Docker Hub."/>
        <Checkbox field="is_default" label="Use as default" checked=is_default
            hint="Services that don't name a registry push here."/>
        <Submit text="Save registry" class="primary"/>
    }
}
