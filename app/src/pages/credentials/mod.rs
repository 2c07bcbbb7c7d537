//! Credentials: how to sign in at one registry host.

pub mod delete;
pub mod list;
pub mod new;
pub mod show;

use crate::model::credential::{Credential, CredentialState};
use crate::ui::{Badge, Checkbox, Field, SecretField, Submit, Tone};
use leptos::prelude::*;

/// What the last test found, in a word.
fn badge(state: &CredentialState) -> AnyView {
    match state {
        CredentialState::Works => view! { <Badge tone=Tone::Ok text="Works"/> },
        CredentialState::Fails(_) => view! { <Badge tone=Tone::Bad text="Fails"/> },
    }
    .into_any()
}

/// The fields, for a new credential and for an edit.
fn fields(of: Option<&Credential>) -> impl IntoView + use<> {
    let (name, url, username) =
        of.map_or_else(Default::default, |of| (of.name.clone(), of.url.to_string(), of.username.clone()));
    let (hint, is_new) = match of {
        Some(_) => ("Leave empty to keep the one that is stored. It is never shown.", false),
        None => ("An access token with the right to push is better than your password. It is stored encrypted.", true),
    };
    view! {
        <Field field="name" label="Name" value=name required=true hint="What you call it, like “GHCR push”."/>
        <Field field="url" label="Registry address" value=url required=true mono=true inputmode="url"
            hint="https://registry.example.com, or 127.0.0.1:5000 for a registry on this machine."/>
        <Field field="username" label="User name" value=username required=true autocomplete="off"/>
        <SecretField field="password" label="Password or token" autocomplete="off" required=is_new hint=hint/>
        <Checkbox field="internal" label="Internal network" checked=of.is_some_and(|of| of.trust.internal)
            hint="The registry is in your own network: private addresses and this machine may be reached, over plain \
                  http:// too."/>
        <Submit text="Save credential" class="primary"/>
    }
}
