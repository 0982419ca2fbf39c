//! What travels through the queue. A job is a hint: ids of work that is due now; the rows are the work.
//! Stored jobs are public: fields are added, never renamed.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::words::words;

/// Most ids that one job carries.
pub const MAX_IDS_PER_JOB: usize = 32;
/// Most ids that a queue holds at any moment, all processes together.
pub const WINDOW: usize = 4_096;
/// How long a hint is trusted before the dispatcher looks at its row again.
pub const HINT_TRUSTED: std::time::Duration = std::time::Duration::from_secs(15);

words! {
    /// The queues, by the names that `WORKER_QUEUES` takes.
    QueueName {
        /// Deliveries due now.
        Deliveries = "deliveries",
        /// Uploads to process.
        Uploads = "uploads",
        /// Broadcasts to fan out.
        Broadcasts = "broadcasts",
        /// Upkeep: replays, retention, repairs.
        Maintenance = "maintenance",
    }
}

/// Ids of work that is due now, at most [`MAX_IDS_PER_JOB`] of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// Ids of deliveries, uploads or broadcasts, as the queue says.
    pub ids: Vec<Uuid>,
    /// The request that caused the work, for logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}
