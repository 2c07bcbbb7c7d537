//! Choices of one among few, each with a sentence, and fields that are folded away until somebody needs them.

use super::field::{id_of, parts};
use super::form::Scope;
use leptos::prelude::*;

/// One card of a choice.
pub struct Choice {
    /// What is sent.
    pub value: &'static str,
    /// In few words.
    pub title: &'static str,
    /// What it means.
    pub hint: String,
}

/// A choice of one, all of them in sight.
#[component]
pub fn Choices(
    /// The field's name in the form struct.
    field: &'static str,
    /// What it is.
    label: &'static str,
    /// The cards.
    options: Vec<Choice>,
    /// The value chosen now.
    #[prop(into)]
    value: String,
) -> impl IntoView {
    let of = parts(field, None);
    let chosen = of.typed.unwrap_or(value);
    let cards = options
        .into_iter()
        .map(|Choice { value, title, hint }| {
            let id = format!("{}-{value}", id_of(field));
            let hint_id = format!("{id}-hint");
            let checked = value == chosen;
            view! {
                <div class="choice">
                    <input type="radio" id=id.clone() name=of.name.clone() value=value checked=checked aria-describedby=hint_id.clone()/>
                    <label for=id>{title}</label>
                    <p class="hint" id=hint_id>{hint}</p>
                </div>
            }
        })
        .collect_view();
    view! {
        <fieldset class="field" id=of.id tabindex="-1" aria-describedby=of.described_by>
            <legend>{label}</legend>
            <div class="choices">{cards}</div>
            {of.below}
        </fieldset>
    }
}

/// Fields that few people need: folded away, and open when one of them is wrong or was filled in.
#[component]
pub fn More(
    /// What is inside.
    title: &'static str,
    /// Names of the fields inside.
    fields: &'static [&'static str],
    /// Open from the start.
    #[prop(optional)]
    open: bool,
    /// The fields.
    children: Children,
) -> impl IntoView {
    let scope = use_context::<Scope>();
    let is_wanted = scope.is_some_and(|scope| {
        fields
            .iter()
            .any(|field| scope.error(field).is_some() || scope.typed(field).is_some_and(|typed| !typed.is_empty()))
    });
    view! {
        <details class="options" open=open || is_wanted>
            <summary>{title}</summary>
            <div class="stack">{children()}</div>
        </details>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::error::AppError;
    use crate::request::FormState;

    fn html(values: &[(&str, &str)], error: Option<AppError>) -> String {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let state = Some(FormState { action: String::new(), values, error });
        Owner::new().with(|| {
            provide_context(Scope { state, nested: true });
            view! { <More title="More" fields=&["image", "port"]>"inside"</More> }.to_html()
        })
    }

    #[test]
    fn fields_folded_away_are_open_when_somebody_has_to_look() {
        assert!(!html(&[("image", ""), ("name", "x")], None).contains(" open"));
        assert!(html(&[("image", "registry:3")], None).contains(" open"), "what was typed is in sight");
        assert!(html(&[], Some(AppError::field("port", "It is taken."))).contains(" open"), "and what is wrong");
        assert!(!html(&[], Some(AppError::field("name", "It is taken."))).contains(" open"));
    }
}
