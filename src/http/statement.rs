//! Attestations of builds, as they were pushed.

use super::errors::failure;
use super::{Web, streams};
use app::error::AppError;
use app::model::account::Actor;
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
    let found = match streams::actor(&request) {
        Ok(actor) => find(&web, &actor, &id, &position).await,
        Err(error) => Err(error),
    };
    match found {
        Ok(statement) => streams::download(&format!("{id}.{position}.json"), Body::from(statement)),
        Err(error) => failure(request.headers(), &error),
    }
}

async fn find(web: &Web, actor: &Actor, id: &str, position: &str) -> Result<String, AppError> {
    let missing = || AppError::NotFound("attestation".into());
    let id: BuildId = id.parse().map_err(|_| missing())?;
    let position = position.parse().map_err(|_| missing())?;
    web.backend.builds.statement(actor, &id, position).await?.ok_or_else(missing)
}
