//! The registry: which handler works which queue. A job's arguments are in `domain::job`.

use domain::job::{Hint, QueueName};

use crate::{broadcasts::Broadcaster, claim::Claimer, dispatch::Feed, uploads::UploadProcessor};

/// What works the hints of this process.
#[derive(Clone)]
pub struct Jobs {
    /// Claims deliveries; what it claimed is sent.
    pub claimer: Claimer,
    /// Processes uploads.
    pub uploads: UploadProcessor,
    /// Makes the deliveries of broadcasts.
    pub broadcaster: Broadcaster,
}

impl Jobs {
    /// Works one hint. The job is done once its ids are claimed (deliveries), processed (uploads) or have all their
    /// deliveries (broadcasts).
    pub async fn work(&self, queue: QueueName, hint: Hint) {
        match queue {
            QueueName::Deliveries => self.claimer.claim(hint.with_lanes().collect()).await,
            QueueName::Uploads => self.uploads.process(hint.ids).await,
            QueueName::Broadcasts => self.broadcaster.work(hint.ids).await,
            // Nobody hints these yet; what is found there comes from a newer version.
            QueueName::Maintenance => {}
        }
    }
}

impl Feed for Jobs {
    async fn feed(&self, queue: QueueName, hint: Hint) {
        self.work(queue, hint).await;
    }
}
