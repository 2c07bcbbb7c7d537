//! Registries that Slipway runs.

mod probe;
