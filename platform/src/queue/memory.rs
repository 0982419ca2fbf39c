//! The queue within one process: apalis' in-memory storage behind an exact count. Must hold the same window as Redis.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use apalis_core::{
    backend::memory::{MemorySink, MemoryStorage, MemoryStorageError},
    task::{Task, builder::TaskBuilder, task_id::TaskId},
};
use domain::job::{Hint, QueueName, WINDOW};
use futures_util::{SinkExt, Stream, sink::drain};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use super::bell::{Bell, ring};

/// Jobs of one process, one lane a queue.
#[derive(Clone)]
pub struct MemoryQueue {
    lanes: Arc<HashMap<QueueName, Arc<Lane>>>,
    wake: Bell,
}

struct Lane {
    held: Mutex<usize>,
    sender: mpsc::UnboundedSender<Task<Hint>>,
    receiver: Mutex<mpsc::UnboundedReceiver<Task<Hint>>>,
}

impl Default for MemoryQueue {
    fn default() -> Self {
        let lanes = QueueName::ALL.iter().map(|name| (*name, Arc::new(Lane::new()))).collect();
        Self { lanes: Arc::new(lanes), wake: Bell::new(0) }
    }
}

impl MemoryQueue {
    /// apalis' storage over the jobs of `queue`. Several may be made one after another; at a time, one should run.
    #[must_use]
    pub fn storage(&self, queue: QueueName) -> MemoryStorage<Hint> {
        let nowhere = drain::<Task<Hint>>().sink_map_err(|never| -> MemoryStorageError { match never {} });
        let sink = MemorySink::new(Arc::new(futures_util::lock::Mutex::new(Box::new(nowhere))));
        MemoryStorage::new_with(sink, Box::pin(Jobs(Arc::clone(self.lane(queue)))))
    }

    pub(super) fn push(&self, queue: QueueName, hint: &Hint) -> usize {
        self.lane(queue).push(hint)
    }

    pub(super) fn depth(&self, queue: QueueName) -> usize {
        *lock(&self.lane(queue).held)
    }

    pub(super) fn wake(&self) {
        ring(&self.wake);
    }

    pub(super) fn woken(&self) -> watch::Receiver<u64> {
        self.wake.subscribe()
    }

    fn lane(&self, queue: QueueName) -> &Arc<Lane> {
        self.lanes.get(&queue).expect("a lane was made for every name")
    }
}

impl Lane {
    fn new() -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self { held: Mutex::new(0), sender, receiver: Mutex::new(receiver) }
    }

    fn push(&self, hint: &Hint) -> usize {
        let mut held = lock(&self.held);
        let taken = hint.ids.len().min(WINDOW.saturating_sub(*held));
        for job in hint.jobs(taken) {
            let name = TaskId::from_string(Uuid::now_v7().to_string());
            let sent = self.sender.send(TaskBuilder::new(job).task_id(name).build());
            sent.expect("the receiver lives as long as the lane");
        }
        *held += taken;
        taken
    }
}

/// Jobs as a worker takes them: a job that leaves makes room.
struct Jobs(Arc<Lane>);

impl Stream for Jobs {
    type Item = Task<Hint>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let job = lock(&self.0.receiver).poll_recv(cx);
        if let Poll::Ready(Some(job)) = &job {
            *lock(&self.0.held) -= job.args.ids.len();
        }
        job
    }
}

// A panic while one of these is held leaves a whole value behind.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
