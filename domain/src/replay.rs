//! Replays: new deliveries of past events. Their states and bounds.

use std::{fmt, str::FromStr};

use crate::string_enum::string_enum;

string_enum! {
    /// The state of a replay.
    ReplayState {
        /// Creates pages of deliveries at its rate.
        Running = "running",
        /// Paused by its owner; continues at its cursor when resumed.
        Paused = "paused",
        /// Every delivery of its set was processed. Final.
        Done = "done",
        /// Cancelled; deliveries created before are still delivered. Final.
        Cancelled = "cancelled",
    }
}

impl ReplayState {
    /// Whether the state is final.
    #[must_use]
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled)
    }
}

/// Most deliveries of one replay.
pub const MAX_TOTAL: i64 = 1_000_000;
/// Most unfinished replays of one user (or without a user).
pub const MAX_UNFINISHED: u64 = 10;
/// Most deliveries processed in one transaction.
pub const PAGE: i64 = 1_000;
/// Highest rate, in new deliveries per second.
pub const MAX_RATE: i32 = 1_000;
/// The default rate.
pub const DEFAULT_RATE: i32 = 50;
/// How early, in ms, a page may be created before its deliveries are due.
pub const AHEAD_MS: i64 = 1_000;

/// Returns when `count` new deliveries are due at `rate` per second from `start`, and when the next one is, in ms.
#[must_use]
pub fn pace(start: i64, rate: i32, count: usize) -> (Vec<i64>, i64) {
    let rate = i64::from(rate.max(1));
    let due =
        |n: usize| start.saturating_add(i64::try_from(n).unwrap_or(i64::MAX).saturating_mul(1_000) / rate);
    ((0..count).map(due).collect(), due(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_a_pace_lasts_a_second() {
        for rate in [1, 3, 7, 50, 999, MAX_RATE] {
            let (due, next) = pace(5_000, rate, rate as usize);
            assert_eq!((due.len(), due[0], next), (rate as usize, 5_000, 6_000), "{rate}");
            assert!(due.is_sorted() && due.iter().all(|at| *at < next), "{rate}");
        }
        assert_eq!(pace(7, 50, 0), (vec![], 7));
        assert_eq!(pace(0, 50, 3), (vec![0, 20, 40], 60));
    }

    #[test]
    fn only_what_is_done_or_cancelled_is_finished() {
        let finished: Vec<_> = ReplayState::ALL.iter().filter(|state| state.is_finished()).collect();
        assert_eq!(finished, [&ReplayState::Done, &ReplayState::Cancelled]);
    }
}
