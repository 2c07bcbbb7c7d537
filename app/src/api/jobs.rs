//! Durable work and its logs.

use crate::error::AppError;
use crate::model::account::Actor;
use crate::model::id::JobId;
use crate::model::job::{Job, LogLine, LogPage, Step};
use crate::model::queue::Waiting;
use async_trait::async_trait;

/// Jobs.
#[async_trait]
pub trait JobsApi: Send + Sync {
    /// The newest.
    async fn list(&self, actor: &Actor, limit: u32) -> Result<Vec<Job>, AppError>;
    /// One, with its steps in order.
    async fn get(&self, actor: &Actor, id: &JobId) -> Result<(Job, Vec<Step>), AppError>;
    /// Where it stands in the queue and what it waits for; none: it doesn't wait.
    async fn waiting(&self, actor: &Actor, id: &JobId) -> Result<Option<Waiting>, AppError>;
    /// The last `limit` lines of its log, and the byte offset behind them (where a live tail goes on).
    async fn tail(&self, actor: &Actor, id: &JobId, limit: usize) -> Result<(Vec<LogLine>, u64), AppError>;
    /// At most `count` lines of its log from line `from` on, and how many there are.
    async fn lines(&self, actor: &Actor, id: &JobId, from: u64, count: usize) -> Result<LogPage, AppError>;
}
