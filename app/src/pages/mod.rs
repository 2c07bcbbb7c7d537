//! One folder per noun, one file per address.

use crate::error::AppError;
use leptos::prelude::*;

/// A page's content, ready to be put into the frame.
pub struct Page {
    /// Most specific first: `internal, Registries`.
    pub title: String,
    /// What is inside `<main>`.
    pub body: AnyView,
}

/// What a page function answers.
pub type PageResult = Result<Page, AppError>;
