//! What a deployment changed against the one before it.

use crate::model::diff::Change;
use crate::ui::Card;
use leptos::prelude::*;

/// So many are named on one line.
const NAMED: usize = 3;

/// The whole list.
pub fn list(changes: Vec<Change>) -> AnyView {
    if changes.is_empty() {
        return view! { <p class="muted">"Nothing: the same image with the same settings."</p> }.into_any();
    }
    let rows = changes.into_iter().map(|change| view! { <li>{one(change)}</li> }).collect_view();
    view! { <ul class="changes">{rows}</ul> }.into_any()
}

fn one(Change { what, before, after }: Change) -> AnyView {
    match (before, after) {
        (Some(_), Some(after)) if after == "changed" => view! { <strong>{what}</strong> " changed" }.into_any(),
        (Some(before), Some(after)) => view! {
            <strong>{what}</strong> " from " <code>{before}</code> " to " <code>{after}</code>
        }
        .into_any(),
        (None, Some(after)) if after == "set" => view! { <strong>{what}</strong> " added" }.into_any(),
        (None, Some(after)) => view! { <strong>{what}</strong> " added: " <code>{after}</code> }.into_any(),
        (Some(before), None) if before == "set" => view! { <strong>{what}</strong> " removed" }.into_any(),
        (Some(before), None) => view! { <strong>{what}</strong> " removed: " <code>{before}</code> }.into_any(),
        (None, None) => ().into_any(),
    }
}

/// The list in a card of its own.
pub fn card(number: i64, changes: Vec<Change>) -> AnyView {
    view! { <Card title="Changes"><p class="hint">{format!("Against deployment {number}")}</p>{list(changes)}</Card> }
        .into_any()
}

/// What changed, on one line.
pub fn brief(changes: &[Change]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for change in changes {
        if !names.contains(&change.what.as_str()) {
            names.push(&change.what);
        }
    }
    match names.len() {
        0 => "Nothing changed".to_owned(),
        count if count > NAMED => format!("Changed: {} and {} more", names[..NAMED].join(", "), count - NAMED),
        _ => format!("Changed: {}", names.join(", ")),
    }
}
