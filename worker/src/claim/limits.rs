//! How many deliveries of a limited lane are granted now, and what that costs of its rate. Pure.

use entity::delivery::claim::limited::{DueCounts, LimitedLane};

/// Most that one claim takes of a limited lane.
const ROWS_OF_A_LANE: i64 = 64;
/// What a lane that was resumed sends a second of what had waited, where it has no rate of its own.
pub const DRAIN_A_SECOND: i32 = 50;
/// How late a grant may be without being lost, in microseconds: at most a tenth of a second's worth comes at once, so in
/// any second at most a tenth and one more than the rate.
const LATENESS_US: i64 = 100_000;

/// How many rows are granted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Grant {
    /// Of those that drain.
    pub(super) old: i64,
    /// Of the others.
    pub(super) new: i64,
}

/// What is granted of a lane, at most `most`. `coin` decides which gets the odd one when old and new compete.
pub(super) fn grant(lane: &LimitedLane, due: DueCounts, most: i64, coin: bool) -> Grant {
    let in_use = due.old_in_use + due.new_in_use;
    let mut room = (most_in_flight(lane) - in_use).clamp(0, ROWS_OF_A_LANE.min(most));
    let mut old = due.old - due.old_in_use;
    let new = due.new - due.new_in_use;
    let tokens = tokens(lane.rate_slot_us, period_us(lane), now_us(lane));
    if lane.rate_limit.is_some() {
        room = room.min(tokens);
    } else {
        old = old.min(tokens);
    }
    split(room, old, new, coin)
}

/// The lane's next slot after these were granted.
pub(super) fn slot_after(lane: &LimitedLane, granted: Grant) -> i64 {
    let paid = if lane.rate_limit.is_some() { granted.old + granted.new } else { granted.old };
    if paid == 0 {
        return lane.rate_slot_us;
    }
    lane.rate_slot_us.max(now_us(lane) - LATENESS_US) + paid * period_us(lane)
}

/// In how many microseconds the lane's rate allows the next one, once `slot_us` is its next slot.
pub(super) fn wait_us(lane: &LimitedLane, slot_us: i64) -> i64 {
    (slot_us - now_us(lane)).max(0)
}

/// Most deliveries that may be in flight.
fn most_in_flight(lane: &LimitedLane) -> i64 {
    let own = lane.max_in_flight.map_or(i64::MAX, i64::from);
    if lane.breaker_until > 0 { own.min(1) } else { own }
}

const fn now_us(lane: &LimitedLane) -> i64 {
    lane.now * 1_000
}

fn period_us(lane: &LimitedLane) -> i64 {
    1_000_000 / i64::from(lane.rate_limit.unwrap_or(DRAIN_A_SECOND).max(1))
}

/// How many a rate of one in `period_us` allows now, when the next slot is at `slot_us`.
fn tokens(slot_us: i64, period_us: i64, now_us: i64) -> i64 {
    if slot_us > now_us {
        return 0;
    }
    (now_us - slot_us.max(now_us - LATENESS_US)) / period_us + 1
}

