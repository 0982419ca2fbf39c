//! A claimer without a sender.

use testkit::TestApp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use worker::claim::{Backlogs, Claimer, Claims, Slot, Slots};

/// A claimer at work that sends nothing.
pub struct AtWork {
    pub claimer: Claimer,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl AtWork {
    /// What it claims holds its slot for ever.
    pub fn with_slots(app: &TestApp, slots: usize) -> Self {
        Self::with(app, slots, Backlogs::default(), std::mem::forget)
    }

    /// With lanes that it claims unasked, and what becomes of each slot.
    pub fn with(app: &TestApp, slots: usize, backlogs: Backlogs, ended: fn(Slot)) -> Self {
        let (claimer, claims): (Claimer, Claims) = Claimer::new(&app.context, Slots::new(slots), backlogs);
        let stop = CancellationToken::new();
        let until = stop.clone();
        let running = tokio::spawn(async move { claims.run(until, move |_, slot| ended(slot)).await });
        Self { claimer, stop, running }
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.running.await.expect("it ends");
    }
}
