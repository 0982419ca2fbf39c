//! A claimer without a sender.

use testkit::TestApp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use worker::claim::{Claimer, Claims, Slots};

/// A claimer at work that sends nothing: what it claims holds its slot for ever.
pub struct AtWork {
    pub claimer: Claimer,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl AtWork {
    pub fn with_slots(app: &TestApp, slots: usize) -> Self {
        let (claimer, claims): (Claimer, Claims) = Claimer::new(&app.context, Slots::new(slots));
        let stop = CancellationToken::new();
        let until = stop.clone();
        let running = tokio::spawn(async move { claims.run(until, |_, slot| std::mem::forget(slot)).await });
        Self { claimer, stop, running }
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.running.await.expect("it ends");
    }
}
