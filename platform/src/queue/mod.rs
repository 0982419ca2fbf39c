//! The queue: jobs whose rows are leased, in memory for one process or in Redis for many.
//! Never the only record of work: it may be emptied at any moment, and the rows are claimed when their leases expire.

mod error;
mod memory;
mod pushed;
pub mod redis;
mod signal;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

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

pub use self::{error::QueueError, pushed::Pushed, signal::Signal};

use self::{memory::MemoryQueue, redis::RedisQueue};

/// Longest request id that a job carries; a longer one is omitted.
pub const MAX_REQUEST_ID_BYTES: usize = 128;

/// Carries jobs from the API to the workers. Cheap to clone; all clones share one queue.
#[derive(Clone)]
pub struct Queue {
    backend: Backend,
    /// Whether pushes of this process are paused.
    paused: Arc<AtomicBool>,
}

#[derive(Clone)]
enum Backend {
    Memory(MemoryQueue),
    Redis(RedisQueue),
}

impl Queue {
    /// Creates a queue within this process.
    #[must_use]
    pub fn memory() -> Self {
        Self::with_backend(Backend::Memory(MemoryQueue::default()))
    }

    /// Creates a queue in the Redis at `url`, under the namespace `hookyard`. Fails only when the address is not valid: while
    /// Redis is unavailable the queue is unhealthy. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the address is not valid.
    pub async fn redis(url: &str) -> Result<Self, QueueError> {
        Self::redis_in(url, "hookyard").await
    }

    /// Like [`Queue::redis`], with every key and channel under `namespace`, so that several queues share one Redis.
    ///
    /// # Errors
    /// When the address is not valid.
    pub async fn redis_in(url: &str, namespace: &str) -> Result<Self, QueueError> {
        Ok(Self::with_backend(Backend::Redis(RedisQueue::open(url, namespace).await?)))
    }

    fn with_backend(backend: Backend) -> Self {
        Self { backend, paused: Arc::default() }
    }

    /// Stops pushes of this process until [`Queue::resume`]; work accepted meanwhile is claimed. Workers continue.
    pub fn pause(&self) {
        self.paused.store(true, Ordering::Relaxed);
    }

    /// Resumes pushes.
    pub fn resume(&self) {
        self.paused.store(false, Ordering::Relaxed);
    }

    /// Whether jobs may be pushed: not paused, and the last call succeeded.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.paused.load(Ordering::Relaxed) && self.is_healthy()
    }

    /// Pushes the first jobs that fit the window; all belong to `queue`. Counting and pushing are atomic across processes.
    /// Returns within [`redis::CALL_TIMEOUT`].
    ///
    /// # Errors
    /// Returns the errors of Redis; [`QueueError::is_outcome_known`] says whether jobs may have been pushed.
    pub async fn push(&self, queue: QueueName, jobs: &[Job]) -> Result<Pushed, QueueError> {
        match &self.backend {
            _ if jobs.is_empty() => Ok(Pushed::default()),
            Backend::Memory(memory) => Ok(memory.push(queue, jobs)),
            Backend::Redis(redis) => redis.push(queue, jobs).await,
        }
    }

    /// Returns the length of the queue, in the unit of [`domain::job::WINDOW`].
    ///
    /// # Errors
    /// Returns the errors of Redis.
    pub async fn depth(&self, queue: QueueName) -> Result<usize, QueueError> {
        match &self.backend {
            Backend::Memory(memory) => Ok(memory.depth(queue)),
            Backend::Redis(redis) => redis.depth(queue).await,
        }
    }

    /// Whether the last call succeeded. After a failure one call a second probes Redis and the others fail at once.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        match &self.backend {
            Backend::Memory(_) => true,
            Backend::Redis(redis) => redis.is_healthy(),
        }
    }

    /// Wakes the workers for due work that no job carries: in this process at once, in others through Redis, at most 20 times
    /// a second, best effort.
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

    /// Returns a receiver that changes after each [`Queue::wake`], and after a reconnect that may have missed one.
    #[must_use]
    pub fn woken(&self) -> watch::Receiver<u64> {
        self.watch(Signal::Due)
    }

    /// Returns a receiver that changes with every signal of this kind, and after a reconnect that may have missed one.
    #[must_use]
    pub fn watch(&self, signal: Signal) -> watch::Receiver<u64> {
        match &self.backend {
            Backend::Memory(memory) => memory.watch(signal),
            Backend::Redis(redis) => redis.watch(signal),
        }
    }

    /// Streams the jobs of `queue`, at most `at_once` popped from Redis in one step. After `stop` it yields the jobs that were
    /// popped (in memory: all that wait) and ends. Errors of Redis are logged and retried, never returned.
    #[must_use]
    pub fn jobs(&self, queue: QueueName, at_once: usize, stop: CancellationToken) -> BoxStream<'static, Job> {
        match &self.backend {
            Backend::Memory(memory) => memory.jobs(queue, stop),
            Backend::Redis(redis) => redis.jobs(queue, at_once, stop),
        }
    }

    /// Wraps [`Queue::jobs`] as a source for an apalis worker. Cancels `ended` after the last job; the worker may stop then.
    #[must_use]
    pub fn storage(
        &self,
        queue: QueueName,
        at_once: usize,
        stop: CancellationToken,
        ended: CancellationToken,
    ) -> MemoryStorage<Job> {
        let no_sink = drain::<Task<Job>>().sink_map_err(|never| -> MemoryStorageError { match never {} });
        let no_sink = MemorySink::new(Arc::new(futures_util::lock::Mutex::new(Box::new(no_sink))));
        let jobs = self.jobs(queue, at_once, stop).map(with_task_id);
        // apalis treats the end of a source as a failure, so the stream never ends.
        let end = stream::once(async move {
            ended.cancel();
            std::future::pending().await
        });
        MemoryStorage::new_with(no_sink, jobs.chain(end).boxed())
    }
}

/// Wraps a job for apalis, whose layers need a task id.
fn with_task_id(job: Job) -> Task<Job> {
    TaskBuilder::new(job).task_id(TaskId::from_string(Uuid::now_v7().to_string())).build()
}

/// Returns a request id that fits a job: none when it is longer than [`MAX_REQUEST_ID_BYTES`].
#[must_use]
pub fn request_id_for_job(id: Option<&str>) -> Option<String> {
    id.filter(|id| id.len() <= MAX_REQUEST_ID_BYTES).map(str::to_owned)
}
