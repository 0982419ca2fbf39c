//! The registry: which handler works which job. A job's arguments are in `domain::job`.

use domain::job::{Job, Work};

use crate::{broadcasts::Broadcaster, handover::Intake, uploads::UploadProcessor};

/// What works the jobs of this process.
#[derive(Clone)]
pub struct Jobs {
    /// Sends deliveries.
    pub intake: Intake,
    /// Processes uploads.
    pub uploads: UploadProcessor,
    /// Makes the deliveries of broadcasts.
    pub broadcaster: Broadcaster,
}

impl Jobs {
    /// Works one job. It is over once its deliveries are sent, wait for a slot or were released, its upload is processed, or
    /// its broadcast has all deliveries.
    pub async fn handle(&self, mut job: Job) {
        match std::mem::take(&mut job.work) {
            Work::Deliveries(handover) => self.intake.handle_job(&job, handover).await,
            Work::Upload(leased) => self.uploads.handle_job(&job, leased).await,
            Work::Broadcast(leased) => self.broadcaster.handle_job(&job, leased).await,
        }
    }
}
