//! The queue: hints about work that is due, in memory for one process or in Redis for many.
//! Must never be the only place that knows of work: it may be wiped at any moment, and the dispatcher fills it again.

mod bell;
mod health;
mod link;
pub mod memory;
pub mod redis;
mod scripts;

use std::{borrow::Cow, time::Duration};

use ::redis::RedisError;
use domain::job::{Hint, QueueName};
use tokio::sync::watch;

use self::{memory::MemoryQueue, redis::RedisQueue};

/// Longest request id that a hint carries; a longer one is left out.
pub const MAX_REQUEST_ID_BYTES: usize = 128;

/// Hands hints from those who know of due work to the workers. Cheap to clone; all clones are one queue.
#[derive(Clone)]
pub struct Queue {
    backend: Backend,
}

/// Where a queue keeps its jobs; for those who run workers on it.
#[derive(Clone)]
pub enum Backend {
    /// In this process.
    Memory(MemoryQueue),
    /// In Redis, shared by every process.
    Redis(RedisQueue),
}

impl Queue {
    /// A queue within this process.
    #[must_use]
    pub fn memory() -> Self {
        Self { backend: Backend::Memory(MemoryQueue::default()) }
    }

    /// A queue in the Redis at `url`, under the namespace `hookyard`. Fails only when the address is not valid: a Redis
    /// that is away makes the queue unhealthy until it answers. Must be called within a tokio runtime.
    pub async fn redis(url: &str) -> Result<Self, QueueError> {
        Self::redis_in(url, "hookyard").await
    }

    /// Like [`Queue::redis`], with every key and channel under `namespace`, so that several share one Redis.
    pub async fn redis_in(url: &str, namespace: &str) -> Result<Self, QueueError> {
        Ok(Self { backend: Backend::Redis(RedisQueue::open(url, namespace).await?) })
    }

    /// Pushes the first ids that fit the window, in jobs of at most [`domain::job::MAX_IDS_PER_JOB`]; returns how many
    /// were taken. Count and push are one step for all processes. Answers within [`redis::CALL_TIMEOUT`].
    pub async fn push(&self, queue: QueueName, hint: &Hint) -> Result<usize, QueueError> {
        match &self.backend {
            _ if hint.ids.is_empty() => Ok(0),
            Backend::Memory(memory) => Ok(memory.push(queue, &bounded(hint))),
            Backend::Redis(redis) => redis.push(queue, &bounded(hint)).await,
        }
    }

    /// Ids that wait for a worker, at most the window (plus what dead workers gave back).
    pub async fn depth(&self, queue: QueueName) -> Result<usize, QueueError> {
        match &self.backend {
            Backend::Memory(memory) => Ok(memory.depth(queue)),
            Backend::Redis(redis) => redis.depth(queue).await,
        }
    }

    /// Whether the last call succeeded. While it did not, one call a second tries and the others fail at once.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        match &self.backend {
            Backend::Memory(_) => true,
            Backend::Redis(redis) => redis.is_healthy(),
        }
    }

    /// Wakes every dispatcher: in this process at once, in others by Redis, at most 20 times a second, best effort.
    pub fn wake(&self) {
        match &self.backend {
            Backend::Memory(memory) => memory.wake(),
            Backend::Redis(redis) => redis.wake(),
        }
    }

    /// Changes whenever somebody called [`Queue::wake`], and when a lost connection that would have said so is back.
    #[must_use]
    pub fn woken(&self) -> watch::Receiver<u64> {
        match &self.backend {
            Backend::Memory(memory) => memory.woken(),
            Backend::Redis(redis) => redis.woken(),
        }
    }

    /// Removes what finished jobs left behind, at most [`redis::SWEEP_LIMIT`] of them; returns how many. Call again at
    /// once when it returns the limit.
    pub async fn sweep_finished(&self, queue: QueueName) -> Result<usize, QueueError> {
        match &self.backend {
            Backend::Memory(_) => Ok(0),
            Backend::Redis(redis) => redis.sweep_finished(queue).await,
        }
    }

    /// The storage behind it, for those who run workers.
    #[must_use]
    pub fn backend(&self) -> &Backend {
        &self.backend
    }
}

/// Without a request id that is too long.
fn bounded(hint: &Hint) -> Cow<'_, Hint> {
    let is_short = hint.request_id.as_ref().is_none_or(|id| id.len() <= MAX_REQUEST_ID_BYTES);
    if is_short { Cow::Borrowed(hint) } else { Cow::Owned(hint.clone().caused_by(None)) }
}

/// Why a call of the queue failed. Hints may or may not have been pushed: both are harmless.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The address cannot be used.
    #[error("REDIS_URL is not a valid address of a Redis: {0}")]
    Address(RedisError),
    /// It was away a moment ago; a call within the second will try again.
    #[error("Redis is away")]
    Away,
    /// No answer in time.
    #[error("Redis did not answer within {0:?}")]
    Deadline(Duration),
    /// Redis said no, or the connection broke.
    #[error("Redis failed: {0}")]
    Redis(#[from] RedisError),
}
