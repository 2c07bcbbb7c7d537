//! The headers that every answer has, errors and assets too.

use super::Web;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue};
use std::sync::Arc;

const ALWAYS: [(HeaderName, &str); 5] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
    (X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

fn add(headers: &mut HeaderMap, has_tls: bool) {
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Pages come with their own, which may let one script in.
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(app::shell::NO_SCRIPT));
    // Assets say how long they keep; everything else may hold data of a session.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if has_tls {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

/// Middleware of the whole router.
pub async fn headers(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let has_tls = web.config.public_url.as_ref().is_some_and(|url| url.scheme() == "https");
    add(response.headers_mut(), has_tls);
    response
}
