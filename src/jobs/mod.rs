//! Durable work: a queue in the database, workers, steps that a restart doesn't repeat, logs in files.
//!
//! What must always hold: one job at a time changes one subject; a job that ends, ends in a final state, with its problem;
//! a log line is masked before it is written.

use crate::clock::Clock;
use crate::storage::Tx;
use app::error::Problem;
use app::model::id::JobId;
use async_trait::async_trait;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Which limit a job counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Builds: half as many as there are cores, one at least.
    Build,
    /// Changes to the Swarm: four.
    Swarm,
}

/// A job to be asked for.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Which handler runs it.
    pub kind: &'static str,
    /// Ids only, never a secret.
    pub payload: serde_json::Value,
    /// What it changes: `service:srv_…`. One job at a time runs for it.
    pub subject: String,
    /// Asking again with the key of an unfinished job returns that one.
    pub key: Option<String>,
    /// Which limit it counts against.
    pub lane: Lane,
    /// Who asks.
    pub asked_by: String,
    /// How often it is tried when it says [`JobError::Retry`].
    pub max_attempts: i64,
}

/// How a job ended early.
#[derive(Debug)]
pub enum JobError {
    /// Try again later, if tries are left.
    Retry {
        /// How much later.
        after: Duration,
        /// What people read when none are left.
        problem: Problem,
    },
    /// Give up.
    Fail(Problem),
    /// The token was cancelled and the work was put right.
    Cancelled,
}

impl From<Problem> for JobError {
    fn from(problem: Problem) -> Self {
        Self::Fail(problem)
    }
}

/// Our own fault inside a job: `.map_err(jobs::internal)?`; the chain goes into the log.
pub fn internal<E: std::error::Error + 'static>(error: E) -> JobError {
    let app::error::AppError::Internal { ticket } = crate::problems::internal(&error) else {
        unreachable!("it is internal")
    };
    JobError::Fail(Problem::new(
        "internal",
        format!("Slipway failed at this step. Its own log has the reason under {ticket}."),
        "Try again; if it happens again, report it with that part of the log.",
    ))
}

/// Runs the jobs of one kind. Product folders implement it; `start.rs` has the list.
#[async_trait]
pub trait Handler: Send + Sync {
    /// The kind it runs.
    fn kind(&self) -> &'static str;
    /// Does the work, in steps.
    async fn run(&self, payload: &serde_json::Value, cx: &JobContext) -> Result<(), JobError>;
    /// Puts the world right after a failure or cancel, also after a restart. Idempotent.
    async fn undo(&self, payload: &serde_json::Value, cx: &JobContext) {
        let _ = (payload, cx);
    }
}

/// The queue and its workers. Cheap to clone.
#[derive(Clone)]
pub struct Jobs {}

impl Jobs {
    /// Asks for a job in the caller's transaction; call [`Jobs::wake`] after the commit.
    pub async fn enqueue(&self, tx: &mut Tx, job: NewJob) -> Result<JobId, sqlx::Error> {
        let _ = (tx, job);
        unimplemented!()
    }

    /// Tells the workers to look.
    pub fn wake(&self) {
        unimplemented!()
    }

    /// Asks a job to stop. A queued one ends at once, a running one within 15 s. Ended ones are left alone.
    pub async fn cancel(&self, id: &JobId) -> Result<(), crate::storage::StorageError> {
        let _ = id;
        unimplemented!()
    }

    /// Ends queued jobs of a kind and subject as superseded, but for one.
    pub async fn supersede(&self, tx: &mut Tx, kind: &str, subject: &str, but: &JobId) -> Result<(), sqlx::Error> {
        let _ = (tx, kind, subject, but);
        unimplemented!()
    }
}

/// What a running job has at hand.
#[derive(Clone)]
pub struct JobContext {
    /// The job.
    pub id: JobId,
    /// Which try this is, from 1.
    pub attempt: i64,
    /// Cancelled when the job should stop.
    pub cancel: CancellationToken,
    /// What time it is.
    pub clock: Clock,
    inner: Arc<()>,
}

impl JobContext {
    /// Runs a step, or returns what it returned before a restart. `name` is stable, `title` is for people.
    /// A step may run again after a crash, so it has to be idempotent. Cancel ends it with [`JobError::Cancelled`]
    /// once its future returns (the future should watch `cancel`).
    pub async fn step<T>(
        &self,
        name: &str,
        title: &str,
        work: impl Future<Output = Result<T, JobError>> + Send,
    ) -> Result<T, JobError>
    where
        T: serde::Serialize + serde::de::DeserializeOwned + Send,
    {
        let _ = (name, title, work, &self.inner);
        unimplemented!()
    }

    /// Appends a line (or several) to the log under the running step; masked, cleaned and split at 16 KiB.
    pub fn log(&self, text: &str) {
        let _ = text;
        unimplemented!()
    }

    /// From now on this value (and its base64 and percent-encoded forms) is replaced by `•••` in every line.
    pub fn mask(&self, secret: &app::model::secret::Secret) {
        let _ = secret;
        unimplemented!()
    }

    /// Shows or updates a part of the running step, such as one of BuildKit's own.
    pub async fn sub_step(&self, step: app::model::job::Step) {
        let _ = step;
        unimplemented!()
    }
}
