//! The language of the product: plain types and their rules, no I/O, no user interface.
//!
//! The browser and the server check a value with the very same function.

pub mod account;
pub mod ansi;
pub mod build;
pub mod build_form;
pub mod build_options;
pub mod build_record;
pub mod build_rules;
pub mod builder;
pub mod cleanup;
pub mod credential;
pub mod diff;
pub mod disk;
#[cfg(feature = "ssr")]
pub mod docker_config;
pub mod git_access;
pub mod glob;
pub mod id;
pub mod image;
pub mod image_ref;
pub mod job;
pub mod look_alike;
pub mod platform;
pub mod preset;
pub mod provider;
pub mod push_name;
pub mod queue;
pub mod registry;
pub mod report;
pub mod retention;
pub mod secret;
pub mod service;
pub mod service_form;
pub mod service_settings;
pub mod settings;
pub mod source;
pub mod standing;
pub mod static_server;
pub mod tag_watch;
pub mod text;
pub mod token;
pub mod trash;
pub mod trigger;
