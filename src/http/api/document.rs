//! The OpenAPI document: made from what the handlers say of themselves, and what is the same for all of them.
//!
//! Anybody may read it: it says what the source says, and nothing of this installation.

use super::problem::MEDIA_TYPE;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use std::sync::LazyLock;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

/// The name of the security scheme.
const TOKEN: &str = "token";
/// What every handler behind the gate may answer.
const REFUSALS: [(&str, &str); 4] = [
    ("401", "There is no good token with the request."),
    ("403", "The token may only read, or the request came over plain HTTP."),
    ("429", "Too many tokens were refused from this address; `Retry-After` says how long to wait."),
    ("default", "Anything else that went wrong."),
];

/// Adds what all routes have in common.
pub struct Frame;

impl Modify for Frame {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme(TOKEN, scheme);
        for item in document.paths.paths.values_mut() {
            for operation in [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete] {
                // Those that ask for no token say so themselves.
                if let Some(operation) = operation.as_mut().filter(|operation| operation.security.is_none()) {
                    guarded(operation);
                }
            }
        }
    }
}

fn guarded(operation: &mut Operation) {
    operation.security = Some(vec![SecurityRequirement::new(TOKEN, [] as [&str; 0])]);
    for (status, words) in REFUSALS {
        let response = ResponseBuilder::new()
            .description(words)
            .content(MEDIA_TYPE, Content::new(Some(Ref::from_schema_name("Problem"))));
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| response.build().into());
    }
}

static TEXT: LazyLock<String> = LazyLock::new(|| super::Handlers::openapi().to_json().unwrap_or_default());

/// The document.
pub fn text() -> &'static str {
    &TEXT
}

/// This document
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    operation_id = "getDocument",
    tag = "document",
    security(()),
    responses((status = 200, description = "The API as OpenAPI 3.1", content_type = "application/json", body = inline(utoipa::openapi::Object)))
)]
pub async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], text()).into_response()
}
