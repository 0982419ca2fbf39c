//! The queue: jobs whose rows are leased, in memory for one process or in Redis for many.
//! Never the only place that knows of work: it may be emptied at any moment, and the rows are claimed when their leases end.

mod memory;
pub mod redis;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ::redis::{ErrorKind, RedisError};
use apalis::prelude::{MemorySink, MemoryStorage, MemoryStorageError, Task, TaskBuilder, TaskId};
use domain::job::{Job, QueueName};
use futures_util::{
    SinkExt, StreamExt,
    sink::drain,
    stream::{self, BoxStream},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::{memory::MemoryQueue, redis::RedisQueue};

/// Longest request id that a job carries; a longer one is left out.
pub const MAX_REQUEST_ID_BYTES: usize = 128;

/// Carries jobs from those who accept work to the workers. Cheap to clone; all clones are one queue.
#[derive(Clone)]
pub struct Queue {
    backend: Backend,
    /// Whether this process pushes nothing for now.
    paused: Arc<AtomicBool>,
}

#[derive(Clone)]
enum Backend {
    Memory(MemoryQueue),
    Redis(RedisQueue),
}

/// What a push came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// How many of the jobs were taken, the first ones.
    pub jobs: usize,
    /// What waits in the queue now, in the unit of [`domain::job::WINDOW`].
    pub waiting: usize,
}

/// What a watcher may be woken for. Counts up; best effort, so a slow poll stands behind each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// There is work that is due and not leased.
    Due,
    /// An endpoint was changed: what was cached of it is old.
    EndpointChanged,
}

impl Queue {
    /// A queue within this process.
    #[must_use]
    pub fn memory() -> Self {
        Self::of(Backend::Memory(MemoryQueue::default()))
    }

    /// A queue in the Redis at `url`, under the namespace `hookyard`. Fails only when the address is not valid: a Redis
    /// that is away makes the queue unhealthy until it answers. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the address can't be used.
    pub async fn redis(url: &str) -> Result<Self, QueueError> {
        Self::redis_in(url, "hookyard").await
    }

    /// Like [`Queue::redis`], with every key and channel under `namespace`, so that several share one Redis.
    ///
    /// # Errors
    /// When the address can't be used.
    pub async fn redis_in(url: &str, namespace: &str) -> Result<Self, QueueError> {
        Ok(Self::of(Backend::Redis(RedisQueue::open(url, namespace).await?)))
    }

    fn of(backend: Backend) -> Self {
        Self { backend, paused: Arc::default() }
    }

    /// Pushes nothing from this process until it is resumed: what is accepted meanwhile is claimed. Workers go on.
    pub fn pause(&self) {
        self.paused.store(true, Ordering::Relaxed);
    }

    /// Pushes again.
    pub fn resume(&self) {
        self.paused.store(false, Ordering::Relaxed);
    }

    /// Whether jobs may be pushed: it is not paused, and the last call succeeded.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.paused.load(Ordering::Relaxed) && self.is_healthy()
    }

    /// Pushes the first jobs that fit the window; all belong to `queue`. Count and push are one step for all processes.
    /// Answers within [`redis::CALL_TIMEOUT`].
    ///
    /// # Errors
    /// Those of Redis; [`QueueError::is_outcome_known`] says whether the jobs can have been pushed.
    pub async fn push(&self, queue: QueueName, jobs: &[Job]) -> Result<Pushed, QueueError> {
        match &self.backend {
            _ if jobs.is_empty() => Ok(Pushed::default()),
            Backend::Memory(memory) => Ok(memory.push(queue, jobs)),
            Backend::Redis(redis) => redis.push(queue, jobs).await,
        }
    }

    /// What waits for a worker, in the unit of [`domain::job::WINDOW`].
    ///
    /// # Errors
    /// Those of Redis.
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

    /// Tells the workers that work is due which no job carries: in this process at once, in others by Redis, at most 20
    /// times a second, best effort.
    pub fn wake(&self) {
        self.signal(Signal::Due);
    }

    /// Signals in every process, like [`Queue::wake`].
    pub fn signal(&self, signal: Signal) {
        match &self.backend {
            Backend::Memory(memory) => memory.signal(signal),
            Backend::Redis(redis) => redis.signal(signal),
        }
    }

    /// Changes whenever [`Queue::wake`] was called, and when a lost connection that would have said so is back.
    #[must_use]
    pub fn woken(&self) -> watch::Receiver<u64> {
        self.watch(Signal::Due)
    }

    /// Changes with every signal of this kind, and when a lost connection that would have said so is back.
    #[must_use]
    pub fn watch(&self, signal: Signal) -> watch::Receiver<u64> {
        match &self.backend {
            Backend::Memory(memory) => memory.watch(signal),
            Backend::Redis(redis) => redis.watch(signal),
        }
    }

    /// The jobs of `queue` as they come, at most `at_once` taken from Redis in one step. After `stop` it gives what was
    /// taken already (in memory: all that waits) and ends. Errors of Redis are waited for and logged, never returned.
    #[must_use]
    pub fn jobs(&self, queue: QueueName, at_once: usize, stop: CancellationToken) -> BoxStream<'static, Job> {
        match &self.backend {
            Backend::Memory(memory) => memory.jobs(queue, stop),
            Backend::Redis(redis) => redis.jobs(queue, at_once, stop),
        }
    }

    /// The same as a source for an apalis worker, which may stop when `ended` is cancelled: that is after the last job.
    #[must_use]
    pub fn storage(
        &self,
        queue: QueueName,
        at_once: usize,
        stop: CancellationToken,
        ended: CancellationToken,
    ) -> MemoryStorage<Job> {
        let nowhere = drain::<Task<Job>>().sink_map_err(|never| -> MemoryStorageError { match never {} });
        let nowhere = MemorySink::new(Arc::new(futures_util::lock::Mutex::new(Box::new(nowhere))));
        let jobs = self.jobs(queue, at_once, stop).map(named);
        // apalis takes the end of a source for a failure, so it only learns that there is nothing more to come.
        let end = stream::once(async move {
            ended.cancel();
            std::future::pending().await
        });
        MemoryStorage::new_with(nowhere, jobs.chain(end).boxed())
    }
}

/// A job as apalis takes it: its layers want an id.
fn named(job: Job) -> Task<Job> {
    TaskBuilder::new(job).task_id(TaskId::from_string(Uuid::now_v7().to_string())).build()
}

/// A request id as jobs carry it: none when it is too long.
#[must_use]
pub fn request_id_for_job(id: Option<&str>) -> Option<String> {
    id.filter(|id| id.len() <= MAX_REQUEST_ID_BYTES).map(str::to_owned)
}

/// Why a call of the queue failed.
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
    /// Redis refused, or the connection broke.
    #[error("Redis failed: {0}")]
    Redis(#[from] RedisError),
}

impl QueueError {
    /// Whether it is certain that nothing was pushed: Redis said no, or was never reached.
    #[must_use]
    pub fn is_outcome_known(&self) -> bool {
        match self {
            Self::Address(_) | Self::Away => true,
            Self::Deadline(_) => false,
            Self::Redis(error) => {
                matches!(
                    error.kind(),
                    ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::AuthenticationFailed
                ) || error.is_connection_refusal()
            }
        }
    }
}
