//! Retention on a real registry.

mod chain;
mod house;
mod run;
mod trash;
