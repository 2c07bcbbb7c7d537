//! What stands in front of every address.

mod access;
mod connections;
mod forms;
mod headers;
mod origin;
mod start;
pub mod streams;
