//! Retention on a real registry.

mod chain;
mod house;
mod run;
mod survey;
mod trash;
