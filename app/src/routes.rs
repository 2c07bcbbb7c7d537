//! Address → page, in one table.
//!
//! The router and the list of addresses (which the server's permission table is checked against) come from the same
//! lines. There is no router in the browser: navigation is real navigation.

use crate::error::AppError;
use crate::pages::{self, PageFuture};
use crate::{paths, request, shell};
use axum::Router;
use axum::extract::{RawPathParams, Request};
use axum::response::Response;
use axum::routing::get;

macro_rules! pages {
    ($($path:literal => $page:path,)*) => {
        /// Every page's address, in axum's syntax.
        pub const PATHS: &[&str] = &[$($path),*];

        fn table() -> Vec<(&'static str, fn() -> PageFuture)> {
            vec![$(($path, || Box::pin($page()))),*]
        }
    };
}

pages! {
    "/" => pages::overview::show,
    "/sign-in" => pages::sign_in::show,
    "/setup" => pages::first_run::show,
    "/services" => pages::services::list::show,
    "/services/new" => pages::services::new::show,
    "/services/{id}" => pages::services::show::show,
    "/services/{id}/edit" => pages::services::edit::show,
    "/services/{id}/build" => pages::services::build::show,
    "/services/{id}/delete" => pages::services::delete::show,
    "/services/{id}/triggers" => pages::services::triggers::show,
    "/services/{id}/retention" => pages::retention::service,
    "/deployments/{id}" => pages::services::deployment::show,
    "/deployments/{id}/roll-back" => pages::services::roll_back::show,
    "/builds" => pages::builds::list::show,
    "/builds/{id}" => pages::builds::show::show,
    "/builds/{id}/attestations/{position}" => pages::builds::attestation::show,
    "/registries" => pages::registries::list::show,
    "/registries/new" => pages::registries::new::show,
    "/registries/{id}" => pages::registries::show::show,
    "/registries/{id}/edit" => pages::registries::edit::show,
    "/registries/{id}/garbage" => pages::registries::garbage::show,
    "/registries/{id}/retention" => pages::retention::registry,
    "/registries/{id}/logs" => pages::registries::logs::show,
    "/registries/{id}/password" => pages::registries::password::show,
    "/registries/{id}/trash" => pages::registries::trash::show,
    "/registries/{id}/runs/{run}" => pages::registries::run::show,
    "/registries/{id}/delete" => pages::registries::delete::show,
    "/credentials" => pages::credentials::list::show,
    "/credentials/new" => pages::credentials::new::show,
    "/credentials/import" => pages::credentials::import::show,
    "/credentials/import/{id}" => pages::credentials::import_list::show,
    "/credentials/{id}" => pages::credentials::show::show,
    "/credentials/{id}/delete" => pages::credentials::delete::show,
    "/images" => pages::images::search::show,
    "/images/repository" => pages::images::repository::show,
    "/images/image" => pages::images::image::show,
    "/jobs" => pages::jobs::list,
    "/jobs/{id}" => pages::jobs::show,
    "/cleanup" => pages::cleanup::show,
    "/settings" => pages::settings::show,
    "/settings/builds" => pages::settings::builds::show,
    "/settings/builders" => pages::settings::builders::list::show,
    "/settings/builders/new" => pages::settings::builders::new::show,
    "/settings/builders/{id}" => pages::settings::builders::show::show,
    "/settings/builders/{id}/delete" => pages::settings::builders::delete::show,
    "/settings/tokens" => pages::settings::tokens::show,
    "/settings/git" => pages::settings::git::list,
    "/settings/git/new" => pages::settings::git::new,
    "/settings/git/{id}" => pages::settings::git::show,
    "/settings/git/{id}/delete" => pages::settings::git::delete,
}

/// Pieces of HTML that islands ask for. They may ask registries, so only our own pages get them: the server's guard treats
/// them as it treats streams.
pub const PARTS: &[&str] = &[paths::IMAGE_OPTIONS, paths::PUSH_NAME];

/// All pages and pieces. The server puts `Backend`, `Assets`, `Session`, `RequestId` and, for somebody signed in, `Actor` into each
/// request's extensions.
pub fn router() -> Router {
    let parts = Router::new()
        .route(
            paths::IMAGE_OPTIONS,
            get(|request| shell::respond_part(|| Box::pin(pages::images::options::show()), request)),
        )
        .route(
            paths::PUSH_NAME,
            get(|request| shell::respond_part(|| Box::pin(pages::services::push_name::show()), request)),
        );
    table().into_iter().fold(parts, |router, (path, show)| {
        router.route(
            path,
            get(move |params: RawPathParams, mut request: Request| async move {
                let params = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                request.extensions_mut().insert(request::Params(params));
                shell::respond(show, request).await
            }),
        )
    })
}

/// The page for an address that is none.
pub async fn not_found(request: Request) -> Response {
    shell::respond(|| Box::pin(async { Err(AppError::NotFound("page".into()).into()) }), request).await
}
