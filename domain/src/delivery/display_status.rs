//! The status of a delivery as users see it: the stored state, or one derived from its lease and its lane.

use std::{fmt, str::FromStr};

use super::{DeliveryState, LaneState};
use crate::{clock::Millis, string_enum::string_enum};

string_enum! {
    /// The displayed status of a delivery.
    DisplayStatus {
        /// Waiting for its due time, its turn, or a worker.
        Pending = "pending",
        /// Waiting until its lane is active again.
        Held = "held",
        /// A worker holds a live lease on it.
        Sending = "sending",
        /// A recipient accepted it.
        Succeeded = "succeeded",
        /// Kept as a dead letter.
        Dead = "dead",
        /// Cancelled.
        Cancelled = "cancelled",
    }
}

impl DisplayStatus {
    /// Returns the status at `now` of a delivery that is not finished. A deleted lane row holds nothing.
    #[must_use]
    pub fn under_way(lease_until: Millis, lane: Option<LaneState>, now: Millis) -> Self {
        match lane {
            _ if lease_until > now => Self::Sending,
            None | Some(LaneState::Active) => Self::Pending,
            Some(LaneState::Paused | LaneState::Disabled | LaneState::Deleted) => Self::Held,
        }
    }

    /// Returns the status of a finished delivery from its stored word. An unknown word of a later version counts as cancelled.
    #[must_use]
    pub fn finished(state: &str) -> Self {
        match state.parse() {
            Ok(DeliveryState::Succeeded) => Self::Succeeded,
            Ok(DeliveryState::Dead) => Self::Dead,
            _ => Self::Cancelled,
        }
    }

    /// Whether the status is final unless a user acts.
    #[must_use]
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Succeeded | Self::Dead | Self::Cancelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_delivery_is_named_by_what_it_waits_for() {
        let at = |lease, lane| DisplayStatus::under_way(Millis(lease), lane, Millis(1_000));
        assert_eq!(at(1_000, None), DisplayStatus::Pending, "the lease is over");
        assert_eq!(at(0, Some(LaneState::Active)), DisplayStatus::Pending);
        for lane in [LaneState::Paused, LaneState::Disabled, LaneState::Deleted] {
            assert_eq!(at(0, Some(lane)), DisplayStatus::Held);
            assert_eq!(at(1_001, Some(lane)), DisplayStatus::Sending);
        }
    }

    #[test]
    fn a_finished_delivery_is_named_by_its_state() {
        assert_eq!(DisplayStatus::finished("succeeded"), DisplayStatus::Succeeded);
        assert_eq!(DisplayStatus::finished("dead"), DisplayStatus::Dead);
        assert_eq!(DisplayStatus::finished("cancelled"), DisplayStatus::Cancelled);
        assert_eq!(DisplayStatus::finished("a later word"), DisplayStatus::Cancelled);
        assert!(DisplayStatus::ALL.iter().filter(|status| status.is_finished()).count() == 3);
    }
}
