//! Frames around content: page heads, cards, and what stands where a list is empty.

use super::icon::{Icon, Name};
use leptos::prelude::*;

/// The page's only `h1`, a badge beside it, and actions at the right.
#[component]
pub fn PageHead(
    /// The heading.
    #[prop(into)]
    title: String,
    /// Where the page belongs, for pages of the third level on: address and words.
    #[prop(optional)]
    under: Option<(String, String)>,
    /// A state beside the heading.
    #[prop(default = None, into)]
    badge: Option<AnyView>,
    /// Buttons; at most one is primary.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="page-head">
            <div class="titles">
                {under.map(|(href, text)| view! { <a class="under" href=href>{text}</a> })}
                <div class="row"><h1>{title}</h1>{badge}</div>
            </div>
            {children.map(|children| view! { <div class="row">{children()}</div> })}
        </div>
    }
}

/// A section with a heading.
#[component]
pub fn Card(
    /// The heading.
    #[prop(into)]
    title: String,
    /// Without inner space, for tables and logs.
    #[prop(optional)]
    flush: bool,
    /// Anchor, so that links can lead here.
    #[prop(optional, into)]
    id: Option<String>,
    /// What stands at the right of the heading.
    #[prop(optional, into)]
    actions: Option<AnyView>,
    /// The content.
    children: Children,
) -> impl IntoView {
    view! {
        <section class="card" id=id>
            <header><h2>{title}</h2>{actions}</header>
            <div class=if flush { "flush" } else { "body" }>{children()}</div>
        </section>
    }
}

/// What stands where a list would be: why it is empty, and the one thing to do about it.
#[component]
pub fn Empty(
    /// "No builds yet".
    title: &'static str,
    /// One sentence why.
    #[prop(into)]
    why: String,
    /// Address and words of the one action.
    #[prop(optional)]
    action: Option<(String, &'static str)>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <h3>{title}</h3>
            <p>{why}</p>
            {action.map(|(href, text)| view! { <a class="button" href=href><Icon name=Name::Plus/>{text}</a> })}
        </div>
    }
}
