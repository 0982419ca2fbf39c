//! What an apalis worker is about to hand out. apalis does not say when it fetches and how much of a batch is left, and
//! while it holds jobs that nobody takes it sends no heartbeat: so we count what passes.

use std::sync::Arc;

use tokio::sync::watch;

/// Calls under way and jobs fetched but not yet taken, of one apalis worker.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    calls: usize,
    fetched: usize,
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
        *self.0.borrow() == Count::default()
    }

    /// Waits until it is quiet.
    pub(super) async fn quiet(&self) {
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

    /// A job was taken. In memory nothing is ever fetched ahead.
    pub(super) fn taken(&self) {
        self.0.send_if_modified(|count| {
            let ahead = count.fetched > 0;
            count.fetched -= usize::from(ahead);
            ahead
        });
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| count.calls -= 1);
    }
}
