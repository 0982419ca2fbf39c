//! Whom a send slot is held for.

use domain::{delivery::Channel, id::LaneId};
use entity::lane::scan::DueLane;
use uuid::Uuid;

/// A lane, and what it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Holder {
    /// The lane.
    pub lane: Uuid,
    /// The lanes that it shares slots with; none: not known, as of a lane whose row is gone.
    pub group: Option<Group>,
}

/// Lanes that together hold no more than a share of the slots, however many they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// Those of a tenant.
    Tenant(i64),
    /// Those of a channel that no tenant owns.
    Channel(Channel),
}

impl Holder {
    /// A lane with its tenant, if a user owns it, and its channel, as it is stored.
    #[must_use]
    pub fn new(lane: Uuid, channel: Option<&str>, user_id: Option<i64>) -> Self {
        let of_channel = || channel.and_then(|word| word.parse().ok()).map(Group::Channel);
        Self { lane, group: user_id.map(Group::Tenant).or_else(of_channel) }
    }

    /// A lane that a scan found.
    #[must_use]
    pub fn of_due_lane(lane: &DueLane) -> Self {
        Self::new(lane.id, lane.channel.as_deref(), lane.user_id)
    }

    /// A lane of which nothing else is known: its own share is its only bound.
    #[must_use]
    pub const fn of_lane(lane: LaneId) -> Self {
        Self { lane: lane.0, group: None }
    }
}
