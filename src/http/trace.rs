//! Gives every request an id and one line in the log; turns a panic into an answer.

use super::api;
use super::errors::failure;
use app::error::AppError;
use app::request::RequestId;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use futures::FutureExt as _;
use http::HeaderValue;
use std::panic::AssertUnwindSafe;
use std::time::Instant;
use tracing::Instrument as _;

/// A new request id.
pub fn new_id() -> String {
    crate::clock::random_hex::<8>()
}

/// The outermost middleware.
pub async fn trace(mut request: Request, next: Next) -> Response {
    let id = new_id();
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::info_span!("request", request.id = %id);
    let started = Instant::now();
    // Addresses have no secrets; queries might.
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let headers = request.headers().clone();
    let answered = AssertUnwindSafe(next.run(request).instrument(span.clone())).catch_unwind().await;
    let _entered = span.entered();
    let mut response = answered.unwrap_or_else(|_| {
        tracing::error!(method = %method, path, "a request ended in a panic; the lines above say where");
        let error = AppError::Internal { ticket: id.clone() };
        if api::is_api(&path) { api::Failure::from(error).answer(&id) } else { failure(&headers, &error) }
    });
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    let (status, duration_ms) = (response.status().as_u16(), started.elapsed().as_millis());
    if path == "/healthz" || path == "/readyz" || path.starts_with("/assets/") {
        tracing::debug!(method = %method, path, status, duration_ms, "answered");
    } else {
        tracing::info!(method = %method, path, status, duration_ms, "answered");
    }
    response
}
