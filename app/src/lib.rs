//! The app crate: pages, forms and shared types, compiled for the server (`ssr`) and for the browser (`hydrate`).
//!
//! - [`model`]: the language of the product, on both sides;
//! - [`islands`]: the only code that runs in a browser;
//! - `api`, `request`, `paths`, `ui`, `pages`, `shell`, `routes`: on the server only.

pub mod error;
pub mod islands;
pub mod model;

#[cfg(feature = "ssr")]
pub mod api;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod paths;
#[cfg(feature = "ssr")]
pub mod request;
#[cfg(feature = "ssr")]
pub mod routes;
#[cfg(feature = "ssr")]
pub mod shell;
#[cfg(feature = "ssr")]
pub mod ui;

/// The browser's entry: wakes the islands of the page.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
