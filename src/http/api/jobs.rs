//! Jobs: what became of work that takes time.

use super::extract::{Caller, Id};
use super::problem::Failure;
use super::times;
use super::words::{JobState, StepState};
use app::api::Backend;
use app::error;
use app::model::account::Actor;
use app::model::id::JobId;
use app::model::job;
use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::LOCATION;
use serde::Serialize;
use utoipa::ToSchema;

/// A durable piece of work.
#[derive(Serialize, ToSchema)]
pub struct Job {
    /// Its id.
    id: String,
    /// What is done: `restart_registry`, …
    kind: String,
    /// What it changes: `registry:reg_…`
    subject: String,
    /// Where it is.
    state: JobState,
    /// Whether nothing will change any more.
    finished: bool,
    /// Why it failed.
    problem: Option<Trouble>,
    /// Which try this is, from 1.
    attempt: i64,
    /// Who asked.
    asked_by: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    started_at: Option<String>,
    #[schema(format = DateTime)]
    finished_at: Option<String>,
    /// In order.
    steps: Vec<Step>,
}

/// A step of a job.
#[derive(Serialize, ToSchema)]
pub struct Step {
    /// Stable.
    name: String,
    /// For people.
    title: String,
    /// Where it is.
    state: StepState,
    #[schema(format = DateTime)]
    started_at: String,
    #[schema(format = DateTime)]
    finished_at: Option<String>,
}

/// What went wrong, and what to do.
#[derive(Serialize, ToSchema)]
pub struct Trouble {
    /// Stable: `registry.unreachable`.
    code: String,
    /// What happened, and why.
    cause: String,
    /// What to do next.
    remedy: String,
    /// The other side's own words.
    details: Option<String>,
}

impl From<error::Problem> for Trouble {
    fn from(error::Problem { code, cause, remedy, details, .. }: error::Problem) -> Self {
        Self { code, cause, remedy, details }
    }
}

impl From<job::Step> for Step {
    fn from(step: job::Step) -> Self {
        Self {
            name: step.name,
            title: step.title,
            state: step.state.into(),
            started_at: times::of_millis(step.started),
            finished_at: step.finished.map(times::of_millis),
        }
    }
}

impl Job {
    /// The job as it is now.
    pub async fn find(backend: &Backend, actor: &Actor, id: &JobId) -> Result<Self, Failure> {
        let (job, steps) = backend.jobs.get(actor, id).await?;
        Ok(Self {
            id: job.id.to_string(),
            kind: job.kind,
            subject: job.subject,
            state: job.state.into(),
            finished: job.state.is_final(),
            problem: job.problem.map(Trouble::from),
            attempt: job.attempt,
            asked_by: job.asked_by,
            created_at: times::of_millis(job.created),
            started_at: job.started.map(times::of_millis),
            finished_at: job.finished.map(times::of_millis),
            steps: steps.into_iter().map(Step::from).collect(),
        })
    }
}

/// 202: the job is under way, and this is where to follow it.
pub async fn accepted(caller: &Caller, id: &JobId) -> Result<Response, Failure> {
    let job = Job::find(&caller.backend, &caller.actor, id).await?;
    Ok((StatusCode::ACCEPTED, [(LOCATION, format!("/api/v1/jobs/{id}"))], Json(job)).into_response())
}

/// A job with its steps
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{id}",
    operation_id = "getJob",
    tag = "jobs",
    params(("id" = String, Path, description = "The job's id: `job_…`")),
    responses((status = 200, description = "The job as it is now", body = Job))
)]
pub async fn get(caller: Caller, Id(id): Id<JobId>) -> Result<Json<Job>, Failure> {
    Job::find(&caller.backend, &caller.actor, &id).await.map(Json)
}
