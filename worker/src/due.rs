//! What a scan found to be due besides deliveries: one statement a second looks for all kinds of work.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Longest that work waits for a scan that does not come.
const AT_LEAST_EVERY: Duration = Duration::from_secs(15);

/// The kinds of work that workers claim on their own. Clones share them.
#[derive(Clone, Default)]
pub struct Due {
    /// Uploads to process.
    pub uploads: DueSignal,
    /// Broadcasts to fan out.
    pub broadcasts: DueSignal,
    /// Replays that may go on.
    pub replays: DueSignal,
}

/// Whether work of one kind is due. Clones share it.
#[derive(Clone, Default)]
pub struct DueSignal {
    found: Arc<Notify>,
}

impl DueSignal {
    /// A scan found some.
    pub fn found(&self) {
        self.found.notify_one();
    }

    /// Waits until a scan has found some since the last wait, for some seconds, or until `stop`.
    pub async fn wait(&self, stop: &CancellationToken) {
        let found = tokio::time::timeout(AT_LEAST_EVERY, self.found.notified());
        let _ = stop.run_until_cancelled(found).await;
    }
}
