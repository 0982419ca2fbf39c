//! How many handlers run, and who waits for that to change. Counts handlers of workers that died, too: they still run.

use std::{sync::Arc, task::Waker};

use futures_util::task::AtomicWaker;
use tokio::sync::watch;

/// Places for handlers. Clones share them.
#[derive(Clone)]
pub(super) struct Slots {
    inner: Arc<Inner>,
}

struct Inner {
    limit: usize,
    running: watch::Sender<usize>,
    fetcher: AtomicWaker,
}

/// One place, given back on drop.
pub(super) struct Slot(Arc<Inner>);

impl Slots {
    pub(super) fn new(limit: usize) -> Self {
        let inner = Inner { limit, running: watch::Sender::new(0), fetcher: AtomicWaker::new() };
        Self { inner: Arc::new(inner) }
    }

    pub(super) fn limit(&self) -> usize {
        self.inner.limit
    }

    /// Free places now. `waker` is woken when one more becomes free; only the last waker given is.
    pub(super) fn poll_free(&self, waker: &Waker) -> usize {
        self.inner.fetcher.register(waker);
        self.inner.limit.saturating_sub(*self.inner.running.borrow())
    }

    /// Takes a place; the caller looked for a free one before it fetched.
    pub(super) fn take(&self) -> Slot {
        self.inner.running.send_modify(|running| *running += 1);
        Slot(Arc::clone(&self.inner))
    }

    /// Waits until no handler runs.
    pub(super) async fn empty(&self) {
        let mut running = self.inner.running.subscribe();
        // The sender is ours, so the wait cannot fail.
        let _ = running.wait_for(|running| *running == 0).await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.running.send_modify(|running| *running -= 1);
        self.0.fetcher.wake();
    }
}
