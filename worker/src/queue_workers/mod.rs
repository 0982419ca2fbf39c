//! Runs apalis workers and starts them again when Redis ends them. Must never drop a handler that has begun: handlers run
//! on a tracker of ours, which outlives the worker that fetched their job.

mod fault;
mod janitor;
mod meter;
mod run;
mod slots;
mod status;
mod tap;
#[cfg(test)]
mod tests;
mod wakes;
mod work;

use std::{panic::AssertUnwindSafe, time::Duration};

use domain::job::{Hint, QueueName};
use futures_util::FutureExt;
use metrics::counter;
use platform::{
    queue::{Backend, Queue},
    telemetry::names::WORKER_RESTARTS,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{fault::Backoff, slots::Slots};
pub use self::{
    janitor::janitor,
    status::{WorkerState, WorkerStatus},
};

/// Any error of a handler.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How often a worker looks for jobs when nothing woke it.
pub const POLL_EVERY: Duration = Duration::from_millis(500);
/// Most jobs that a worker fetches at once.
pub const MAX_BATCH: usize = 64;
/// A worker fetches only when a whole batch fits, so at most one part in this many of its slots idles.
const BATCHES_IN_SLOTS: usize = 8;

/// How one queue is worked.
#[derive(Clone)]
pub struct WorkerOptions {
    /// Most handlers that run at once, at least one. A worker fetches only what it can start at once.
    pub concurrency: usize,
    /// Where it says how it is.
    pub status: WorkerStatus,
}

impl WorkerOptions {
    /// Options with this concurrency and a status of their own.
    #[must_use]
    pub fn new(concurrency: usize) -> Self {
        Self { concurrency: concurrency.max(1), status: WorkerStatus::default() }
    }
}

/// What the parts of one worker share, over all of its restarts.
#[derive(Clone)]
struct Shared<H> {
    name: QueueName,
    handler: H,
    slots: Slots,
    tracker: TaskTracker,
    status: WorkerStatus,
    stop: CancellationToken,
}

/// Works the jobs of `name` until `stop`, then lets running handlers end and returns. An error or panic of a handler is
/// logged and ends only its job: retries are rows. A job may come twice; claiming makes the second a no-op.
pub async fn run<H, F>(
    queue: Queue,
    name: QueueName,
    options: WorkerOptions,
    handler: H,
    stop: CancellationToken,
) where
    H: Fn(Hint) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    let WorkerOptions { concurrency, status } = options;
    let shared =
        Shared { name, handler, slots: Slots::new(concurrency), tracker: TaskTracker::new(), status, stop };
    supervise(&queue, &shared).await;
    shared.tracker.close();
    shared.tracker.wait().await;
    shared.status.set(WorkerState::Stopped);
}

async fn supervise<H, F>(queue: &Queue, shared: &Shared<H>)
where
    H: Fn(Hint) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    let mut backoff = Backoff::default();
    while !shared.stop.is_cancelled() {
        let ended = match queue.backend() {
            Backend::Memory(memory) => run::in_memory(memory, shared.clone()).await,
            Backend::Redis(redis) => run::on_redis(redis, shared.clone()).await,
        };
        let Err(error) = ended else { continue };
        if shared.stop.is_cancelled() {
            return;
        }
        if shared.status.restarting() {
            backoff.reset();
        }
        counter!(WORKER_RESTARTS).increment(1);
        tracing::warn!(queue = %shared.name, %error, "a queue worker died; starting another");
        if let Backend::Redis(redis) = queue.backend() {
            fault::report(redis, shared.name, &error).await;
        }
        let _ = tokio::time::timeout(backoff.next(), shared.stop.cancelled()).await;
    }
}

impl<H, F> Shared<H>
where
    H: Fn(Hint) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    /// Handles one job on the tracker; ends by itself, whatever becomes of the worker that fetched it.
    fn start(&self, hint: Hint) -> tokio::task::JoinHandle<()> {
        let slot = self.slots.take();
        let (name, handler) = (self.name, self.handler.clone());
        self.tracker.spawn(async move {
            let _slot = slot;
            let request_id = hint.request_id.clone();
            let outcome = AssertUnwindSafe(async { handler(hint).await }).catch_unwind().await;
            match outcome {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(queue = %name, request_id, %error, "a job failed"),
                Err(panic) => {
                    tracing::error!(queue = %name, request_id, panic = fault::panic_text(&*panic), "a job panicked");
                }
            }
        })
    }
}
