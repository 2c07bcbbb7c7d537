//! Steps: durable pieces of a job. What a step returned is kept, and a step that was done isn't repeated after a restart.

use super::context::JobContext;
use super::{JobError, internal};
use crate::problems;
use crate::storage::{StorageError, trouble};
use app::model::job::{Step, StepState};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::time::Duration;

/// How many seconds a step waits for room on the disk.
const PATIENCE: u32 = 60;

impl JobContext {
    /// Runs a step, or returns what it returned before a restart. `name` is stable, `title` is for people; the output
    /// never holds a secret. A step may run again after a crash, so it has to be idempotent. A cancel ends it with
    /// [`JobError::Cancelled`] once its future returns an error (the future should watch `cancel`).
    pub async fn step<T>(
        &self,
        name: &str,
        title: &str,
        work: impl Future<Output = Result<T, JobError>> + Send,
    ) -> Result<T, JobError>
    where
        T: Serialize + DeserializeOwned + Send,
    {
        match self.done(name).await? {
            Some(output) => Ok(output),
            // On the heap: what steps do is deep, and each layer would hold all of it once more on the worker's stack.
            None => self.fresh_step(name, title, Box::pin(work)).await,
        }
    }

    /// What a step returned before a restart; None: it isn't done.
    pub async fn done<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, JobError> {
        let output: Option<Option<String>> =
            sqlx::query_scalar("SELECT output FROM job_steps WHERE job_id = ? AND name = ? AND state = 'done'")
                .bind(self.id.as_str())
                .bind(name)
                .fetch_optional(self.inner.jobs.inner.db.read())
                .await
                .map_err(internal)?;
        // An output that another version wrote and this one can't read: the step is done again.
        Ok(output.flatten().and_then(|output| serde_json::from_str(&output).ok()))
    }

    /// A step that runs also when it was done before a restart, because what it makes doesn't outlast the process (such
    /// as a folder that is emptied at start).
    pub async fn fresh_step<T>(
        &self,
        name: &str,
        title: &str,
        work: impl Future<Output = Result<T, JobError>> + Send,
    ) -> Result<T, JobError>
    where
        T: Serialize + Send,
    {
        if self.cancel.is_cancelled() {
            return Err(JobError::Cancelled);
        }
        if self.inner.jobs.inner.pausing.is_cancelled() {
            self.park().await;
        }
        self.patiently(|| self.begin(name, title)).await.map_err(internal)?;
        #[cfg(feature = "testing")]
        self.reach(name, "before").await;
        let result = match work.await {
            Ok(output) => {
                #[cfg(feature = "testing")]
                self.reach(name, "done").await;
                let text = serde_json::to_string(&output).map_err(internal)?;
                self.patiently(|| self.end(name, StepState::Done, Some(&text))).await.map_err(internal)?;
                Ok(output)
            }
            Err(error) => {
                self.patiently(|| self.end(name, StepState::Failed, None)).await.map_err(internal)?;
                Err(if self.cancel.is_cancelled() { JobError::Cancelled } else { error })
            }
        };
        #[cfg(feature = "testing")]
        if result.is_ok() {
            self.reach(name, "after").await;
        }
        result
    }

    /// Shows or updates a part of the running step, such as one of BuildKit's own (`build/<digest>`). Its title is
    /// cleaned and masked. A failure to write it is no failure of the job.
    pub async fn sub_step(&self, step: Step) {
        if let Err(error) = self.write_sub_step(&step).await {
            tracing::warn!(job.id = %self.id, error = %problems::chain(&error), "a sub-step can't be written");
        }
        self.inner.jobs.inner.hub.state_changed(&self.id);
    }

    /// A write without which a step would count as not done: while the disk takes nothing it is tried again for a while.
    async fn patiently<W>(&self, write: impl Fn() -> W + Send) -> Result<(), StorageError>
    where
        W: Future<Output = Result<(), StorageError>> + Send,
    {
        for tries in 0.. {
            match write().await {
                Err(error) if trouble(&error).is_some() && tries < PATIENCE && !self.cancel.is_cancelled() => {
                    if tries == 0 {
                        self.log("The disk with Slipway's data folder is full; waiting for room.");
                    }
                }
                done => return done,
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
                () = self.cancel.cancelled() => {}
            }
        }
        Ok(())
    }

    async fn begin(&self, name: &str, title: &str) -> Result<(), StorageError> {
        self.enter_step(name);
        let mut tx = self.inner.jobs.inner.db.write().await?;
        sqlx::query("DELETE FROM job_steps WHERE job_id = ? AND substr(name, 1, length(?2) + 1) = ?2 || '/'")
            .bind(self.id.as_str())
            .bind(name)
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "INSERT INTO job_steps (job_id, name, title, position, state, started)
             VALUES (?1, ?2, ?3, (SELECT coalesce(max(position), 0) + 1 FROM job_steps WHERE job_id = ?1), 'running', ?4)
             ON CONFLICT (job_id, name) DO UPDATE SET
                 title = excluded.title, position = excluded.position, state = 'running', output = NULL, cached = 0,
                 started = excluded.started, finished = NULL",
        )
        .bind(self.id.as_str())
        .bind(name)
        .bind(title)
        .bind(self.clock.millis())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.inner.jobs.inner.hub.state_changed(&self.id);
        Ok(())
    }

    async fn end(&self, name: &str, state: StepState, output: Option<&str>) -> Result<(), StorageError> {
        let now = self.clock.millis();
        let mut tx = self.inner.jobs.inner.db.write().await?;
        sqlx::query("UPDATE job_steps SET state = ?, output = ?, finished = ? WHERE job_id = ? AND name = ?")
            .bind(state.as_str())
            .bind(output)
            .bind(now)
            .bind(self.id.as_str())
            .bind(name)
            .execute(&mut *tx)
            .await?;
        // Parts that never said how they ended ended with the whole.
        sqlx::query(
            "UPDATE job_steps SET state = ?, finished = ?
             WHERE job_id = ? AND state = 'running' AND substr(name, 1, length(?5) + 1) = ?5 || '/'",
        )
        .bind(state.as_str())
        .bind(now)
        .bind(self.id.as_str())
        .bind(name)
        .bind(name)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.inner.jobs.inner.hub.state_changed(&self.id);
        Ok(())
    }

    async fn write_sub_step(&self, step: &Step) -> Result<(), StorageError> {
        let mut tx = self.inner.jobs.inner.db.write().await?;
        sqlx::query(
            "INSERT INTO job_steps (job_id, name, title, position, state, cached, started, finished)
             VALUES (?1, ?2, ?3, (SELECT coalesce(max(position), 0) + 1 FROM job_steps WHERE job_id = ?1), ?4, ?5, ?6, ?7)
             ON CONFLICT (job_id, name) DO UPDATE SET
                 title = excluded.title, state = excluded.state, cached = excluded.cached, started = excluded.started,
                 finished = excluded.finished",
        )
        .bind(self.id.as_str())
        .bind(&step.name)
        .bind(self.masked(&step.title))
        .bind(step.state.as_str())
        .bind(step.cached)
        .bind(step.started)
        .bind(step.finished)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// A point where tests may stop or break off.
    #[cfg(feature = "testing")]
    async fn reach(&self, step: &str, when: &str) {
        super::failpoints::reach(&format!("{}.{step}.{when}", self.inner.kind), &self.cancel).await;
    }
}
