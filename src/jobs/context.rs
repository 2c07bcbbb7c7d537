//! What a running job has at hand: its cancel token, its log, its masks; steps are in `steps`.

use super::log::{self, JobLog, LogStream};
use super::mask::Masks;
use super::queue::Claimed;
use super::{JobError, Jobs, lines, read};
use crate::clock::Clock;
use app::model::id::JobId;
use app::model::job::LogLine;
use app::model::secret::Secret;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// What a running job has at hand. Cheap to clone.
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
    /// Who asked for the job.
    pub asked_by: String,
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) jobs: Jobs,
    #[cfg_attr(not(feature = "testing"), expect(dead_code, reason = "names the points that tests stop at"))]
    pub(super) kind: String,
    log: JobLog,
    masks: Masks,
    /// The step under way.
    step: Mutex<String>,
    /// Cancelled when the job waits at a step's border for Slipway to stop.
    parked: CancellationToken,
}

impl JobContext {
    pub(super) fn new(jobs: &Jobs, claimed: &Claimed, cancel: CancellationToken) -> Self {
        let job = &claimed.job;
        let path = log::path(&jobs.inner.logs, job.created, job.id.as_str());
        Self {
            id: job.id.clone(),
            attempt: job.attempt,
            cancel,
            clock: jobs.inner.clock.clone(),
            asked_by: job.asked_by.clone(),
            inner: Arc::new(Inner {
                jobs: jobs.clone(),
                kind: job.kind.clone(),
                log: JobLog::open(path, log::CAPS),
                masks: Masks::default(),
                step: Mutex::default(),
                parked: CancellationToken::new(),
            }),
        }
    }

    /// Appends a line (or several) to the log under the running step; masked, cleaned and split at 16 KiB.
    pub fn log(&self, text: &str) {
        self.append(None, log::lines_of(text, &self.inner.masks));
    }

    /// The same under a step of this name, such as a sub-step's.
    pub fn log_at(&self, step: &str, text: &str) {
        self.append(Some(step), log::lines_of(text, &self.inner.masks));
    }

    /// For the output of a program: pieces become lines, wherever they are cut. Without a name its lines belong to the
    /// step that runs when they are complete.
    pub fn stream(&self, step: Option<&str>) -> LogStream {
        LogStream::new(self.clone(), step.map(str::to_owned))
    }

    /// From now on this value (and its base64, percent-encoded and escaped forms) is replaced by `•••` in every line and
    /// in titles of steps.
    pub fn mask(&self, secret: &Secret) {
        self.inner.masks.add(secret);
    }

    /// A text of the outside world as one line, without what was asked to be masked; for problems and titles.
    pub fn masked(&self, text: &str) -> String {
        lines::one(text, &self.inner.masks)
    }

    /// The last lines of its log so far; none when it can't be read.
    pub async fn last_lines(&self, limit: usize) -> Vec<LogLine> {
        let path = self.inner.log.path();
        match tokio::task::spawn_blocking(move || read::tail(&path, limit)).await {
            Ok(Ok((lines, _))) => lines,
            _ => Vec::new(),
        }
    }

    /// The outcome of work that doesn't watch the cancel token itself, or the cancel, whichever comes first. The work is
    /// dropped then.
    pub async fn or_cancel<T>(&self, work: impl Future<Output = T> + Send) -> Result<T, JobError> {
        tokio::select! {
            outcome = work => Ok(outcome),
            () = self.cancel.cancelled() => Err(JobError::Cancelled),
        }
    }

    /// A place inside a step where tests may stop or break off; nothing in a release.
    pub async fn point(&self, name: &str) {
        #[cfg(feature = "testing")]
        super::failpoints::reach(&format!("{}.{name}", self.inner.kind), &self.cancel).await;
        #[cfg(not(feature = "testing"))]
        std::future::ready(name).await;
    }

    pub(super) fn masks(&self) -> &Masks {
        &self.inner.masks
    }

    pub(super) fn append(&self, step: Option<&str>, lines: Vec<String>) {
        if lines.is_empty() {
            return;
        }
        let current;
        let step = match step {
            Some(step) => step,
            None => {
                current = self.step_name().clone();
                &current
            }
        };
        self.inner.log.append(self.clock.millis(), step, lines);
        self.inner.jobs.inner.hub.log_changed(&self.id);
    }

    pub(super) fn end_log(&self) {
        self.inner.log.end();
    }

    pub(super) fn enter_step(&self, name: &str) {
        name.clone_into(&mut self.step_name());
    }

    pub(super) fn leave_step(&self) {
        self.step_name().clear();
    }

    fn step_name(&self) -> std::sync::MutexGuard<'_, String> {
        self.inner.step.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops here for good: Slipway ends, and the next run goes on with the step that would begin now.
    pub(super) async fn park(&self) {
        self.inner.parked.cancel();
        std::future::pending::<()>().await;
    }

    /// Returns when the job waits at a border.
    pub(super) async fn parked(&self) {
        self.inner.parked.cancelled().await;
    }
}
