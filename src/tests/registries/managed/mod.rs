//! Registries that Slipway runs.

mod change;
mod create;
pub mod house;
mod probe;
mod restart;
