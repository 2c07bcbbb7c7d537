//! Whether the process lives, and whether it can do its work.

use super::Web;
use app::model::settings::DockerState;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// `GET /healthz`: the process answers.
pub async fn process() -> &'static str {
    "ok\n"
}

/// One part of the answer: its name is the field, this says how it is.
#[derive(Debug, Serialize)]
struct Part {
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Part {
    fn new(reason: Option<String>) -> Self {
        Self { ready: reason.is_none(), reason }
    }
}

#[derive(Debug, Serialize)]
struct Readiness {
    ready: bool,
    database: Part,
    docker: Part,
    swarm: Part,
}

/// `GET /readyz`: database, Docker and Swarm, each by name. Docker isn't asked: the last look says how it was.
pub async fn ready(State(web): State<Arc<Web>>) -> impl IntoResponse {
    let database = match tokio::time::timeout(Duration::from_secs(2), web.db.ping()).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => {
            tracing::error!(error = %crate::problems::chain(&error), "the database doesn't answer");
            Some("fails; the log says why".to_owned())
        }
        Err(_) => Some("didn't answer in time".to_owned()),
    };
    let (docker, swarm) = match web.backend.settings.host().await.docker {
        DockerState::Ready => (None, None),
        DockerState::NoSwarm { .. } => (None, Some("Docker isn't in swarm mode".to_owned())),
        DockerState::NotManager => (None, Some("this node isn't a manager".to_owned())),
        DockerState::Unknown => (Some("not looked yet".to_owned()), Some("not looked yet".to_owned())),
        // The page says why; whoever isn't signed in needs no more than this.
        DockerState::Unreachable { .. } => {
            (Some("can't be reached".to_owned()), Some("Docker can't be reached".to_owned()))
        }
    };
    let parts = [Part::new(database), Part::new(docker), Part::new(swarm)];
    let ready = parts.iter().all(|part| part.ready);
    let [database, docker, swarm] = parts;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, database, docker, swarm }))
}
