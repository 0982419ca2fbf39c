//! A delivery that is this worker's until its lease ends: claimed, or handed over with its job.

use std::time::Duration;

use bytes::Bytes;
use domain::{
    clock::Millis,
    delivery::MAX_CLAIMS_WITHOUT_RECORD,
    id::{DeliveryId, EventId, LaneId},
    job::LEASE,
};
use tokio::time::Instant;
use uuid::Uuid;

use super::Recipient;
use crate::lanes::Holder;

/// A delivery with all that its send needs.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Claimed {
    pub(crate) id: Uuid,
    pub(crate) event_id: Uuid,
    /// Its tenant; none where no user owns it.
    pub user_id: Option<i64>,
    pub(crate) lane_id: Uuid,
    /// Its channel, a word of `domain::delivery::Channel`.
    pub channel: String,
    /// The endpoint, push subscription or subscriber.
    pub(crate) recipient_id: Uuid,
    /// The bytes to sign and send.
    #[sqlx(try_from = "Vec<u8>")]
    pub body: Bytes,
    pub(crate) position: i16,
    pub(crate) attempts: i32,
    /// The fence: only a record that names this claim moves the delivery.
    pub claim: i32,
    pub(crate) recorded_claim: i32,
    pub(crate) created_at: i64,
    pub(crate) due_at: i64,
    /// When it was claimed or began its send, by the database's clock, in ms.
    pub claimed_at: i64,
    /// Whether its event is there; without it there is nothing to send.
    pub has_body: bool,
    /// Whether its job got lost or its worker died.
    pub(crate) rescued: bool,
    /// Who gets it.
    #[sqlx(skip)]
    pub recipient: Recipient,
    /// When its lease ends, by this process's steady clock; none: it has just begun.
    #[sqlx(skip)]
    pub(crate) lease_ends: Option<Instant>,
}

impl Claimed {
    /// What is left of its lease.
    #[must_use]
    pub fn lease_left(&self) -> Duration {
        self.lease_ends.map_or(LEASE, |ends| ends.saturating_duration_since(Instant::now()))
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> DeliveryId {
        self.id.into()
    }

    /// Its event, the `webhook-id`.
    #[must_use]
    pub fn event_id(&self) -> EventId {
        self.event_id.into()
    }

    /// Its lane.
    #[must_use]
    pub fn lane_id(&self) -> LaneId {
        self.lane_id.into()
    }

    /// Whom its send slot is held for.
    #[must_use]
    pub fn holder(&self) -> Holder {
        Holder::new(self.lane_id, Some(&self.channel), self.user_id)
    }

    /// Its place in the retry schedule.
    #[must_use]
    pub fn position(&self) -> u16 {
        u16::try_from(self.position).unwrap_or(u16::MAX)
    }

    /// The number of the attempt that follows.
    #[must_use]
    pub const fn attempt_number(&self) -> i32 {
        self.attempts + 1
    }

    /// When it was accepted.
    #[must_use]
    pub const fn created_at(&self) -> Millis {
        Millis(self.created_at)
    }

    /// Since when it could have arrived: what was accepted for later counts from when it was due. After a first attempt
    /// the due time is a retry's, and the time since the accept counts.
    #[must_use]
    pub fn awaited_since(&self) -> Millis {
        if self.attempts == 0 { Millis(self.due_at.max(self.created_at)) } else { self.created_at() }
    }

    /// Whether it was claimed so often without a record that its workers must be dying of it.
    #[must_use]
    pub fn is_deadly(&self) -> bool {
        self.claim - self.recorded_claim > i32::from(MAX_CLAIMS_WITHOUT_RECORD)
    }
}
