//! Runs a real worker for a test: queue, claims, sends and maintenance, as in production.

use std::time::Duration;

use platform::supervisor::{Failed, Supervisor};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::TestApp;

/// Longest shutdown of a worker.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running worker. Dropping it aborts it.
pub struct Working {
    stop: CancellationToken,
    running: JoinHandle<Result<(), Failed>>,
}

impl TestApp {
    /// Starts a worker on this app's database and queue. Newly accepted work is handed over to it.
    ///
    /// # Panics
    /// When it can't be started.
    #[must_use]
    pub fn work(&self) -> Working {
        self.context.queue.resume();
        let services = worker::services(&self.context, "worker").expect("a worker");
        let stop = CancellationToken::new();
        let running = tokio::spawn(Supervisor::run(services, stop.clone(), PATIENCE));
        Working { stop, running }
    }
}

impl Working {
    /// Stops in order: finishes work in progress.
    ///
    /// # Panics
    /// When a service failed.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let ended = (&mut self.running).await;
        ended.expect("no panic").expect("no failure");
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.running.abort();
    }
}
