//! The server crate: everything that touches a disk, a network or Docker. Read this map first.
//!
//! The product, one folder per noun, each may use those above it: [`accounts`], [`tokens`], [`activity`],
//! [`settings`], [`disk`], [`credentials`], [`registries`], [`images`], [`git_access`], [`builders`], [`builds`],
//! [`services`], [`triggers`], [`retention`], [`cleanup`].
//!
//! The machinery, which knows nothing of the product: [`jobs`], [`storage`], [`vault`], [`oci`], [`providers`], [`docker`],
//! [`process`], [`http`]. [`proxy`] is a program of its own in the same binary.

pub mod accounts;
pub mod activity;
pub mod builders;
pub mod builds;
pub mod cleanup;
pub mod clock;
pub mod config;
pub mod credentials;
pub mod disk;
pub mod docker;
pub mod git_access;
pub mod http;
pub mod images;
pub mod jobs;
pub mod oci;
pub mod problems;
pub mod process;
pub mod providers;
pub mod proxy;
pub mod registries;
pub mod retention;
pub mod s3;
pub mod services;
pub mod settings;
pub mod start;
pub mod storage;
pub mod tokens;
pub mod triggers;
pub mod vault;
