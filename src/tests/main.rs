//! Integration tests: one binary; the folders repeat the nouns.

mod accounts;
mod app;
mod http;
