//! The only code that runs in a browser.
//!
//! Every page is complete without it: an island adds behaviour to what the server rendered. Islands are woken by the
//! script that `shell` adds to pages that hold one. What they share with the server is in `model`.

pub mod copy;
pub mod follow;
pub mod live;
pub mod log;
pub mod part;
pub mod picker;
#[cfg(feature = "hydrate")]
mod piece;
pub mod push_preview;
pub mod refresh;
pub mod registry_log;

#[cfg(feature = "hydrate")]
mod dom;
#[cfg(feature = "hydrate")]
pub mod window;
