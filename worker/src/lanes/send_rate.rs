//! How fast a lane gives its slots back: whether its receiver sets its pace, or this machine.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;
use uuid::Uuid;

/// Over how long sends are counted.
const WINDOW: Duration = Duration::from_millis(200);
/// A lane is fast while it ends a send at least this often. In a slower one all slots are in use and wait for the receiver.
pub(super) const FAST_INTERVAL: Duration = Duration::from_micros(350);
/// A lane of which no send has ended for so long is not fast.
const FORGOTTEN: Duration = Duration::from_secs(1);

/// The lanes of which sends have ended lately.
#[derive(Default)]
pub(super) struct SendRates {
    lanes: HashMap<Uuid, SendRate>,
    tidied: Option<Instant>,
}

impl SendRates {
    /// Counts a send of this lane that has ended.
    pub(super) fn ended(&mut self, lane: Uuid, now: Instant) {
        self.lanes.entry(lane).or_insert_with(|| SendRate::new(now)).ended(now);
        if self.tidied.is_none_or(|tidied| now.duration_since(tidied) >= FORGOTTEN) {
            self.tidied = Some(now);
            self.lanes.retain(|_, rate| now.duration_since(rate.since) < FORGOTTEN);
        }
    }

    /// Whether this lane was fast a moment ago.
    pub(super) fn is_fast(&self, lane: Uuid, now: Instant) -> bool {
        self.lanes.get(&lane).is_some_and(|rate| rate.is_fast(now))
    }
}

/// The sends of one lane that have ended.
#[derive(Clone, Copy, Debug)]
struct SendRate {
    since: Instant,
    ended: u32,
    was_fast: bool,
}

impl SendRate {
    /// Of a lane of which nothing is known.
    const fn new(now: Instant) -> Self {
        Self { since: now, ended: 0, was_fast: false }
    }

    /// Counts a send that has ended.
    fn ended(&mut self, now: Instant) {
        self.ended += 1;
        let passed = now.duration_since(self.since);
        if passed >= WINDOW {
            *self = Self { since: now, ended: 0, was_fast: FAST_INTERVAL * self.ended >= passed };
        }
    }

    /// Whether the lane was fast a moment ago.
    fn is_fast(&self, now: Instant) -> bool {
        self.was_fast && now.duration_since(self.since) < FORGOTTEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fewest sends in a window of a fast lane.
    const FAST: u32 = 572;

    /// So many sends in each of two windows.
    fn after(ended: u32) -> (SendRate, Instant) {
        let start = Instant::now();
        let mut rate = SendRate::new(start);
        for window in 0..2 {
            let first = start + WINDOW * window;
            (1..=ended).for_each(|n| rate.ended(first + WINDOW * n / ended));
        }
        (rate, start + WINDOW * 2)
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_is_fast_while_it_ends_as_many_sends_as_that_takes() {
        let ((fast, now), (slow, _)) = (after(FAST), after(FAST - 1));
        assert!(fast.is_fast(now) && !slow.is_fast(now));
        assert!(fast.is_fast(now + FORGOTTEN - Duration::from_millis(1)));
        assert!(!fast.is_fast(now + FORGOTTEN), "a lane that hangs is not fast");
        assert!(!SendRate::new(now).is_fast(now));
    }

    #[tokio::test(start_paused = true)]
    async fn lanes_are_forgotten_a_second_after_their_last_window() {
        let (mut rates, start) = (SendRates::default(), Instant::now());
        (0..100).for_each(|lane| rates.ended(Uuid::from_u128(lane), start));
        rates.ended(Uuid::from_u128(100), start + FORGOTTEN);
        assert_eq!(rates.lanes.keys().copied().collect::<Vec<_>>(), [Uuid::from_u128(100)]);
    }
}
