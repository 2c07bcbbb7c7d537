//! Attestations of builds, as they were pushed.

use super::errors::failure;
use super::{Web, streams};
use app::error::AppError;
use app::model::id::BuildId;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use std::sync::Arc;

/// `GET /builds/{id}/attestations/{position}/statement.json`
pub async fn statement(
    State(web): State<Arc<Web>>,
    Path((id, position)): Path<(String, String)>,
    request: Request,
) -> Response {
    match find(&web, &id, &position, &request).await {
        Ok(statement) => streams::download(&format!("{id}.{position}.json"), Body::from(statement)),
        Err(error) => failure(request.headers(), &error),
    }
}

async fn find(web: &Web, id: &str, position: &str, request: &Request) -> Result<String, AppError> {
    let actor = streams::actor(request)?;
    let missing = || AppError::NotFound("attestation".into());
    let id: BuildId = id.parse().map_err(|_| missing())?;
    let position = position.parse().map_err(|_| missing())?;
    web.backend.builds.statement(&actor, &id, position).await?.ok_or_else(missing)
}
