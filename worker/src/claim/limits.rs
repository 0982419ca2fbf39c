//! How many deliveries of a limited lane are granted now, and what that costs of its rate. Pure.

/// Most that one claim takes of a limited lane.
const ROWS_OF_A_LANE: i64 = 64;
/// What a lane that was resumed sends a second of what had waited, where it has no rate of its own.
pub const DRAIN_A_SECOND: i32 = 50;
/// How late a grant may be without being lost, in microseconds: at most a tenth of a second's worth comes at once, so in
/// any second at most a tenth and one more than the rate.
const LATENESS_US: i64 = 100_000;

/// A limited lane, as it was when it was locked.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Lane {
    pub(super) id: uuid::Uuid,
    pub(super) rate_limit: Option<i32>,
    pub(super) max_in_flight: Option<i32>,
    /// Not 0: half open.
    pub(super) breaker_until: i64,
    /// Not 0: what was due by then drains.
    pub(super) drain_before: i64,
    pub(super) rate_slot_us: i64,
    /// The time of the claim, in ms.
    pub(super) now: i64,
}

/// Due rows of a lane, counted as far as it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Due {
    /// Those that drain.
    pub(super) old: i64,
    /// Those of them that are in flight.
    pub(super) old_in_use: i64,
    /// The others.
    pub(super) new: i64,
    /// Those of them that are in flight.
    pub(super) new_in_use: i64,
}

/// How many rows are granted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Grant {
    /// Of those that drain.
    pub(super) old: i64,
    /// Of the others.
    pub(super) new: i64,
}

impl Lane {
    /// Most deliveries that may be in flight.
    fn most_in_flight(&self) -> i64 {
        let own = self.max_in_flight.map_or(i64::MAX, i64::from);
        if self.breaker_until > 0 { own.min(1) } else { own }
    }

    /// What is granted, at most `most`. `coin` decides which gets the odd one when old and new compete.
    pub(super) fn grant(&self, due: Due, most: i64, coin: bool) -> Grant {
        let in_use = due.old_in_use + due.new_in_use;
        let mut room = (self.most_in_flight() - in_use).clamp(0, ROWS_OF_A_LANE.min(most));
        let mut old = due.old - due.old_in_use;
        let new = due.new - due.new_in_use;
        let tokens = tokens(self.rate_slot_us, self.period_us(), self.now_us());
        if self.rate_limit.is_some() {
            room = room.min(tokens);
        } else {
            old = old.min(tokens);
        }
        split(room, old, new, coin)
    }

    /// The lane's next slot after these were granted.
    pub(super) fn slot_after(&self, granted: Grant) -> i64 {
        let paid = if self.rate_limit.is_some() { granted.old + granted.new } else { granted.old };
        if paid == 0 {
            return self.rate_slot_us;
        }
        self.rate_slot_us.max(self.now_us() - LATENESS_US) + paid * self.period_us()
    }

    /// In how many microseconds its rate allows the next one, once `slot_us` is its next slot.
    pub(super) fn wait_us(&self, slot_us: i64) -> i64 {
        (slot_us - self.now_us()).max(0)
    }

    const fn now_us(&self) -> i64 {
        self.now * 1_000
    }

    fn period_us(&self) -> i64 {
        1_000_000 / i64::from(self.rate_limit.unwrap_or(DRAIN_A_SECOND).max(1))
    }
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

    fn lane() -> Lane {
        Lane {
            id: uuid::Uuid::nil(),
            rate_limit: None,
            max_in_flight: None,
            breaker_until: 0,
            drain_before: 0,
            rate_slot_us: 0,
            now: 1_000_000,
        }
    }

    const fn new(new: i64, new_in_use: i64) -> Due {
        Due { old: 0, old_in_use: 0, new, new_in_use }
    }

    #[test]
    fn what_is_under_way_is_taken_off_the_limit() {
        let granted = |most, due| Lane { max_in_flight: Some(most), ..lane() }.grant(due, 256, false).new;
        let table =
            [(1, new(9, 0), 1), (1, new(9, 1), 0), (5, new(9, 3), 2), (5, new(4, 3), 1), (5, new(9, 7), 0)];
        for (most, due, expected) in table {
            assert_eq!(granted(most, due), expected, "{most} {due:?}");
        }
        assert_eq!(granted(1_000, new(900, 0)), 64, "no more than 64 a look");
        let grant = Lane { max_in_flight: Some(1_000), ..lane() }.grant(new(900, 250), 6, false);
        assert_eq!(grant.new, 6, "nor more than its share of the slots");
    }

    #[test]
    fn a_half_open_lane_gets_one_probe() {
        let half_open = Lane { breaker_until: 999_999, ..lane() };
        assert_eq!(half_open.grant(new(9, 0), 256, false).new, 1);
        assert_eq!(half_open.grant(new(9, 1), 256, false).new, 0);
    }

    #[test]
    fn a_rate_gives_at_most_a_tenth_of_a_second_at_once() {
        for (rate, at_once) in [(1, 1), (9, 1), (10, 2), (20, 3), (100, 11), (500, 51)] {
            let lane = Lane { rate_limit: Some(rate), ..lane() };
            assert_eq!(lane.grant(new(999, 0), 256, false).new, at_once, "{rate} a second");
        }
    }

    #[test]
    fn a_rate_holds_over_any_time_however_often_one_looks() {
        for (rate, every_ms, seconds) in [(1, 7, 20), (7, 1, 10), (50, 20, 10), (333, 50, 5)] {
            let mut lane = Lane { rate_limit: Some(rate), ..lane() };
            let (mut granted, end) = (0, lane.now + seconds * 1_000);
            while lane.now < end {
                let grant = lane.grant(new(9_999, 0), 256, false);
                lane.rate_slot_us = lane.slot_after(grant);
                granted += grant.new;
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
        let lane = Lane { rate_limit: Some(10), rate_slot_us: 1_000_000_000, ..lane() };
        assert_eq!(lane.slot_after(Grant::default()), 1_000_000_000);
        let after = lane.slot_after(Grant { old: 0, new: 1 });
        assert_eq!((after, lane.wait_us(after)), (1_000_100_000, 100_000));
        assert_eq!(Lane { rate_slot_us: after, ..lane }.grant(new(9, 0), 256, true), Grant::default());
    }

    #[test]
    fn what_drains_has_a_pace_and_what_is_new_flows() {
        let draining = Lane { drain_before: 999_000, ..lane() };
        let due = Due { old: 500, old_in_use: 0, new: 40, new_in_use: 0 };
        assert_eq!(draining.grant(due, 256, false), Grant { old: 6, new: 40 });
        assert_eq!(draining.slot_after(Grant { old: 0, new: 40 }), 0, "what is new costs no slot");
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
