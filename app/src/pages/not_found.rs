//! What is shown where there is no page: not found, not allowed, failed.

use super::Page;
use crate::error::AppError;
use crate::paths;
use crate::ui::{PageHead, note};
use leptos::prelude::*;

/// The page for a failure.
pub fn page(error: &AppError) -> Page {
    let title = match error {
        AppError::NotFound(_) => "Not found",
        AppError::Forbidden { .. } => "Not allowed",
        AppError::Internal { .. } => "Slipway failed",
        AppError::SignIn => "Sign in first",
        AppError::Wait { .. } => "Please wait",
        AppError::Invalid(_) | AppError::Blocked(_) | AppError::Problem(_) => "This can't be shown",
    };
    let hint =
        matches!(error, AppError::NotFound(_)).then_some("It may have been deleted, or the address may be mistyped.");
    let box_ = match error {
        AppError::NotFound(_) => view! { <p>{error.to_string()}</p> }.into_any(),
        other => note::explain(other),
    };
    Page::new(
        title,
        view! {
            <PageHead title=title/>
            {box_}
            {hint.map(|hint| view! { <p class="muted">{hint}</p> })}
            <p><a class="button" href=paths::OVERVIEW>"Go to the overview"</a></p>
        },
    )
}
