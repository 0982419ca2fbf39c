//! How a queue worker is, for readiness. Says nothing about the jobs themselves.

use std::sync::Arc;

use tokio::sync::watch;

/// What a worker is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WorkerState {
    /// Not yet connected for the first time.
    #[default]
    Starting,
    /// Connected and fetching, or full.
    Running,
    /// Died on an error of the queue; another comes.
    Restarting,
    /// Told to stop, and done.
    Stopped,
}

/// A handle on the state of one worker. Clones show the same worker.
#[derive(Clone)]
pub struct WorkerStatus {
    inner: Arc<watch::Sender<(WorkerState, u64)>>,
}

impl Default for WorkerStatus {
    fn default() -> Self {
        Self { inner: Arc::new(watch::Sender::new((WorkerState::default(), 0))) }
    }
}

impl WorkerStatus {
    /// The state now.
    #[must_use]
    pub fn state(&self) -> WorkerState {
        self.inner.borrow().0
    }

    /// How often it was started again.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.inner.borrow().1
    }

    /// Changes with the state and the number of restarts.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<(WorkerState, u64)> {
        self.inner.subscribe()
    }

    pub(super) fn set(&self, state: WorkerState) {
        self.inner.send_if_modified(|(current, _)| std::mem::replace(current, state) != state);
    }

    /// Counts a restart; says whether the worker that died had been running.
    pub(super) fn restarting(&self) -> bool {
        let mut ran = false;
        self.inner.send_modify(|(state, restarts)| {
            ran = std::mem::replace(state, WorkerState::Restarting) == WorkerState::Running;
            *restarts += 1;
        });
        ran
    }
}
