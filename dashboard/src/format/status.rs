//! Where a delivery stands, as readers call it. `failing` and `held` are derived here, never stored.

use domain::{
    clock::Millis,
    delivery::{DeliveryState, LaneState},
};

use super::badge::{Badge, Tone};
use crate::queries::deliveries::DeliveryRow;

/// What a delivery is called on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DisplayStatus {
    /// Waits for its first attempt.
    Pending,
    /// Waits for another attempt after at least one that failed.
    Failing,
    /// Waits for its lane to be resumed.
    Held,
    /// A worker has it.
    Sending,
    /// Accepted by its recipient.
    Succeeded,
    /// In the dead letters.
    Dead,
    /// Called off.
    Cancelled,
}

impl DisplayStatus {
    /// Derives the standing of a row at `now`.
    pub(crate) fn of(row: &DeliveryRow, now: Millis) -> Self {
        match row.state.as_deref().map(str::parse) {
            Some(Ok(DeliveryState::Succeeded)) => Self::Succeeded,
            Some(Ok(DeliveryState::Dead)) => Self::Dead,
            // A word of a later version also means that nothing more happens here.
            Some(_) => Self::Cancelled,
            None if row.lease_until > now.0 => Self::Sending,
            None if is_held(row) => Self::Held,
            None if row.attempts > 0 => Self::Failing,
            None => Self::Pending,
        }
    }

    /// As icon and word.
    pub(crate) fn badge(self) -> Badge {
        match self {
            Self::Pending => Badge::new(Tone::Calm, "Pending"),
            Self::Failing => Badge::new(Tone::Warn, "Failing"),
            Self::Held => Badge::new(Tone::Held, "Held"),
            Self::Sending => Badge::new(Tone::Busy, "Sending"),
            Self::Succeeded => Badge::new(Tone::Good, "Succeeded"),
            Self::Dead => Badge::new(Tone::Bad, "Dead"),
            Self::Cancelled => Badge::new(Tone::Mute, "Cancelled"),
        }
    }
}

fn is_held(row: &DeliveryRow) -> bool {
    row.lane_state.as_deref().is_some_and(|state| state != LaneState::Active.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queries::deliveries::sample;

    const NOW: Millis = Millis(1_000);

    #[test]
    fn what_is_under_way_is_called_by_what_it_waits_for() {
        assert_eq!(DisplayStatus::of(&sample(), NOW), DisplayStatus::Pending);
        let failed = DeliveryRow { attempts: 1, ..sample() };
        assert_eq!(DisplayStatus::of(&failed, NOW), DisplayStatus::Failing);
        let held = DeliveryRow { lane_state: Some("paused".to_owned()), ..failed };
        assert_eq!(DisplayStatus::of(&held, NOW), DisplayStatus::Held);
        let sending = DeliveryRow { lease_until: 1_001, ..held };
        assert_eq!(DisplayStatus::of(&sending, NOW), DisplayStatus::Sending);
        let lease_over = DeliveryRow { lease_until: 1_000, ..sample() };
        assert_eq!(DisplayStatus::of(&lease_over, NOW), DisplayStatus::Pending);
    }

    #[test]
    fn what_is_finished_is_called_by_its_state() {
        let ended = |word: &str| DeliveryRow { state: Some(word.to_owned()), ..sample() };
        assert_eq!(DisplayStatus::of(&ended("succeeded"), NOW), DisplayStatus::Succeeded);
        assert_eq!(DisplayStatus::of(&ended("dead"), NOW), DisplayStatus::Dead);
        assert_eq!(DisplayStatus::of(&ended("cancelled"), NOW), DisplayStatus::Cancelled);
        assert_eq!(DisplayStatus::of(&ended("a later word"), NOW), DisplayStatus::Cancelled);
    }
}
