//! Tables that scroll in a box of their own, so that the page never scrolls sideways.

use leptos::prelude::*;

/// A column's heading.
#[derive(Clone, Copy)]
pub struct Column {
    /// The heading; empty for a column of buttons, which gets a hidden one.
    pub name: &'static str,
    /// `num` for figures, `wide` for what phones leave out.
    pub class: &'static str,
}

/// A column.
pub const fn col(name: &'static str) -> Column {
    Column { name, class: "" }
}

/// A column that phones leave out.
pub const fn wide(name: &'static str) -> Column {
    Column { name, class: "wide" }
}

/// A table with a name.
#[component]
pub fn Table(
    /// What it lists; for screen readers.
    name: &'static str,
    /// The headings.
    columns: Vec<Column>,
    /// Rows.
    children: Children,
) -> impl IntoView {
    let heads = columns
        .into_iter()
        .map(|Column { name, class }| {
            let class = (!class.is_empty()).then_some(class);
            if name == "Actions" {
                view! { <th scope="col" class=class><span class="visually-hidden">{name}</span></th> }.into_any()
            } else {
                view! { <th scope="col" class=class>{name}</th> }.into_any()
            }
        })
        .collect_view();
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label=name>
            <table class="table">
                <thead><tr>{heads}</tr></thead>
                <tbody>{children()}</tbody>
            </table>
        </div>
    }
}
