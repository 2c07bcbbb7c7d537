//! Builds: runs that turn commits into images.

pub mod actions;
pub mod attestation;
mod facts;
pub mod list;
mod outcome;
pub mod queue;
pub mod show;
mod statement;
mod times;
