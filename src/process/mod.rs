//! The only place that starts programs.
//!
//! Argument vectors, never a shell; an allow-list of programs; a cleared environment; an own process group under a
//! supervisor (`slipway supervise`) that ends the whole group when it is told to or when Slipway dies.
