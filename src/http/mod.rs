//! The web: listener, guard, headers, sessions, assets, streams, health.
//!
//! What must always hold: the API for programs ([`api`]) is opened by tokens alone, the addresses for git hosts ([`hooks`]) by
//! signatures alone, everything else by sessions; no address answers without an entry in [`permissions`]; no write and no stream is served to a
//! page of another origin; every answer carries the security headers.

pub mod api;
pub mod assets;
pub mod errors;
pub mod form;
pub mod guard;
pub mod headers;
pub mod health;
pub mod hooks;
pub mod listener;
mod log_lines;
mod multipart;
pub mod once;
pub mod permissions;
pub mod registry_log;
pub mod session;
pub mod statement;
pub mod streams;
pub mod trace;
pub mod transport;

use crate::clock::Clock;
use crate::config::Config;
use crate::jobs::Jobs;
use crate::storage::Db;
use app::api::Backend;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the web part works with.
pub struct Web {
    /// The settings in force.
    pub config: Arc<Config>,
    /// What the product can do.
    pub backend: Backend,
    /// Their logs are followed.
    pub jobs: Jobs,
    /// For health and sessions.
    pub db: Db,
    /// What time it is.
    pub clock: Clock,
    /// Who is signed in.
    pub sessions: session::Sessions,
    /// Forms that came already.
    pub once: once::Once,
    /// Streams that are open.
    pub streams: streams::Streams,
    /// Cancelled when the server stops; ends streams.
    pub shutdown: CancellationToken,
}

impl Web {
    /// The web part. Work that outlives a request runs among `tasks`.
    pub fn new(
        config: Arc<Config>,
        backend: Backend,
        jobs: Jobs,
        db: Db,
        clock: Clock,
        tasks: TaskTracker,
        shutdown: CancellationToken,
    ) -> Self {
        let sessions = session::Sessions::new(db.clone(), clock.clone());
        let once = once::Once::new(clock.clone(), tasks);
        Self { config, backend, jobs, db, clock, sessions, once, streams: streams::Streams::default(), shutdown }
    }
}

/// Addresses that aren't pages or server functions; the others are `app::routes::PATHS` and the framework's list.
pub const OWN_PATHS: &[&str] = &[
    "/healthz",
    "/readyz",
    "/assets/{*path}",
    "/favicon.svg",
    "/robots.txt",
    "/jobs/{id}/log",
    "/jobs/{id}/log/lines",
    "/jobs/{id}/log.txt",
    "/registries/{id}/log",
    "/registries/{id}/log.txt",
    "/builds/{id}/attestations/{position}/statement.json",
];

/// Everything that answers.
pub fn router(web: Arc<Web>) -> Router {
    Router::new()
        .route("/healthz", get(health::process))
        .route("/readyz", get(health::ready))
        .route("/assets/{*path}", get(assets::hashed))
        .route("/favicon.svg", get(assets::fixed))
        .route("/robots.txt", get(assets::fixed))
        .route("/jobs/{id}/log", get(streams::log))
        .route("/jobs/{id}/log/lines", get(log_lines::lines))
        .route("/jobs/{id}/log.txt", get(streams::log_text))
        .route("/registries/{id}/log", get(registry_log::log))
        .route("/registries/{id}/log.txt", get(registry_log::log_text))
        .route("/builds/{id}/attestations/{position}/statement.json", get(statement::statement))
        .route(hooks::PATHS[0], post(hooks::webhook))
        .route(hooks::PATHS[1], post(hooks::deploy))
        .merge(api::router())
        .route(guard::FUNCTIONS, post(leptos_axum::handle_server_fns))
        .with_state(Arc::clone(&web))
        .merge(app::routes::router())
        .fallback(missing)
        .layer(from_fn_with_state(Arc::clone(&web), guard::guard))
        .layer(from_fn_with_state(web, headers::headers))
        .layer(from_fn(trace::trace))
}

/// Whoever isn't signed in was sent to the sign-in page before.
async fn missing(request: Request) -> Response {
    if errors::wants_html(request.headers()) {
        return app::routes::not_found(request).await;
    }
    errors::failure(request.headers(), &app::error::AppError::NotFound("page".into()))
}
