//! Registries that Slipway runs.

mod change;
pub mod content;
mod create;
mod delete;
pub mod garbage;
pub mod house;
mod log;
mod outside;
mod pair;
mod probe;
mod restart;
mod rotate;
mod s3;
mod status;
mod usage;
