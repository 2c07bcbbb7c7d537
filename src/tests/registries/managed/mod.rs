//! Registries that Slipway runs, on the lab's Swarm.

mod change;
mod create;
pub mod house;
mod log;
mod probe;
mod restart;
mod s3;
