//! Where images come from: each list's state in words, and the button that reads it anew.

use super::{allowance_words, is_scarce, listing_words};
use crate::api::images::RefreshImages;
use crate::model::image::{Listing, Source};
use crate::model::text;
use crate::paths;
use crate::ui::{Badge, Empty, Form, Tone};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

fn tone(listing: &Listing) -> (Tone, &'static str) {
    match listing {
        Listing::Never => (Tone::Idle, "Not read yet"),
        Listing::Reading { .. } => (Tone::Busy, "Reading"),
        Listing::Complete { is_refreshing: true, .. } => (Tone::Busy, "Reading again"),
        Listing::Complete { .. } => (Tone::Ok, "Complete"),
        Listing::CannotList { .. } => (Tone::Idle, "Checks names"),
        Listing::Failed { .. } => (Tone::Bad, "Failed"),
    }
}

fn details(listing: &Listing) -> Option<AnyView> {
    match listing {
        Listing::CannotList { why } => Some(view! { <span class="hint">{why.clone()}</span> }.into_any()),
        Listing::Failed { problem, .. } => Some(
            view! {
                <span class="failed" data-problem=problem.code.clone()>{problem.cause.clone()}</span>
                <span class="hint">{problem.remedy.clone()}</span>
            }
            .into_any(),
        ),
        _ => None,
    }
}

/// All sources.
pub fn table(sources: Vec<Source>) -> AnyView {
    if sources.is_empty() {
        return view! {
            <Empty
                title="No registry to look into yet"
                why="Images are found with credentials: each one says how to sign in at a registry, and its list is read in the background."
                action=(paths::NEW_CREDENTIAL.into(), "Create a credential")
            />
        }
        .into_any();
    }
    let rows = sources.into_iter().map(row).collect_view();
    view! { <ul class="rows sources">{rows}</ul> }.into_any()
}

fn row(source: Source) -> impl IntoView {
    let Source { credential, name, host, listing, allowance } = source;
    let is_silent = matches!(listing, Listing::CannotList { .. });
    // Docker Hub as anybody is searched, which is no lesser way.
    let is_searched = credential.is_none() && is_silent;
    let (tone, word) = if is_searched { (Tone::Ok, "Searched") } else { tone(&listing) };
    let state = (!is_searched).then(|| listing_words(&listing, text::repositories));
    let link = match &credential {
        Some(id) => view! { <a href=paths::credential(id)>{name.clone()}</a> }.into_any(),
        None => view! { <span>{name.clone()}</span> }.into_any(),
    };
    let allowance = allowance.map(|allowance| {
        let class = if is_scarce(&allowance) { "hint scarce" } else { "hint" };
        view! { <span class=class>{allowance_words(&allowance)}</span> }
    });
    let refresh = credential.filter(|_| !is_silent).map(|id| {
        view! {
            <Form to=RefreshImages::PATH class="row" flat=true hidden=vec![("credential", id.to_string())]>
                <button class="button small" type="submit" aria-label=format!("Refresh the list of {name}")>"Refresh"</button>
            </Form>
        }
    });
    view! {
        <li>
            <span class="what">{link}<code class="hint">{host.to_string()}</code></span>
            <span class="state"><Badge tone=tone text=word/></span>
            <span class="list">{state}{details(&listing)}{allowance}</span>
            {refresh}
        </li>
    }
}
