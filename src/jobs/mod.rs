//! Durable work: a queue in the database, workers, steps that a restart doesn't repeat, logs in files.
//!
//! What must always hold: one job at a time changes one subject; a job that ends, ends in a final state, with its problem;
//! a log line is masked before it is written.
//!
//! Life of a job: `queue` writes and claims rows, within `limits` and in an `order` that people may change; `worker` runs
//! claimed ones; `context` and `steps` are what the work sees; `cancel` and `recovery` end what must not go on; `log`, `lines`
//! and `mask` write its log; `read`, `live`, `show` and `waiting` tell people.

mod cancel;
mod context;
#[cfg(feature = "testing")]
mod failpoints;
mod index;
mod limits;
mod lines;
mod live;
mod log;
mod mask;
mod order;
mod queue;
mod read;
mod recovery;
mod show;
mod steps;
mod waiting;
mod worker;

pub use context::JobContext;
pub(crate) use lines::without_colours;
pub use log::LogStream;

use crate::clock::Clock;
use crate::storage::Db;
use app::error::{AppError, Problem};
use app::model::id::JobId;
use async_trait::async_trait;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Which limit a job counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Builds: half as many as there are cores, one at least.
    Build,
    /// Changes to the Swarm: four.
    Swarm,
}

impl Lane {
    /// All lanes.
    pub const ALL: [Self; 2] = [Self::Build, Self::Swarm];

    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Swarm => "swarm",
        }
    }

    /// Its name among the limits that are set at run time.
    pub fn resource(self) -> &'static str {
        match self {
            Self::Build => "lane:build",
            Self::Swarm => "lane:swarm",
        }
    }

    /// How many jobs run in it at once when no limit is set.
    pub fn limit(self) -> usize {
        match self {
            Self::Build => (std::thread::available_parallelism().map_or(1, std::num::NonZero::get) / 2).max(1),
            Self::Swarm => 4,
        }
    }
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
    /// What else it takes a place of, such as a builder: `builder:engine`.
    pub resource: Option<String>,
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
    let cause = match crate::problems::internal(&error) {
        AppError::Problem(problem) => return JobError::Fail(*problem),
        AppError::Internal { ticket } => {
            format!("Slipway failed at this step. Its own log has the reason under {ticket}.")
        }
        other => other.to_string(),
    };
    JobError::Fail(Problem::new(
        "internal",
        cause,
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
pub struct Jobs {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    clock: Clock,
    /// This run of the program.
    boot: String,
    logs: PathBuf,
    handlers: RwLock<HashMap<&'static str, Arc<dyn Handler>>>,
    limits: RwLock<HashMap<Lane, usize>>,
    running: Mutex<HashMap<JobId, CancellationToken>>,
    wake: Notify,
    hub: live::Hub,
    indexes: Arc<index::Indexes>,
    tasks: TaskTracker,
    /// Cancelled when no step is to begin any more.
    pausing: CancellationToken,
    /// Cancelled when running steps have had their time.
    leaving: CancellationToken,
}

impl Jobs {
    /// A queue whose logs are below `logs`. Register the handlers, then [`Jobs::start`] it.
    pub fn new(db: Db, clock: Clock, logs: PathBuf) -> Self {
        Self {
            inner: Arc::new(Inner {
                db,
                clock,
                boot: crate::clock::random_token(),
                logs,
                handlers: RwLock::default(),
                limits: RwLock::new(Lane::ALL.map(|lane| (lane, lane.limit())).into()),
                running: Mutex::default(),
                wake: Notify::new(),
                hub: live::Hub::default(),
                indexes: Arc::default(),
                tasks: TaskTracker::new(),
                pausing: CancellationToken::new(),
                leaving: CancellationToken::new(),
            }),
        }
    }

    /// Another usual limit for a lane, for this run of the program; one that is set ([`Jobs::set_limit`]) goes before it.
    pub fn limit(&self, lane: Lane, limit: usize) {
        self.inner.limits.write().unwrap_or_else(PoisonError::into_inner).insert(lane, limit);
    }

    /// Adds the handler of a kind.
    pub fn register(&self, handler: Arc<dyn Handler>) {
        self.inner.handlers.write().unwrap_or_else(PoisonError::into_inner).insert(handler.kind(), handler);
    }

    /// Takes up what an earlier run left, and works until `stop`. Then nothing new is claimed, running steps get 20 s to
    /// come to their end, and what isn't done by then is left for the next run. The handle ends when all is quiet.
    pub fn start(&self, stop: CancellationToken) -> tokio::task::JoinHandle<()> {
        self.start_with(stop, worker::GRACE)
    }

    /// [`Jobs::start`] with another time for running steps.
    pub fn start_with(&self, stop: CancellationToken, grace: Duration) -> tokio::task::JoinHandle<()> {
        #[expect(clippy::disallowed_methods, reason = "whoever stops the program waits for this handle")]
        tokio::task::spawn(worker::dispatch(self.clone(), stop, grace))
    }

    /// Tells the workers to look. Call it after the commit of whatever was asked for.
    pub fn wake(&self) {
        self.inner.wake.notify_one();
        self.inner.hub.all_changed();
    }

    fn usual_limit(&self, lane: Lane) -> i64 {
        let limit = self.inner.limits.read().unwrap_or_else(PoisonError::into_inner).get(&lane).copied();
        i64::try_from(limit.unwrap_or_else(|| lane.limit())).unwrap_or(i64::MAX)
    }

    fn handler(&self, kind: &str) -> Option<Arc<dyn Handler>> {
        self.inner.handlers.read().unwrap_or_else(PoisonError::into_inner).get(kind).cloned()
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<JobId, CancellationToken>> {
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Jobs")
    }
}
