//! Runs an apalis worker for a queue. A job whose handler fails or panics is over: what it carried is claimed when its lease
//! ends.

use std::sync::Arc;

use apalis::prelude::{
    BoxDynError, Event, EventListenerExt, WorkerBuilder, WorkerBuilderExt, WorkerContext, WorkerError,
};
use domain::job::{Job, QueueName};
use futures_util::{FutureExt, future::BoxFuture};
use platform::queue::Queue;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};
use uuid::Uuid;

use crate::jobs::Jobs;

/// Most jobs that a worker takes from Redis in one step.
const FETCH_BATCH: usize = 16;

/// How one queue is worked.
#[derive(Clone, Copy, Debug)]
pub struct WorkerOptions {
    /// Most handlers that run at once.
    pub concurrency: usize,
}

impl WorkerOptions {
    /// What fits the jobs of `queue`: those of deliveries only start sends, others do their work and have limits of their own.
    #[must_use]
    pub const fn for_queue(queue: QueueName) -> Self {
        match queue {
            QueueName::Deliveries => Self { concurrency: 16 },
            QueueName::Uploads | QueueName::Broadcasts => Self { concurrency: 4 },
        }
    }
}

/// Works the jobs of `name` until `stop`, then lets running handlers end and returns.
///
/// # Errors
/// When apalis' worker ends for any other reason.
pub async fn run(
    queue: &Queue,
    name: QueueName,
    options: WorkerOptions,
    jobs: Jobs,
    stop: CancellationToken,
) -> Result<(), WorkerError> {
    let batch = FETCH_BATCH.min(options.concurrency);
    let (jobs, ended) = (Arc::new(jobs), CancellationToken::new());
    let worker = WorkerBuilder::new(format!("{name}-{}", Uuid::now_v7().simple()))
        .backend(queue.storage(name, batch, stop, ended.clone()))
        .concurrency(options.concurrency)
        .catch_panic()
        .enable_tracing()
        .on_event(log_failure)
        .build(move |job: Job| {
            let jobs = Arc::clone(&jobs);
            async move {
                jobs.handle(job).await;
                Ok::<(), BoxDynError>(())
            }
        });
    // The source ends after the stop, with what it has taken; only then the worker may end, too.
    let ending = async move {
        ended.cancelled().await;
        Ok::<(), WorkerError>(())
    };
    let running: BoxFuture<'static, Result<(), WorkerError>> = worker.run_until(ending).boxed();
    running.await
}

fn log_failure(worker: &WorkerContext, event: &Event) {
    match event {
        Event::Error(failure) => error!(worker = worker.name(), error = %failure, "a job failed"),
        Event::Start | Event::Stop => debug!(worker = worker.name(), %event, "queue worker"),
        _ => {}
    }
}
