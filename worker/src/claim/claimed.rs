//! A delivery that is this worker's until its lease ends: claimed, or handed over with its job.

use std::{ops::Deref, time::Duration};

use entity::delivery::claim::ClaimedRow;
use tokio::time::Instant;

use super::Recipient;
use crate::lanes::Holder;

/// A delivery with all that its send needs. It reads like its row.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// What is stored of it.
    pub row: ClaimedRow,
    /// Who gets it.
    pub recipient: Recipient,
    /// When its lease ends, by this process's steady clock.
    pub(crate) lease_ends: Instant,
}

impl Deref for Claimed {
    type Target = ClaimedRow;

    fn deref(&self) -> &ClaimedRow {
        &self.row
    }
}

impl Claimed {
    /// What is left of its lease.
    #[must_use]
    pub fn lease_left(&self) -> Duration {
        self.lease_ends.saturating_duration_since(Instant::now())
    }

    /// Whom its send slot is held for.
    #[must_use]
    pub fn holder(&self) -> Holder {
        Holder::new(self.lane_id, Some(&self.channel), self.user_id)
    }
}
