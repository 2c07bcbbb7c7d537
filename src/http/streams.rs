//! Event streams and downloads of logs.

use super::Web;
use super::errors::failure;
use app::error::Problem;
use axum::extract::{Request, State};
use axum::response::Response;
use std::sync::Arc;

/// `GET /jobs/{id}/log`: server-sent events.
pub async fn log(State(_web): State<Arc<Web>>, request: Request) -> Response {
    not_yet(&request)
}

/// `GET /jobs/{id}/log.txt`: the whole log.
pub async fn log_text(State(_web): State<Arc<Web>>, request: Request) -> Response {
    not_yet(&request)
}

fn not_yet(request: &Request) -> Response {
    let problem = Problem::new("log.unavailable", "Logs can't be followed yet.", "Use a newer version.");
    failure(request.headers(), &problem.into())
}
