//! The only place that starts programs.
//!
//! Argument vectors, never a shell; an allow-list of programs; a cleared environment; an own process group under a
//! supervisor (`slipway supervise`) that ends the whole group when it is told to or when Slipway dies.

use std::ffi::OsString;
use std::process::ExitCode;

/// The hidden subcommand; `args` is what stands behind `supervise`.
pub fn supervise(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let _ = args;
    eprintln!("not wired yet");
    ExitCode::FAILURE
}
