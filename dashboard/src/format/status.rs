//! Where a delivery stands, as readers call it. `failing` and `held` are derived here, never stored.

use domain::{
    clock::Millis,
    delivery::{DeliveryState, LaneState},
};
use entity::delivery::queries::Row;

use super::badge::{Badge, Tone};

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
    pub(crate) fn of(row: &Row, now: Millis) -> Self {
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

fn is_held(row: &Row) -> bool {
    row.lane_state.as_deref().is_some_and(|state| state != LaneState::Active.as_str())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NOW: Millis = Millis(1_000);

    /// A delivery that was just accepted.
    fn sample() -> Row {
        Row {
            id: Uuid::from_u128(1),
            event_id: Uuid::from_u128(2),
            user_id: Some(1),
            channel: "webhook".to_owned(),
            recipient_id: Uuid::from_u128(3),
            position: 0,
            attempts: 0,
            created_at: 0,
            due_at: 0,
            lease_until: 0,
            state: None,
            reason: None,
            finished_at: None,
            event_type: Some("upload file".to_owned()),
            url: Some("https://example.com/hook".to_owned()),
            retry_schedule: None,
            lane_state: Some("active".to_owned()),
            off_reason: None,
            blocked_until: Some(0),
            failures: Some(0),
            breaker_until: Some(0),
            drain_before: Some(0),
            rate_limit: None,
            max_in_flight: None,
            asked_at: NOW.0,
        }
    }

    #[test]
    fn what_is_under_way_is_called_by_what_it_waits_for() {
        assert_eq!(DisplayStatus::of(&sample(), NOW), DisplayStatus::Pending);
        let failed = Row { attempts: 1, ..sample() };
        assert_eq!(DisplayStatus::of(&failed, NOW), DisplayStatus::Failing);
        let held = Row { lane_state: Some("paused".to_owned()), ..failed };
        assert_eq!(DisplayStatus::of(&held, NOW), DisplayStatus::Held);
        let sending = Row { lease_until: 1_001, ..held };
        assert_eq!(DisplayStatus::of(&sending, NOW), DisplayStatus::Sending);
        let lease_over = Row { lease_until: 1_000, ..sample() };
        assert_eq!(DisplayStatus::of(&lease_over, NOW), DisplayStatus::Pending);
    }

    #[test]
    fn what_is_finished_is_called_by_its_state() {
        let ended = |word: &str| Row { state: Some(word.to_owned()), ..sample() };
        assert_eq!(DisplayStatus::of(&ended("succeeded"), NOW), DisplayStatus::Succeeded);
        assert_eq!(DisplayStatus::of(&ended("dead"), NOW), DisplayStatus::Dead);
        assert_eq!(DisplayStatus::of(&ended("cancelled"), NOW), DisplayStatus::Cancelled);
        assert_eq!(DisplayStatus::of(&ended("a later word"), NOW), DisplayStatus::Cancelled);
    }
}
