//! The queue within one process: an exact count in front of a list. Holds the same window as Redis.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::job::{Job, QueueName, WINDOW};
use futures_util::{StreamExt, stream, stream::BoxStream};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::{Pushed, Signal};

/// The queues of one process, and its signals.
#[derive(Clone)]
pub(super) struct MemoryQueue {
    queues: Arc<[Waiting]>,
    due: watch::Sender<u64>,
    endpoint_changed: watch::Sender<u64>,
}

/// What waits in one queue.
#[derive(Default)]
struct Waiting {
    held: Mutex<Held>,
    pushed: Notify,
}

#[derive(Default)]
struct Held {
    jobs: VecDeque<Job>,
    weight: usize,
}

impl Default for MemoryQueue {
    fn default() -> Self {
        let queues = QueueName::ALL.iter().map(|_| Waiting::default()).collect();
        Self { queues, due: watch::Sender::new(0), endpoint_changed: watch::Sender::new(0) }
    }
}

impl MemoryQueue {
    pub(super) fn push(&self, queue: QueueName, jobs: &[Job]) -> Pushed {
        let waiting = self.waiting(queue);
        let mut held = waiting.held();
        let mut taken = 0;
        for job in jobs {
            if held.weight + job.weight() > WINDOW {
                break;
            }
            held.weight += job.weight();
            held.jobs.push_back(job.clone());
            taken += 1;
        }
        waiting.pushed.notify_one();
        Pushed { jobs: taken, waiting: held.weight }
    }

    pub(super) fn depth(&self, queue: QueueName) -> usize {
        self.waiting(queue).held().weight
    }

    pub(super) fn jobs(&self, queue: QueueName, stop: CancellationToken) -> BoxStream<'static, Job> {
        stream::unfold((self.clone(), stop), move |(memory, stop)| async move {
            let job = memory.waiting(queue).next(&stop).await?;
            Some((job, (memory, stop)))
        })
        .boxed()
    }

    pub(super) fn signal(&self, signal: Signal) {
        self.sender(signal).send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(super) fn watch(&self, signal: Signal) -> watch::Receiver<u64> {
        self.sender(signal).subscribe()
    }

    const fn sender(&self, signal: Signal) -> &watch::Sender<u64> {
        match signal {
            Signal::Due => &self.due,
            Signal::EndpointChanged => &self.endpoint_changed,
        }
    }

    fn waiting(&self, queue: QueueName) -> &Waiting {
        let place = QueueName::ALL.iter().position(|name| *name == queue);
        &self.queues[place.expect("a queue was made for every name")]
    }
}

impl Waiting {
    /// The next job; none when there is none left after `stop`.
    async fn next(&self, stop: &CancellationToken) -> Option<Job> {
        loop {
            // Registered before the look, so that no push is missed.
            let pushed = self.pushed.notified();
            if let Some(job) = self.take() {
                return Some(job);
            }
            if stop.is_cancelled() {
                return None;
            }
            stop.run_until_cancelled(pushed).await;
        }
    }

    fn take(&self) -> Option<Job> {
        let mut held = self.held();
        let job = held.jobs.pop_front()?;
        held.weight -= job.weight();
        if !held.jobs.is_empty() {
            // A push wakes one source only; this one may be busy with its job for long.
            self.pushed.notify_one();
        }
        Some(job)
    }

    // A panic while this is held leaves a whole value behind.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
