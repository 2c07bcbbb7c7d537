//! Builds: runs that turn commits into images.

pub mod actions;
pub mod list;
pub mod queue;
pub mod show;
