//! Jobs as people see them: the use cases behind `app::api::jobs`.

use super::queue::{columns, job};
use super::{Jobs, log, read};
use crate::problems;
use crate::storage::{StorageError, parsed};
use app::api::jobs::JobsApi;
use app::error::AppError;
use app::model::account::{Action, Actor};
use app::model::id::JobId;
use app::model::job::{Job, LogLine, LogPage, Step};
use app::model::queue::Waiting;
use async_trait::async_trait;
use sqlx::Row as _;
use std::path::PathBuf;

/// Most lines that are read at once.
const MOST_LINES: usize = 10_000;

#[async_trait]
impl JobsApi for Jobs {
    async fn list(&self, actor: &Actor, limit: u32) -> Result<Vec<Job>, AppError> {
        actor.may(Action::Read)?;
        let rows = sqlx::query(concat!("SELECT ", columns!(), " FROM jobs ORDER BY created DESC, rowid DESC LIMIT ?"))
            .bind(limit)
            .fetch_all(self.inner.db.read())
            .await
            .map_err(problems::of)?;
        rows.iter().map(job).collect::<Result<_, _>>().map_err(problems::of)
    }

    async fn get(&self, actor: &Actor, id: &JobId) -> Result<(Job, Vec<Step>), AppError> {
        actor.may(Action::Read)?;
        self.read(id).await.map_err(problems::of)?.ok_or_else(|| AppError::NotFound("job".into()))
    }

    async fn waiting(&self, actor: &Actor, id: &JobId) -> Result<Option<Waiting>, AppError> {
        actor.may(Action::Read)?;
        self.waits(id).await.map_err(problems::of)
    }

    async fn tail(&self, actor: &Actor, id: &JobId, limit: usize) -> Result<(Vec<LogLine>, u64), AppError> {
        self.get(actor, id).await?;
        let path = self.log_path(id).await?;
        tokio::task::spawn_blocking(move || read::tail(&path, limit.min(MOST_LINES)))
            .await
            .map_err(problems::of)?
            .map_err(problems::of)
    }

    async fn lines(&self, actor: &Actor, id: &JobId, from: u64, count: usize) -> Result<LogPage, AppError> {
        self.get(actor, id).await?;
        let path = self.log_path(id).await?;
        let indexes = std::sync::Arc::clone(&self.inner.indexes);
        tokio::task::spawn_blocking(move || indexes.lines(&path, from, count.min(MOST_LINES)))
            .await
            .map_err(problems::of)?
            .map_err(problems::of)
    }
}

impl Jobs {
    /// A job with its steps in order.
    pub(super) async fn read(&self, id: &JobId) -> Result<Option<(Job, Vec<Step>)>, StorageError> {
        let row = sqlx::query(concat!("SELECT ", columns!(), " FROM jobs WHERE id = ?"))
            .bind(id.as_str())
            .fetch_optional(self.inner.db.read())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let steps = sqlx::query(
            "SELECT name, title, state, started, finished, cached FROM job_steps WHERE job_id = ? ORDER BY position",
        )
        .bind(id.as_str())
        .fetch_all(self.inner.db.read())
        .await?;
        let steps = steps.iter().map(step).collect::<Result<_, _>>()?;
        Ok(Some((job(&row)?, steps)))
    }

    /// Where a job's log is.
    pub(super) async fn log_path(&self, id: &JobId) -> Result<PathBuf, AppError> {
        let created: Option<i64> = sqlx::query_scalar("SELECT created FROM jobs WHERE id = ?")
            .bind(id.as_str())
            .fetch_optional(self.inner.db.read())
            .await
            .map_err(problems::of)?;
        let created = created.ok_or_else(|| AppError::NotFound("job".into()))?;
        Ok(log::path(&self.inner.logs, created, id.as_str()))
    }
}

fn step(row: &sqlx::sqlite::SqliteRow) -> Result<Step, StorageError> {
    let state: String = row.try_get("state")?;
    Ok(Step {
        name: row.try_get("name")?,
        title: row.try_get("title")?,
        state: parsed(&state, "state of a step")?,
        started: row.try_get("started")?,
        finished: row.try_get("finished")?,
        cached: row.try_get("cached")?,
    })
}
