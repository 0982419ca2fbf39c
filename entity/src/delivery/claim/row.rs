//! A delivery that is this worker's until its lease ends.

use bytes::Bytes;
use domain::{
    clock::Millis,
    delivery::MAX_CLAIMS_WITHOUT_RECORD,
    id::{DeliveryId, EventId, LaneId},
};
use uuid::Uuid;

/// A leased delivery with all that its send needs besides its recipient.
#[derive(Clone, Debug)]
pub struct ClaimedRow {
    /// Its id.
    pub id: Uuid,
    /// Its event.
    pub event_id: Uuid,
    /// Its tenant; none where no user owns it.
    pub user_id: Option<i64>,
    /// Its lane.
    pub lane_id: Uuid,
    /// Its channel, a word of `domain::delivery::Channel`.
    pub channel: String,
    /// The endpoint, push subscription or subscriber.
    pub recipient_id: Uuid,
    /// The bytes to sign and send.
    pub body: Bytes,
    /// Its place in the retry schedule, from 0.
    pub position: i16,
    /// Attempts that were recorded.
    pub attempts: i32,
    /// The fence: only a record that names this claim moves the delivery.
    pub claim: i32,
    /// The claim that was recorded last.
    pub recorded_claim: i32,
    /// When it was accepted, in ms.
    pub created_at: i64,
    /// When it was due, in ms.
    pub due_at: i64,
    /// When it was claimed or began its send, by the database's clock, in ms.
    pub claimed_at: i64,
    /// Whether its event is there; without it there is nothing to send.
    pub has_body: bool,
    /// Whether its job got lost or its worker died.
    pub rescued: bool,
}

from_row!(ClaimedRow { id, event_id, user_id, lane_id, channel, recipient_id, body: Vec<u8>, position, attempts, claim, recorded_claim, created_at, due_at, claimed_at, has_body, rescued });

impl ClaimedRow {
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
