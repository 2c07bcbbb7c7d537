//! The credential form's fields, as the provider words them; for a new credential and for an edit.

use crate::model::credential::Credential;
use crate::model::preset::Preset;
use crate::model::provider::Provider;
use crate::ui::form::Scope;
use crate::ui::{Checkbox, Field, SecretField, Select, Submit, TextArea};
use leptos::prelude::*;

/// The fields of a new credential.
pub(super) fn new(provider: Provider) -> impl IntoView {
    let preset = Preset::of(provider);
    let namespaces = preset.namespaces.map(|(label, hint)| view! { <Field field="namespaces" label=label hint=hint/> });
    view! {
        <Field field="name" label="Name" required=true hint="What you call it, like “GHCR push”."/>
        <Field field="url" label="Registry address" value=preset.url required=true mono=true inputmode="url" hint=preset.url_hint/>
        <Sure/>
        <Field field="username" label=preset.username_label value=preset.username required=true autocomplete="off"
            hint=preset.username_hint/>
        <SecretField field="password" label=preset.password_label autocomplete="off" required=true
            hint=format!("{} It is stored encrypted and never shown.", preset.password_hint)/>
        {namespaces}
        <Expiry/>
        <Options open=!provider.has_own_hosts()/>
        <Submit text="Save credential" class="primary"/>
    }
}

/// The fields of one that is there.
pub(super) fn of(credential: &Credential) -> impl IntoView + use<> {
    let credential = credential.clone();
    let preset = Preset::of(credential.provider);
    let namespaces = preset.namespaces.map(|(label, hint)| {
        view! { <Field field="namespaces" label=label hint=hint value=credential.namespaces.join(", ")/> }
    });
    let providers = Provider::ALL.map(|provider| (provider.as_str().to_owned(), provider.name().to_owned())).to_vec();
    let trust = credential.trust;
    let is_open = trust.internal || trust.ca.is_some() || trust.realm.is_some();
    view! {
        <Field field="name" label="Name" value=credential.name required=true/>
        <Select field="provider" label="Provider" options=providers value=credential.provider.as_str()
            hint="Whose rules it follows: how images are listed, and what its errors mean."/>
        <Field field="url" label="Registry address" value=credential.url.to_string() required=true mono=true inputmode="url"
            hint=preset.url_hint/>
        <Sure/>
        <Field field="username" label=preset.username_label value=credential.username required=true autocomplete="off"
            hint=preset.username_hint/>
        <SecretField field="password" label=preset.password_label autocomplete="off"
            hint="Leave empty to keep the one that is stored. It is never shown."/>
        {namespaces}
        <Expiry value=credential.expires_on.map(|day| day.to_string()).unwrap_or_default()/>
        <Options open=is_open internal=trust.internal ca=trust.ca.unwrap_or_default() realm=trust.realm.unwrap_or_default()/>
        <Submit text="Save credential" class="primary"/>
    }
}

/// Shown when the host looks like a well-known one, and as long as that is ticked.
#[component]
fn Sure() -> impl IntoView {
    let is_asked =
        use_context::<Scope>().is_some_and(|form| form.error("sure").is_some() || form.typed("sure").is_some());
    is_asked.then(|| view! { <Checkbox field="sure" label="This really is the host I mean"/> })
}

#[component]
fn Expiry(#[prop(optional, into)] value: String) -> impl IntoView {
    view! {
        <Field field="expires_on" label="Expires on" kind="date" value=value
            hint="If the token ends on a day: the overview says so two weeks before."/>
    }
}

/// What is trusted on the way; folded away where nobody needs it, open when the form came back.
#[component]
fn Options(
    open: bool,
    #[prop(optional)] internal: bool,
    #[prop(optional, into)] ca: String,
    #[prop(optional, into)] realm: String,
) -> impl IntoView {
    let came_back = use_context::<Scope>().is_some_and(|form| form.state.is_some());
    view! {
        <details class="options" open=open || came_back>
            <summary>"Network and trust"</summary>
            <div class="stack">
                <Checkbox field="internal" label="Internal network" checked=internal
                    hint="The registry is in your own network: private addresses and this machine may be reached, over plain \
                          http:// too."/>
                <TextArea field="ca" label="Private authority" value=ca rows=3
                    hint="Certificate in PEM of the authority that signed the registry's, if it isn't a public one."/>
                <Field field="realm" label="Approved sign-in service" value=realm mono=true inputmode="url"
                    hint="Only if the registry has people sign in at another host: https://auth.example.com. It is given the \
                          password."/>
            </div>
        </details>
    }
}
