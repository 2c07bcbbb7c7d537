//! Builds against the lab.
