//! Facts in two columns, and the long names among them.

use crate::islands::copy::Copy;
use crate::ui::icon::{self, Name};
use leptos::prelude::*;

/// A list of facts.
#[component]
pub fn Facts(children: Children) -> impl IntoView {
    view! { <dl class="facts">{children()}</dl> }
}

/// One fact.
#[component]
pub fn Fact(
    /// What it is.
    name: &'static str,
    /// The value.
    children: Children,
) -> impl IntoView {
    view! { <dt>{name}</dt><dd>{children()}</dd> }
}

/// A digest in full, with a copy button.
#[component]
pub fn Digest(
    /// `sha256:…`
    #[prop(into)]
    digest: String,
) -> impl IntoView {
    view! {
        <span class="long">
            <code data-digest=digest.clone()>{digest.clone()}</code>
            <Copy text=digest name="Copy the digest".to_owned() icon=icon::href(Name::Copy)/>
        </span>
    }
}

/// An image's reference in full, with a copy button.
#[component]
pub fn Reference(
    /// `host/path:tag`
    #[prop(into)]
    reference: String,
) -> impl IntoView {
    view! {
        <span class="long">
            <code data-reference=reference.clone()>{reference.clone()}</code>
            <Copy text=reference name="Copy the image reference".to_owned() icon=icon::href(Name::Copy)/>
        </span>
    }
}
