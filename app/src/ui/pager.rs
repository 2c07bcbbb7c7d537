//! From one part of a long list to the next.

use crate::model::text;
use leptos::prelude::*;

/// Links to the `page` entries before and after; `to` makes the address from the number of skipped entries.
pub fn pager(page: u64, offset: u64, shown: u64, total: u64, to: impl Fn(&str) -> String) -> Option<AnyView> {
    let before = (offset > 0).then(|| to(&offset.saturating_sub(page).to_string()));
    let after = (offset + shown < total).then(|| to(&(offset + page).to_string()));
    let range = format!("{}–{} of {}", text::figure(offset + 1), text::figure(offset + shown), text::figure(total));
    (shown > 0 && (before.is_some() || after.is_some())).then(|| {
        view! {
            <nav class="foot row" aria-label="Pages">
                <span class="muted">{range}</span>
                {before.map(|to| view! { <a class="button small" href=to rel="prev">"Previous"</a> })}
                {after.map(|to| view! { <a class="button small" href=to rel="next">"Next"</a> })}
            </nav>
        }
        .into_any()
    })
}
