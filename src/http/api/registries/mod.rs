//! Registries: the handlers.

mod given;
mod logs;
mod shown;
mod status;
mod wish;

// With what the macros put beside the handlers.
pub use logs::*;

use super::extract::{Asked, Body, Caller, Id, MaybeBody, NoBody};
use super::jobs::{self, Job};
use super::problem::Failure;
use app::model::id::RegistryId;
use axum::Json;
use axum::response::{IntoResponse as _, Response};
use given::{Deletion, StatusQuery};
use http::StatusCode;
use http::header::LOCATION;
use shown::{Created, Registry, RegistryList};
use status::Status;
use wish::NewRegistry;

/// All registries: the default first, then by name
#[utoipa::path(
    get,
    path = "/api/v1/registries",
    operation_id = "listRegistries",
    tag = "registries",
    responses((status = 200, description = "All registries", body = RegistryList))
)]
pub async fn list(caller: Caller) -> Result<Json<RegistryList>, Failure> {
    let registries = caller.backend.registries.list(&caller.actor).await?;
    Ok(Json(RegistryList { items: registries.into_iter().map(Registry::from).collect() }))
}

/// Create a registry
///
/// `external`: one that somebody else runs; it is there at once. `managed`: one that Slipway runs; a job brings it up.
#[utoipa::path(
    post,
    path = "/api/v1/registries",
    operation_id = "createRegistry",
    tag = "registries",
    request_body = NewRegistry,
    responses(
        (status = 201, description = "An external registry was created", body = Created,
         headers(("Location" = String, description = "The registry"))),
        (status = 202, description = "A managed registry is being created: follow the job", body = Created,
         headers(("Location" = String, description = "The registry"))),
        (status = 422, description = "Fields break rules", content_type = "application/problem+json", body = super::problem::Problem),
    )
)]
pub async fn create(caller: Caller, Body(wish): Body<NewRegistry>) -> Result<Response, Failure> {
    let registries = &caller.backend.registries;
    let (id, job) = match wish {
        NewRegistry::External(wish) => (registries.create(&caller.actor, wish.into()).await?, None),
        NewRegistry::Managed(wish) => {
            let made = registries.create_managed(&caller.actor, wish.into()).await;
            let (id, job) = made.map_err(|error| Failure::from(error).rename(wish::field))?;
            (id, Some(Job::find(&caller.backend, &caller.actor, &job).await?))
        }
    };
    let status = if job.is_some() { StatusCode::ACCEPTED } else { StatusCode::CREATED };
    let registry = registries.get(&caller.actor, &id).await?.into();
    let location = [(LOCATION, format!("/api/v1/registries/{id}"))];
    Ok((status, location, Json(Created { registry, job })).into_response())
}

/// A registry
#[utoipa::path(
    get,
    path = "/api/v1/registries/{id}",
    operation_id = "getRegistry",
    tag = "registries",
    params(("id" = String, Path, description = "The registry's id: `reg_…`")),
    responses((status = 200, description = "The registry", body = Registry))
)]
pub async fn get(caller: Caller, Id(id): Id<RegistryId>) -> Result<Json<Registry>, Failure> {
    Ok(Json(caller.backend.registries.get(&caller.actor, &id).await?.into()))
}

/// Delete a registry
///
/// Not while services push to it or run from it. Say what is to be done in the query or in a body, not in both.
#[utoipa::path(
    delete,
    path = "/api/v1/registries/{id}",
    operation_id = "deleteRegistry",
    tag = "registries",
    params(("id" = String, Path, description = "The registry's id: `reg_…`"), Deletion),
    request_body(content = Option<Deletion>),
    responses(
        (status = 202, description = "A managed registry is being taken out of the Swarm: follow the job", body = Job,
         headers(("Location" = String, description = "The job"))),
        (status = 204, description = "An external registry is gone; its images are untouched"),
        (status = 409, description = "Something depends on it", content_type = "application/problem+json", body = super::problem::Problem),
        (status = 422, description = "Fields break rules", content_type = "application/problem+json", body = super::problem::Problem),
    )
)]
pub async fn delete(
    caller: Caller,
    Id(id): Id<RegistryId>,
    Asked(query): Asked<Deletion>,
    MaybeBody(body): MaybeBody<Deletion>,
) -> Result<Response, Failure> {
    let wish = match body {
        Some(body) if query.is_empty() => body,
        Some(_) => return Err(Failure::plain(StatusCode::BAD_REQUEST, "Use the query or a body, not both.")),
        None => query,
    };
    match caller.backend.registries.delete(&caller.actor, &id, wish.into()).await? {
        Some(job) => jobs::accepted(&caller, &job).await,
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

/// How a registry that Slipway runs is, with the steps of the last probe
///
/// `fresh=true` looks at Docker and pushes and pulls now, which takes seconds and a token that may do everything.
#[utoipa::path(
    get,
    path = "/api/v1/registries/{id}/status",
    operation_id = "getRegistryStatus",
    tag = "registries",
    params(("id" = String, Path, description = "The registry's id: `reg_…`"), StatusQuery),
    responses((status = 200, description = "How it is", body = Status))
)]
pub async fn status(
    caller: Caller,
    Id(id): Id<RegistryId>,
    Asked(StatusQuery { fresh }): Asked<StatusQuery>,
) -> Result<Json<Status>, Failure> {
    let registries = &caller.backend.registries;
    let status =
        if fresh { registries.check(&caller.actor, &id).await? } else { registries.status(&caller.actor, &id).await? };
    Ok(Json(status.into()))
}

/// Stop and start a registry that Slipway runs
#[utoipa::path(
    post,
    path = "/api/v1/registries/{id}/restart",
    operation_id = "restartRegistry",
    tag = "registries",
    params(("id" = String, Path, description = "The registry's id: `reg_…`")),
    responses(
        (status = 202, description = "It is being restarted: follow the job", body = Job,
         headers(("Location" = String, description = "The job"))),
        (status = 409, description = "Something stands in the way", content_type = "application/problem+json", body = super::problem::Problem),
    )
)]
pub async fn restart(caller: Caller, Id(id): Id<RegistryId>, NoBody: NoBody) -> Result<Response, Failure> {
    let job = caller.backend.registries.restart(&caller.actor, &id).await?;
    jobs::accepted(&caller, &job).await
}
