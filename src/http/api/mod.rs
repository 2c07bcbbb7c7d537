//! The JSON API for programs: `/api/v1`.
//!
//! What must always hold: whoever asks shows a token, a session's cookie means nothing here; every answer that isn't a
//! success is a problem document (RFC 9457); no answer holds a secret; every route stands in `ROUTES`, in
//! `permissions::TABLE` and in the document, which is made from the handlers.
//!
//! A further noun is a file with its handlers and what they take and give, and its lines in the table below. The words of
//! the API are its own types, so that the model can change without breaking programs.

mod document;
mod extract;
mod gate;
mod jobs;
mod problem;
mod registries;
mod times;
mod words;

pub use document::text as document;
pub use gate::gate;
pub use problem::Failure;

use super::Web;
use axum::Router;
use document::Frame;
use http::Method;
use std::sync::Arc;

/// Whether an address belongs to the API.
pub fn is_api(path: &str) -> bool {
    path == "/api/v1" || path.starts_with("/api/v1/")
}

macro_rules! routes {
    ($($method:ident $path:literal => $($segment:ident)::+,)*) => {
        /// Method (in lower case) and address of every route.
        const ROUTES: &[(&str, &str)] = &[$((stringify!($method), $path)),*];

        /// All routes.
        pub fn router() -> Router<Arc<Web>> {
            Router::new()$(.route($path, axum::routing::$method($($segment)::+)))*
        }

        /// What the handlers say of themselves.
        #[derive(utoipa::OpenApi)]
        #[openapi(
            info(
                title = "Slipway",
                version = "1",
                description = "Registries that Slipway pushes to and runs, and the jobs that work on them. Make a token under \
                               Settings → API tokens or with `slipway token create`."
            ),
            paths($($($segment)::+),*),
            components(schemas(problem::Problem)),
            modifiers(&Frame)
        )]
        struct Handlers;
    };
}

routes! {
    get "/api/v1/openapi.json" => document::openapi,
    get "/api/v1/registries" => registries::list,
    post "/api/v1/registries" => registries::create,
    get "/api/v1/registries/{id}" => registries::get,
    delete "/api/v1/registries/{id}" => registries::delete,
    get "/api/v1/registries/{id}/status" => registries::status,
    get "/api/v1/registries/{id}/logs" => registries::logs,
    post "/api/v1/registries/{id}/restart" => registries::restart,
    get "/api/v1/jobs/{id}" => jobs::get,
}

/// Method and address of every route.
pub fn routes() -> impl Iterator<Item = (Method, &'static str)> {
    let method = |name: &str| Method::from_bytes(name.to_ascii_uppercase().as_bytes()).unwrap_or_default();
    ROUTES.iter().map(move |(name, path)| (method(name), *path))
}
