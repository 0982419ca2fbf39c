//! Where a delivery stands, as readers call it. `failing` and `held` are derived here, never stored.

use domain::{
    clock::Millis,
    delivery::{DeliveryState, LaneState},
};

use super::pill::{Pill, Tone};
use crate::queries::deliveries::DeliveryRow;

/// What a delivery is called on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
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

impl Standing {
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
    pub(crate) fn pill(self) -> Pill {
        match self {
            Self::Pending => Pill::new(Tone::Calm, "Pending"),
            Self::Failing => Pill::new(Tone::Warn, "Failing"),
            Self::Held => Pill::new(Tone::Held, "Held"),
            Self::Sending => Pill::new(Tone::Busy, "Sending"),
            Self::Succeeded => Pill::new(Tone::Good, "Succeeded"),
            Self::Dead => Pill::new(Tone::Bad, "Dead"),
            Self::Cancelled => Pill::new(Tone::Mute, "Cancelled"),
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
        assert_eq!(Standing::of(&sample(), NOW), Standing::Pending);
        let failed = DeliveryRow { attempts: 1, ..sample() };
        assert_eq!(Standing::of(&failed, NOW), Standing::Failing);
        let held = DeliveryRow { lane_state: Some("paused".to_owned()), ..failed };
        assert_eq!(Standing::of(&held, NOW), Standing::Held);
        let sending = DeliveryRow { lease_until: 1_001, ..held };
        assert_eq!(Standing::of(&sending, NOW), Standing::Sending);
        let lease_over = DeliveryRow { lease_until: 1_000, ..sample() };
        assert_eq!(Standing::of(&lease_over, NOW), Standing::Pending);
    }

    #[test]
    fn what_is_finished_is_called_by_its_state() {
        let ended = |word: &str| DeliveryRow { state: Some(word.to_owned()), ..sample() };
        assert_eq!(Standing::of(&ended("succeeded"), NOW), Standing::Succeeded);
        assert_eq!(Standing::of(&ended("dead"), NOW), Standing::Dead);
        assert_eq!(Standing::of(&ended("cancelled"), NOW), Standing::Cancelled);
        assert_eq!(Standing::of(&ended("a later word"), NOW), Standing::Cancelled);
    }
}