/// Half for each where both want more than there is; what one side does not want is the other's.
fn split(room: i64, old: i64, new: i64, coin: bool) -> Grant {
    let half = room / 2 + i64::from(coin) * (room % 2);
    let old = old.min(half.max(room - new)).clamp(0, room);
    Grant { old, new: new.clamp(0, room - old) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane() -> LimitedLane {
        LimitedLane {
            id: uuid::Uuid::nil(),
            rate_limit: None,
            max_in_flight: None,
            breaker_until: 0,
            drain_before: 0,
            rate_slot_us: 0,
            now: 1_000_000,
        }
    }

    const fn new(new: i64, new_in_use: i64) -> DueCounts {
        DueCounts { old: 0, old_in_use: 0, new, new_in_use }
    }

    #[test]
    fn what_is_under_way_is_taken_off_the_limit() {
        let granted =
            |most, due| grant(&LimitedLane { max_in_flight: Some(most), ..lane() }, due, 256, false).new;
        let table =
            [(1, new(9, 0), 1), (1, new(9, 1), 0), (5, new(9, 3), 2), (5, new(4, 3), 1), (5, new(9, 7), 0)];
        for (most, due, expected) in table {
            assert_eq!(granted(most, due), expected, "{most} {due:?}");
        }
        assert_eq!(granted(1_000, new(900, 0)), 64, "no more than 64 a look");
        let few = grant(&LimitedLane { max_in_flight: Some(1_000), ..lane() }, new(900, 250), 6, false);
        assert_eq!(few.new, 6, "nor more than its share of the slots");
    }

    #[test]
    fn a_half_open_lane_gets_one_probe() {
        let half_open = LimitedLane { breaker_until: 999_999, ..lane() };
        assert_eq!(grant(&half_open, new(9, 0), 256, false).new, 1);
        assert_eq!(grant(&half_open, new(9, 1), 256, false).new, 0);
    }

    #[test]
    fn a_rate_gives_at_most_a_tenth_of_a_second_at_once() {
        for (rate, at_once) in [(1, 1), (9, 1), (10, 2), (20, 3), (100, 11), (500, 51)] {
            let lane = LimitedLane { rate_limit: Some(rate), ..lane() };
            assert_eq!(grant(&lane, new(999, 0), 256, false).new, at_once, "{rate} a second");
        }
    }

    #[test]
    fn a_rate_holds_over_any_time_however_often_one_looks() {
        for (rate, every_ms, seconds) in [(1, 7, 20), (7, 1, 10), (50, 20, 10), (333, 50, 5)] {
            let mut lane = LimitedLane { rate_limit: Some(rate), ..lane() };
            let (mut granted, end) = (0, lane.now + seconds * 1_000);
            while lane.now < end {
                let granted_now = grant(&lane, new(9_999, 0), 256, false);
                lane.rate_slot_us = slot_after(&lane, granted_now);
                granted += granted_now.new;
                lane.now += every_ms;
            }
            let exact = i64::from(rate) * seconds;
            assert!(
                (exact..=exact + i64::from(rate) / 10 + 1).contains(&granted),
                "{rate}: {granted} of {exact}"
            );
        }
    }

    #[test]
    fn what_was_not_taken_costs_nothing_and_the_wait_is_known() {
        let lane = LimitedLane { rate_limit: Some(10), rate_slot_us: 1_000_000_000, ..lane() };
        assert_eq!(slot_after(&lane, Grant::default()), 1_000_000_000);
        let after = slot_after(&lane, Grant { old: 0, new: 1 });
        assert_eq!((after, wait_us(&lane, after)), (1_000_100_000, 100_000));
        assert_eq!(
            grant(&LimitedLane { rate_slot_us: after, ..lane }, new(9, 0), 256, true),
            Grant::default()
        );
    }

    #[test]
    fn what_drains_has_a_pace_and_what_is_new_flows() {
        let draining = LimitedLane { drain_before: 999_000, ..lane() };
        let due = DueCounts { old: 500, old_in_use: 0, new: 40, new_in_use: 0 };
        assert_eq!(grant(&draining, due, 256, false), Grant { old: 6, new: 40 });
        assert_eq!(slot_after(&draining, Grant { old: 0, new: 40 }), 0, "what is new costs no slot");
    }

    #[test]
    fn old_and_new_share_what_there_is() {
        for (room, old, new, coin, expected) in [
            (10, 99, 99, false, (5, 5)),
            (1, 99, 99, false, (0, 1)),
            (1, 99, 99, true, (1, 0)),
            (10, 99, 2, true, (8, 2)),
            (10, 3, 99, true, (3, 7)),
            (10, 0, 0, true, (0, 0)),
            (0, 9, 9, true, (0, 0)),
        ] {
            let (old, new) = (split(room, old, new, coin).old, split(room, old, new, coin).new);
            assert_eq!((old, new), expected, "{room}");
        }
    }
}
