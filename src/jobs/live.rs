//! Live views of a job: its state, its steps and its log as they change.
//!
//! A channel per job says only that there is more; the content comes from the database and the file. So slow readers lose
//! nothing, and a reader that comes back with its offset goes on exactly where it stopped.

use super::{Jobs, read};
use app::api::jobs::JobsApi as _;
use app::error::AppError;
use app::model::account::Actor;
use app::model::id::JobId;
use app::model::job::{Job, LiveEvent, Step};
use futures::Stream;
use futures::stream::BoxStream;
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::watch;

/// How long changes are gathered before they are sent.
const GATHER: Duration = Duration::from_millis(40);
/// Looked again after this, should a change have been missed.
const AT_LATEST: Duration = Duration::from_secs(5);

/// How often something changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    log: u64,
    state: u64,
}

/// The channels of all jobs that somebody looks at.
#[derive(Default)]
pub(super) struct Hub {
    channels: Mutex<HashMap<JobId, watch::Sender<Changes>>>,
}

impl Hub {
    /// There are new lines.
    pub(super) fn log_changed(&self, job: &JobId) {
        self.bump(job, |changes| changes.log += 1);
    }

    /// State or steps are different.
    pub(super) fn state_changed(&self, job: &JobId) {
        self.bump(job, |changes| changes.state += 1);
    }

    /// Something may have changed anywhere.
    pub(super) fn all_changed(&self) {
        let mut channels = self.channels.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        channels.retain(|_, channel| channel.receiver_count() > 0);
        for channel in channels.values() {
            channel.send_modify(|changes| changes.state += 1);
        }
    }

    fn bump(&self, job: &JobId, change: impl FnOnce(&mut Changes)) {
        let channels = self.channels.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(channel) = channels.get(job) {
            channel.send_modify(change);
        }
    }

    fn follow(&self, job: &JobId) -> watch::Receiver<Changes> {
        let mut channels = self.channels.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        channels.retain(|_, channel| channel.receiver_count() > 0);
        channels.entry(job.clone()).or_default().subscribe()
    }
}

impl Jobs {
    /// What happens to a job from now on, and its log from a byte offset on: `(offset, event)`, where the offset is the
    /// one to come back with after this event. First comes a [`LiveEvent::Job`], then lines; `Job` again whenever state
    /// or steps change; [`LiveEvent::End`] once the job is over and its last line was sent, then nothing more.
    ///
    /// The stream doesn't end by itself while the job goes on: end it on shutdown, and send heartbeats beside it.
    pub async fn follow(
        &self,
        actor: &Actor,
        id: &JobId,
        from: u64,
    ) -> Result<BoxStream<'static, (u64, LiveEvent)>, AppError> {
        self.get(actor, id).await?;
        let changes = self.inner.hub.follow(id);
        let path = self.log_path(id).await?;
        let follower = Follower {
            jobs: self.clone(),
            id: id.clone(),
            path,
            offset: from,
            changes,
            seen: None,
            shown: None,
            waiting: VecDeque::new(),
            is_over: false,
        };
        Ok(Box::pin(futures::stream::unfold(follower, |mut follower| async move {
            let event = follower.next().await?;
            Some((event, follower))
        })))
    }

    /// The whole log as plain text without colours, in pieces, for a download.
    pub async fn text(
        &self,
        actor: &Actor,
        id: &JobId,
    ) -> Result<impl Stream<Item = std::io::Result<Vec<u8>>> + Send + use<>, AppError> {
        self.get(actor, id).await?;
        let path = self.log_path(id).await?;
        Ok(futures::stream::try_unfold(0, move |offset| {
            let path = path.clone();
            async move {
                tokio::task::spawn_blocking(move || read::text(path, offset)).await.map_err(std::io::Error::other)?
            }
        }))
    }
}

struct Follower {
    jobs: Jobs,
    id: JobId,
    path: PathBuf,
    offset: u64,
    changes: watch::Receiver<Changes>,
    seen: Option<Changes>,
    shown: Option<(Job, Vec<Step>)>,
    waiting: VecDeque<(u64, LiveEvent)>,
    is_over: bool,
}

impl Follower {
    async fn next(&mut self) -> Option<(u64, LiveEvent)> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.is_over {
                return None;
            }
            if !self.look().await {
                tokio::select! {
                    changed = self.changes.changed() => {
                        // The hub lives as long as we do.
                        if changed.is_err() {
                            return None;
                        }
                        tokio::time::sleep(GATHER).await;
                    }
                    () = tokio::time::sleep(AT_LATEST) => self.seen = None,
                }
            }
        }
    }

    /// Fills `waiting`; false: there is nothing new. The state is read before the log: once it is final, the log is
    /// complete.
    async fn look(&mut self) -> bool {
        let changes = *self.changes.borrow_and_update();
        if self.seen.is_none_or(|seen| seen.state != changes.state) {
            match self.jobs.read(&self.id).await {
                Ok(Some(now)) if self.shown.as_ref() != Some(&now) => {
                    self.shown = Some(now.clone());
                    self.waiting.push_back((self.offset, LiveEvent::Job { job: Box::new(now.0), steps: now.1 }));
                }
                Ok(Some(_)) => {}
                Ok(None) => {
                    self.is_over = true;
                    self.waiting.push_back((self.offset, LiveEvent::End));
                    return true;
                }
                Err(error) => tracing::warn!(error = %crate::problems::chain(&error), "a job can't be read"),
            }
        }
        self.seen = Some(changes);
        let (path, offset) = (self.path.clone(), self.offset);
        match tokio::task::spawn_blocking(move || read::from(&path, offset)).await {
            Ok(Ok((lines, end))) if end != self.offset => {
                self.offset = end;
                if !lines.is_empty() {
                    self.waiting.push_back((end, LiveEvent::Log { lines }));
                }
                return true;
            }
            Ok(Ok(_)) => self.end_if_over(),
            Ok(Err(error)) => {
                tracing::warn!(path = %self.path.display(), %error, "a job's log can't be read");
                self.end_if_over();
            }
            Err(_) => self.is_over = true,
        }
        !self.waiting.is_empty()
    }

    fn end_if_over(&mut self) {
        if self.shown.as_ref().is_some_and(|(job, _)| job.state.is_final()) {
            self.is_over = true;
            self.waiting.push_back((self.offset, LiveEvent::End));
        }
    }
}
