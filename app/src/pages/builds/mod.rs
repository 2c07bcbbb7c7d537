//! Builds: runs that turn commits into images.

pub mod list;
pub mod show;
