//! One folder per noun, one file per address.
//!
//! A page asks the use cases, which answer from SQLite and memory, and returns its title and body; `shell` puts the
//! document around it. Nothing remote is asked while a page is rendered.

pub mod builds;
pub mod cleanup;
pub mod credentials;
pub mod disk;
pub mod first_run;
pub mod images;
pub mod jobs;
pub mod not_found;
pub mod overview;
pub mod registries;
pub mod retention;
pub mod services;
pub mod settings;
pub mod sign_in;

use crate::error::AppError;
use leptos::prelude::*;
use std::future::Future;
use std::pin::Pin;

/// A page's content, ready to be put into the frame.
pub struct Page {
    /// Most specific first: `internal, Registries`.
    pub title: String,
    /// What is inside `<main>`.
    pub body: AnyView,
}

impl Page {
    /// A page.
    pub fn new(title: impl Into<String>, body: impl IntoAny) -> Self {
        Self { title: title.into(), body: body.into_any() }
    }
}

/// Why there is no page at this address now.
pub enum Instead {
    /// An error page, or the sign-in page.
    Error(AppError),
    /// Another address.
    See(String),
}

impl From<AppError> for Instead {
    fn from(error: AppError) -> Self {
        Self::Error(error)
    }
}

/// What a page function answers.
pub type PageResult = Result<Page, Instead>;

/// A page function under way.
pub type PageFuture = Pin<Box<dyn Future<Output = PageResult> + Send>>;

/// The function of a piece of HTML under way.
pub type PartFuture = Pin<Box<dyn Future<Output = Result<AnyView, AppError>> + Send>>;
