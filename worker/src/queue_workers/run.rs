//! One life of an apalis worker, in memory or on Redis. Returns when it was told to stop, or with what killed it.

use std::panic::AssertUnwindSafe;

use apalis_core::{
    backend::ext::BackendExt,
    error::WorkerError,
    worker::{
        builder::WorkerBuilder, context::WorkerContext, event::Event, ext::event_listener::EventListenerExt,
    },
};
use apalis_redis::RedisStorage;
use domain::job::Hint;
use futures_util::FutureExt;
use platform::queue::{memory::MemoryQueue, redis::RedisQueue};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    BATCHES_IN_SLOTS, BoxError, MAX_BATCH, Shared, WorkerState,
    fault::{Death, panic_text},
    meter::Meter,
    slots::Slots,
    tap::Tap,
    wakes::Wakes,
    work::Work,
};

/// Works the in-memory jobs until stopped.
pub(super) async fn in_memory<H, F>(memory: &MemoryQueue, shared: Shared<H>) -> Result<(), Death>
where
    H: Fn(Hint) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    shared.status.set(WorkerState::Running);
    let meter = Meter::new();
    let (ending, noted) = (Ending::of(&shared, &meter), noting(&meter));
    let storage = memory.storage(shared.name);
    let work = Work { shared, meter, batch: 1 };
    let worker = WorkerBuilder::new(worker_name()).backend(storage).on_event(noted).build(work);
    outlive(worker.run_with_ctx(move |context| ending.clone().end(context))).await
}

/// Works the jobs in Redis until stopped, or until Redis fails.
pub(super) async fn on_redis<H, F>(redis: &RedisQueue, shared: Shared<H>) -> Result<(), Death>
where
    H: Fn(Hint) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    let connection = redis.connect().await.map_err(Death::Connect)?;
    let (queue, name, meter) = (shared.name, worker_name(), Meter::new());
    let batch = (shared.slots.limit() / BATCHES_IN_SLOTS).clamp(1, MAX_BATCH);
    let pushed = redis.pushed(queue);
    let wakes = Wakes::new(pushed.clone());
    let tap = Tap { connection, meter: meter.clone(), pushed, status: shared.status.clone() };
    let storage = RedisStorage::<Hint, Tap>::new(tap).with_config(redis.config(queue).batch_size(batch));
    let (ending, noted) = (Ending::of(&shared, &meter), noting(&meter));
    let work = Work { shared, meter, batch };
    let worker = WorkerBuilder::new(name.as_str())
        .backend(storage.poll_with_strategy(wakes))
        .on_event(noted)
        .build(work);
    outlive(worker.run_with_ctx(move |context| ending.clone().end(context))).await?;
    // Best effort: apalis drops it a few heartbeats later anyway.
    let _ = redis.forget_worker(queue, &name).await;
    Ok(())
}

/// Tells the meter of each job whose end apalis noted.
fn noting(meter: &Meter) -> impl Fn(&WorkerContext, &Event) + Send + Sync + 'static {
    let meter = meter.clone();
    move |_, event| {
        if matches!(event, Event::Success(_) | Event::Error(_)) {
            meter.noted();
        }
    }
}

/// A panic inside apalis ends one worker, never the process.
async fn outlive(worker: impl Future<Output = Result<(), WorkerError>>) -> Result<(), Death> {
    match AssertUnwindSafe(worker).catch_unwind().await {
        Ok(ended) => ended.map_err(Death::Worker),
        Err(panic) => Err(Death::Panic(panic_text(&*panic).to_owned())),
    }
}

/// A name that no worker had before: apalis refuses one that was alive a moment ago.
fn worker_name() -> String {
    Uuid::now_v7().simple().to_string()
}

/// How a worker ends well: fetch no more, start what was fetched, let it finish and be noted, then close.
#[derive(Clone)]
struct Ending {
    stop: CancellationToken,
    slots: Slots,
    meter: Meter,
}

impl Ending {
    fn of<H>(shared: &Shared<H>, meter: &Meter) -> Self {
        Self { stop: shared.stop.clone(), slots: shared.slots.clone(), meter: meter.clone() }
    }

    async fn end(self, worker: WorkerContext) -> Result<(), WorkerError> {
        self.stop.cancelled().await;
        self.slots.empty().await;
        self.meter.empty().await;
        worker.stop()
    }
}
