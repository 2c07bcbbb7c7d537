//! Integration tests: one binary; the folders repeat the nouns.

mod accounts;
mod app;
mod credentials;
mod http;
mod lab;
#[path = "../testing/liar.rs"]
mod liar;
mod oci;
mod registries;
