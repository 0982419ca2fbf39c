//! The queue within one process: a list of jobs and their total weight. Keeps the same bound as the queue in Redis.

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
    queues: Arc<[JobList]>,
    due: watch::Sender<u64>,
    endpoint_changed: watch::Sender<u64>,
}

/// The jobs of one queue.
#[derive(Default)]
struct JobList {
    state: Mutex<JobListState>,
    pushed: Notify,
}

#[derive(Default)]
struct JobListState {
    jobs: VecDeque<Job>,
    weight: usize,
}

impl Default for MemoryQueue {
    fn default() -> Self {
        let queues = QueueName::ALL.iter().map(|_| JobList::default()).collect();
        Self { queues, due: watch::Sender::new(0), endpoint_changed: watch::Sender::new(0) }
    }
}

impl MemoryQueue {
    pub(super) fn push(&self, queue: QueueName, jobs: &[Job]) -> Pushed {
        let list = self.list(queue);
        let mut state = list.lock();
        let mut taken = 0;
        for job in jobs {
            if state.weight + job.weight() > WINDOW {
                break;
            }
            state.weight += job.weight();
            state.jobs.push_back(job.clone());
            taken += 1;
        }
        list.pushed.notify_one();
        Pushed { jobs: taken, waiting: state.weight }
    }

    pub(super) fn depth(&self, queue: QueueName) -> usize {
        self.list(queue).lock().weight
    }

    pub(super) fn jobs(&self, queue: QueueName, stop: CancellationToken) -> BoxStream<'static, Job> {
        stream::unfold((self.clone(), stop), move |(memory, stop)| async move {
            let job = memory.list(queue).next_job(&stop).await?;
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

    fn list(&self, queue: QueueName) -> &JobList {
        let index = QueueName::ALL.iter().position(|name| *name == queue);
        &self.queues[index.expect("a list was made for every queue")]
    }
}

impl JobList {
    /// Waits for the next job. Returns none after `stop` when no job is left.
    async fn next_job(&self, stop: &CancellationToken) -> Option<Job> {
        loop {
            // Registered before the list is read, so that no push is missed.
            let pushed = self.pushed.notified();
            if let Some(job) = self.pop_job() {
                return Some(job);
            }
            if stop.is_cancelled() {
                return None;
            }
            stop.run_until_cancelled(pushed).await;
        }
    }

    fn pop_job(&self) -> Option<Job> {
        let mut state = self.lock();
        let job = state.jobs.pop_front()?;
        state.weight -= job.weight();
        if !state.jobs.is_empty() {
            // A push wakes only one reader, which may be busy with its job for long.
            self.pushed.notify_one();
        }
        Some(job)
    }

    // A panic while the lock is held leaves the state consistent.
    fn lock(&self) -> MutexGuard<'_, JobListState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
