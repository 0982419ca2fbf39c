//! What an apalis worker is about to hand out. apalis does not say when it fetches and how much of a batch is left, and
//! while it holds jobs that nobody takes it sends no heartbeat: so we count what passes.

use std::sync::Arc;

use tokio::sync::watch;

/// What one apalis worker has in hand.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    /// Calls to Redis under way.
    calls: usize,
    /// Jobs fetched and not yet taken by a handler.
    fetched: usize,
    /// Jobs taken whose end apalis has not noted.
    open: usize,
}

/// Counts for one apalis worker; a new worker gets a new meter.
#[derive(Clone)]
pub(super) struct Meter(Arc<watch::Sender<Count>>);

/// A call to Redis under way.
pub(super) struct Call(Meter);

impl Meter {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Count::default())))
    }

    /// Nothing is being fetched and nothing that was fetched waits: the next poll would begin a fetch.
    pub(super) fn is_quiet(&self) -> bool {
        let count = self.0.borrow();
        count.calls == 0 && count.fetched == 0
    }

    /// Waits until it is quiet and apalis has noted the end of every job. Stopped any earlier, apalis hangs for ever
    /// once more acknowledgements wait than its channel holds.
    pub(super) async fn empty(&self) {
        let mut count = self.0.subscribe();
        // The sender is ours, so the wait cannot fail.
        let _ = count.wait_for(|count| *count == Count::default()).await;
    }

    pub(super) fn call(&self) -> Call {
        self.0.send_modify(|count| count.calls += 1);
        Call(self.clone())
    }

    pub(super) fn fetched(&self, jobs: usize) {
        self.0.send_modify(|count| count.fetched += jobs);
    }

    /// A handler took a job. In memory nothing is ever fetched ahead.
    pub(super) fn taken(&self) {
        self.0.send_modify(|count| {
            count.fetched = count.fetched.saturating_sub(1);
            count.open += 1;
        });
    }

    /// apalis noted the end of a job.
    pub(super) fn noted(&self) {
        self.0.send_modify(|count| count.open = count.open.saturating_sub(1));
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| count.calls -= 1);
    }
}
