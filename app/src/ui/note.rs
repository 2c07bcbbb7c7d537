//! Tinted boxes: notes, problems, and the summary of a form's errors.

use super::field::id_of;
use crate::error::{AppError, Blocker, Problem};
use crate::request::FormState;
use leptos::prelude::*;

/// A note: title, and what to know.
#[component]
pub fn Note(
    /// `info`, `warn` or `bad`.
    tone: &'static str,
    /// In a few words.
    #[prop(into)]
    title: String,
    /// One sentence, one action.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class=format!("note {tone}")>
            <p>{title}</p>
            {children.map(|children| view! { <div class="stack">{children()}</div> })}
        </div>
    }
}

/// A problem: cause, remedy, and the other side's own words.
#[component]
pub fn ProblemBox(
    /// What went wrong.
    problem: Problem,
    /// The line of a log that tells it.
    #[prop(optional_no_strip)]
    telling: Option<AnyView>,
) -> impl IntoView {
    let Problem { cause, remedy, link, details, code } = problem;
    view! {
        <div class="note bad" data-problem=code>
            <p>{cause}</p>
            <p>{remedy}</p>
            {telling}
            {link.map(|link| view! { <p><a href=link.href>{link.text}</a></p> })}
            {details.map(details_box)}
        </div>
    }
}

fn details_box(details: String) -> impl IntoView {
    view! {
        <details>
            <summary>"Technical details"</summary>
            <pre class="details" tabindex="0">{details}</pre>
        </details>
    }
}

/// Why a wish wasn't fulfilled, in a box; without the words around it.
pub fn explain(error: &AppError) -> AnyView {
    match error {
        AppError::Problem(problem) => view! { <ProblemBox problem=(**problem).clone()/> }.into_any(),
        AppError::Blocked(blockers) => {
            let blockers = blockers.clone();
            view! { <Note tone="warn" title="Something stands in the way."><Blockers blockers/></Note> }.into_any()
        }
        other => view! { <Note tone="bad" title=other.to_string()/> }.into_any(),
    }
}

/// Reasons with links to the culprits.
#[component]
pub fn Blockers(
    /// What stands in the way.
    blockers: Vec<Blocker>,
) -> impl IntoView {
    let items = blockers
        .into_iter()
        .map(|Blocker { reason, link }| {
            view! { <li>{reason}{link.map(|link| view! { " " <a href=link.href>{link.text}</a> })}</li> }
        })
        .collect_view();
    view! { <ul>{items}</ul> }
}

/// What is wrong with a form that came back: on top of the page, focused, with links to the fields.
#[component]
pub fn ErrorSummary(
    /// The form.
    form: FormState,
) -> impl IntoView {
    let error = form.error?;
    let inner = match error {
        // Nothing to link to: one sentence is enough.
        AppError::Invalid(errors) if errors.iter().all(|error| error.field.is_empty()) => {
            let words: Vec<_> = errors.into_iter().map(|error| error.message).collect();
            view! { <Note tone="bad" title=words.join(" ")/> }.into_any()
        }
        AppError::Invalid(errors) => {
            let items = errors
                .into_iter()
                .map(|error| {
                    let message = error.message;
                    if error.field.is_empty() {
                        view! { <li>{message}</li> }.into_any()
                    } else {
                        let href = format!("#{}", id_of(&error.field));
                        view! { <li><a href=href>{message}</a></li> }.into_any()
                    }
                })
                .collect_view();
            view! { <div class="note bad"><p>"Please check what you typed:"</p><ul>{items}</ul></div> }.into_any()
        }
        other => explain(&other),
    };
    Some(view! { <div class="summary" role="alert" tabindex="-1" autofocus>{inner}</div> })
}
