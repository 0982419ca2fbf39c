//! A claim loop without a sender.

use testkit::TestApp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use worker::{
    claim::{Claimer, Recheck},
    endpoints::EndpointCache,
    lanes::{SendSlot, SendSlots},
};

/// A claimer at work that sends nothing.
pub struct AtWork {
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl AtWork {
    /// What it claims holds its slot indefinitely.
    pub fn holding(app: &TestApp, slots: usize) -> Self {
        Self::with(app, slots, std::mem::forget)
    }

    /// With what becomes of each slot.
    pub fn with(app: &TestApp, slots: usize, ended: fn(SendSlot)) -> Self {
        Self::over(app, SendSlots::new(slots), ended)
    }

    /// With slots of which some may be held.
    pub fn over(app: &TestApp, slots: SendSlots, ended: fn(SendSlot)) -> Self {
        let endpoints = EndpointCache::new(&app.context);
        let claimer = Claimer::new(&app.context, endpoints, slots, Recheck::default(), Default::default());
        let stop = CancellationToken::new();
        let until = stop.clone();
        let running = tokio::spawn(async move { claimer.run(until, move |_, slot| ended(slot)).await });
        Self { stop, running }
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.running.await.expect("it ends");
    }
}
