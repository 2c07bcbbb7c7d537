//! Integration tests: one binary; the folders repeat the nouns.
#![allow(clippy::disallowed_methods, reason = "tests start git, docker and servers, and ask registries as others do")]

mod accounts;
mod api;
mod app;
mod architecture;
mod builders;
mod builds;
mod cleanup;
mod credentials;
#[path = "../testing/crowd.rs"]
mod crowd;
mod disk;
mod docker;
mod git_access;
mod http;
mod images;
mod jobs;
mod lab;
#[path = "../testing/liar.rs"]
mod liar;
mod migrations;
mod oci;
mod process;
mod providers;
mod proxy;
mod registries;
mod retention;
mod s3;
mod services;
mod settings;
mod swarm;
mod tokens;
mod triggers;
