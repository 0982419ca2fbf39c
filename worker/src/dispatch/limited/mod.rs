//! Looks at limited lanes: those with a rate, a bound of sends under way, a half-open breaker, or something to drain.
//! Only such a look grants them anything, with their rows locked, so that many workers never grant more than one would.

mod grant;
mod postgres;
mod sqlite;

use std::time::Duration;

use uuid::Uuid;

use self::grant::{Due, Grant, Lane};
use super::look::Found;

pub use self::grant::DRAIN_A_SECOND;
pub(super) use self::{postgres::look as on_postgres, sqlite::look as in_sqlite};

/// How much longer than it is trusted a hint counts as under way, in ms: a claim that began in time may still run.
const HINT_GRACE_MS: i64 = 5_000;
/// Due rows beyond the limit among which those under way are looked for. A claim takes the oldest first, so they are at
/// the front, but for what came in before them late.
const DEPTH: i64 = 512;
/// Least time until a lane with a rate is looked at again: what gathers meanwhile is granted at once.
const AGAIN: Duration = Duration::from_millis(50);

/// What a look at limited lanes may grant.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Rows in all.
    pub(super) room: i64,
    /// Most that any lane may have under way.
    pub(super) share: i64,
    /// How long a hint is trusted, in ms.
    pub(super) trusted: i64,
}

/// What it came to.
#[derive(Debug, Default)]
pub(super) struct Granted {
    pub(super) found: Vec<Found>,
    /// Lanes that have more as soon as their rate allows it.
    pub(super) again: Vec<(Uuid, Duration)>,
}

/// A range of a lane's due rows, and how many of it are granted.
struct Range {
    lane: Uuid,
    /// Exclusive.
    after: i64,
    /// Inclusive.
    until: i64,
    rows: i64,
}

/// A row that was granted.
#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    lane_id: Uuid,
    rescued: bool,
    due_at: i64,
}

/// A change of a lane: its next slot, and what still drains.
struct Change {
    lane: Uuid,
    slot_us: i64,
    drain_before: i64,
}

/// Shares `room` out over the lanes in their order.
fn ranges(lanes: &[(Lane, Due)], bounds: Bounds) -> Vec<Range> {
    let mut room = bounds.room;
    let mut ranges = vec![];
    for (lane, due) in lanes {
        let grant =
            lane.grant(*due, bounds.share.min(room + due.old_in_use + due.new_in_use), rand::random());
        let Grant { old, new } = grant;
        room -= old + new;
        let range = |after, until, rows| Range { lane: lane.id, after, until, rows };
        ranges.push(range(i64::MIN, lane.drain_before.min(lane.now), old));
        ranges.push(range(lane.drain_before, lane.now, new));
    }
    ranges.retain(|range| range.rows > 0);
    ranges
}

/// What follows for the lanes, and when they are to be looked at again.
fn settle(lanes: &[(Lane, Due)], rows: Vec<Row>) -> (Vec<Change>, Granted) {
    let (mut changes, mut granted) = (vec![], Granted::default());
    for (lane, due) in lanes {
        let (old, new): (Vec<&Row>, Vec<&Row>) =
            rows.iter().filter(|row| row.lane_id == lane.id).partition(|row| row.due_at <= lane.drain_before);
        let taken = Grant { old: old.len() as i64, new: new.len() as i64 };
        let slot_us = lane.slot_after(taken);
        let drain_before = if due.old == 0 { 0 } else { lane.drain_before };
        if slot_us != lane.rate_slot_us || drain_before != lane.drain_before {
            changes.push(Change { lane: lane.id, slot_us, drain_before });
        }
        let left = due.old + due.new - due.old_in_use - due.new_in_use - taken.old - taken.new;
        let wait = u64::try_from(lane.wait_us(slot_us)).unwrap_or_default();
        if left > 0 && wait > 0 {
            granted.again.push((lane.id, Duration::from_micros(wait).max(AGAIN)));
        }
    }
    let found = rows.into_iter().map(|row| Found { id: row.id, lane_id: row.lane_id, rescued: row.rescued });
    granted.found = found.collect();
    (changes, granted)
}
