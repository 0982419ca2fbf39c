//! What a delivery is called by those who look at it: its stored state, or what is derived from its lease and its lane.

use std::{fmt, str::FromStr};

use super::{DeliveryState, LaneState};
use crate::{clock::Millis, words::words};

words! {
    /// Where a delivery stands, as readers call it.
    DisplayStatus {
        /// Waits for its due time, for its turn, or for a worker.
        Pending = "pending",
        /// Waits until its lane is active again.
        Held = "held",
        /// A worker holds a live lease on it.
        Sending = "sending",
        /// A recipient accepted it.
        Succeeded = "succeeded",
        /// In the dead letters.
        Dead = "dead",
        /// Called off.
        Cancelled = "cancelled",
    }
}

impl DisplayStatus {
    /// What a delivery under way is called at `now`. A lane that is gone holds nothing.
    #[must_use]
    pub fn under_way(lease_until: Millis, lane: Option<LaneState>, now: Millis) -> Self {
        match lane {
            _ if lease_until > now => Self::Sending,
            None | Some(LaneState::Active) => Self::Pending,
            Some(LaneState::Paused | LaneState::Disabled | LaneState::Deleted) => Self::Held,
        }
    }

    /// What a finished one is called, by its stored word. One of a later version also means that nothing more happens here.
    #[must_use]
    pub fn finished(state: &str) -> Self {
        match state.parse() {
            Ok(DeliveryState::Succeeded) => Self::Succeeded,
            Ok(DeliveryState::Dead) => Self::Dead,
            _ => Self::Cancelled,
        }
    }

    /// Whether nothing more happens by itself.
    #[must_use]
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Succeeded | Self::Dead | Self::Cancelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_is_called_by_what_it_waits_for() {
        let at = |lease, lane| DisplayStatus::under_way(Millis(lease), lane, Millis(1_000));
        assert_eq!(at(1_000, None), DisplayStatus::Pending, "the lease is over");
        assert_eq!(at(0, Some(LaneState::Active)), DisplayStatus::Pending);
        for lane in [LaneState::Paused, LaneState::Disabled, LaneState::Deleted] {
            assert_eq!(at(0, Some(lane)), DisplayStatus::Held);
            assert_eq!(at(1_001, Some(lane)), DisplayStatus::Sending);
        }
    }

    #[test]
    fn what_is_finished_is_called_by_its_state() {
        assert_eq!(DisplayStatus::finished("succeeded"), DisplayStatus::Succeeded);
        assert_eq!(DisplayStatus::finished("dead"), DisplayStatus::Dead);
        assert_eq!(DisplayStatus::finished("cancelled"), DisplayStatus::Cancelled);
        assert_eq!(DisplayStatus::finished("a later word"), DisplayStatus::Cancelled);
        assert!(DisplayStatus::ALL.iter().filter(|standing| standing.is_finished()).count() == 3);
    }
}
