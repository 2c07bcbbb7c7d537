//! The only place that starts programs.
//!
//! Argument vectors, never a shell; an allow-list of programs; a cleared environment; an own process group under a
//! supervisor (`slipway supervise`, see [`supervisor`]) that ends all it started when it is told to or when Slipway dies.

mod runner;
pub mod supervisor;

pub use runner::{Captured, Ended, Invocation, Output, ProcessError, Program, Runner, Sink};
pub use supervisor::supervise;
