//! Answers that no page gives: refusals of the guard and our own faults. A small complete page for people, JSON for
//! programs.

use super::assets::Site;
use app::error::AppError;
use app::shell::escaped;
use axum::body::Body;
use axum::response::Response;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};

/// Whether the client wants a page.
pub fn wants_html(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

/// A refusal with its reason, for whoever asks.
pub fn refuse(status: StatusCode, headers: &HeaderMap, title: &str, text: &str) -> Response {
    if wants_html(headers) { page(status, title, text) } else { plain(status, text) }
}

/// A failure that has its own status, for whoever asks.
pub fn failure(headers: &HeaderMap, error: &AppError) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if wants_html(headers) {
        let title = match error {
            AppError::SignIn => "Sign in first",
            AppError::Forbidden { .. } => "Not allowed",
            AppError::NotFound(_) => "Not found",
            AppError::Wait { .. } => "Too many attempts",
            AppError::Internal { .. } => "Something went wrong",
            AppError::Invalid(_) | AppError::Blocked(_) | AppError::Problem(_) => "This didn't work",
        };
        return page(status, title, &error.to_string());
    }
    let body = serde_json::to_string(error).unwrap_or_default();
    answer(status, "application/json", body)
}

/// Go there instead.
pub fn redirect(to: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    // Addresses are ours or were checked; one that still isn't a header value leads to the first page.
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, to);
    response
}

/// Text for programs.
pub fn plain(status: StatusCode, text: &str) -> Response {
    answer(status, "text/plain; charset=utf-8", format!("{text}\n"))
}

fn page(status: StatusCode, title: &str, text: &str) -> Response {
    let style = match Site::assets().css.as_str() {
        "" => String::new(),
        css => format!("<link rel=\"stylesheet\" href=\"{}\">", escaped(css)),
    };
    let body = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} · Slipway</title><link rel=\"icon\" href=\"/favicon.svg\">{style}</head>\
         <body><main class=\"refusal\"><h1>{title}</h1><p>{text}</p><p><a href=\"/\">Go to the first page</a></p></main>\
         </body></html>",
        title = escaped(title),
        text = escaped(text),
    );
    answer(status, "text/html; charset=utf-8", body)
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
