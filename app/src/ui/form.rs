//! Forms that work without script: they post to a server function, which redirects.
//!
//! Every form names its own page, so that it can come back with what was typed and what is wrong, and carries a random
//! id, so that sending it twice does its work once.

use super::icon::{Icon, Name};
use crate::request::{self, FormState};
use leptos::prelude::*;

/// What the fields inside a form need to know.
#[derive(Clone)]
pub struct Scope {
    /// This very form, if it came back.
    pub state: Option<FormState>,
    /// Whether names are `form[name]`: the server function takes a struct.
    pub nested: bool,
}

impl Scope {
    /// The name a field is sent under.
    pub fn name(&self, field: &str) -> String {
        if self.nested { format!("form[{field}]") } else { field.to_owned() }
    }

    /// What was typed, if the form came back.
    pub fn typed(&self, field: &str) -> Option<String> {
        self.state.as_ref()?.value(field)
    }

    /// What is wrong with the field.
    pub fn error(&self, field: &str) -> Option<String> {
        self.state.as_ref()?.field_error(field)
    }
}

/// A form that posts to a server function (`Function::PATH`).
#[component]
pub fn Form(
    /// The server function's path.
    to: &'static str,
    /// Fields that aren't shown, such as `id` and `version`.
    #[prop(optional)]
    hidden: Vec<(&'static str, String)>,
    /// Whether the server function's arguments are fields themselves and not a struct called `form`.
    #[prop(optional)]
    flat: bool,
    /// Another server function that a button of this form posts to: what comes back from there belongs here too.
    #[prop(optional)]
    also: &'static str,
    /// Extra classes: `row` for a lone button.
    #[prop(optional)]
    class: &'static str,
    /// Whether files are sent with it; the guard takes them at few addresses.
    #[prop(optional)]
    upload: bool,
    /// Fields and buttons.
    children: Children,
) -> impl IntoView {
    let state =
        use_context::<FormState>().filter(|state| state.action == to || (state.action == also && !also.is_empty()));
    let hidden =
        hidden.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view();
    view! {
        <form method="post" action=to enctype=upload.then_some("multipart/form-data") class=if class.is_empty() { "form" } else { class } novalidate>
            <input type="hidden" name="page" value=request::here()/>
            <input type="hidden" name="request_id" value=random_id()/>
            {hidden}
            <leptos::context::Provider value=Scope { state, nested: !flat }>{children()}</leptos::context::Provider>
        </form>
    }
}

/// The button that sends a form.
#[component]
pub fn Submit(
    /// Verb and noun.
    #[prop(into)]
    text: String,
    /// `primary`, `danger`, `quiet` or nothing.
    #[prop(optional)]
    class: &'static str,
    /// In front of the words.
    #[prop(optional)]
    icon: Option<Name>,
    /// Name and value that are sent when this button was used.
    #[prop(optional)]
    send: Option<(&'static str, &'static str)>,
) -> impl IntoView {
    let (name, value) = send.unzip();
    view! {
        <button class=format!("button {class}") type="submit" name=name value=value>
            {icon.map(|name| view! { <Icon name/> })}
            {text}
        </button>
    }
}

/// 128 random bits in hex.
fn random_id() -> String {
    let mut bytes = [0; 16];
    if let Err(error) = getrandom::fill(&mut bytes) {
        // Without an id a form is not protected against being sent twice; everything else works.
        tracing::error!(%error, "no randomness for a form's id");
        return String::new();
    }
    crate::model::text::hex(&bytes)
}
