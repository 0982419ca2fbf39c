//! Claims of limited lanes: those with a rate, a bound of sends in flight, a half-open breaker, or something to drain. What is
//! claimed is computed with the lane's row locked, so that many workers never send more than one would.

pub(super) mod postgres;
pub(super) mod sqlite;

use std::time::Duration;

use uuid::Uuid;

use super::{
    Claimed, Claims, Wanted,
    limits::{Due, Grant, Lane},
};

/// Due rows beyond the limit among which those in flight are looked for. A claim takes the oldest first, so they are at the
/// front, except for what came in before them late.
const DEPTH: i64 = 512;
/// Least time until a lane with a rate is claimed again: what gathers meanwhile is claimed together.
const AGAIN: Duration = Duration::from_millis(50);

/// A range of a lane's due rows, and how many of it are granted.
struct Range {
    lane: Uuid,
    /// Exclusive.
    after: i64,
    /// Inclusive.
    until: i64,
    rows: i64,
}

/// A change of a lane: its next slot, and what still drains.
struct Change {
    lane: Uuid,
    slot_us: i64,
    drain_before: i64,
}

/// A lane that was locked, with what is due of it and how many may be claimed.
struct Counted {
    lane: Lane,
    due: Due,
    rows: i64,
}

impl Counted {
    fn of(lanes: Vec<Lane>, due: Vec<Due>, wanted: &[Wanted]) -> Vec<Self> {
        let rows = |lane: &Lane| {
            wanted.iter().find(|wanted| wanted.holder.lane == lane.id).map_or(0, |wanted| wanted.rows as i64)
        };
        lanes.into_iter().zip(due).map(|(lane, due)| Self { rows: rows(&lane), lane, due }).collect()
    }
}

/// How deep a lane is counted: as far as its limit reaches, and somewhat further.
fn depth(lane: &Lane) -> i64 {
    lane.max_in_flight.map_or(DEPTH, i64::from) + DEPTH
}

/// What each lane may have.
fn ranges(lanes: &[Counted]) -> Vec<Range> {
    let mut ranges = vec![];
    for Counted { lane, due, rows } in lanes {
        let Grant { old, new } = lane.grant(*due, *rows, rand::random());
        let range = |after, until, rows| Range { lane: lane.id, after, until, rows };
        ranges.push(range(i64::MIN, lane.drain_before.min(lane.now), old));
        ranges.push(range(lane.drain_before, lane.now, new));
    }
    ranges.retain(|range| range.rows > 0);
    ranges
}

/// What follows for the lanes, and when they are to be claimed again.
fn settle(lanes: &[Counted], claimed: Vec<Claimed>) -> (Vec<Change>, Claims) {
    let (mut changes, mut claims) = (vec![], Claims::default());
    for Counted { lane, due, .. } in lanes {
        let ours = claimed.iter().filter(|delivery| delivery.lane_id == lane.id);
        let (old, new): (Vec<&Claimed>, Vec<&Claimed>) =
            ours.partition(|delivery| delivery.due_at <= lane.drain_before);
        let taken = Grant { old: old.len() as i64, new: new.len() as i64 };
        let slot_us = lane.slot_after(taken);
        let drain_before = if due.old == 0 { 0 } else { lane.drain_before };
        if slot_us != lane.rate_slot_us || drain_before != lane.drain_before {
            changes.push(Change { lane: lane.id, slot_us, drain_before });
        }
        let left = due.old + due.new - due.old_in_use - due.new_in_use - taken.old - taken.new;
        let wait = u64::try_from(lane.wait_us(slot_us)).unwrap_or_default();
        if left > 0 && wait > 0 {
            claims.again.push((lane.id, Duration::from_micros(wait).max(AGAIN)));
        }
    }
    claims.claimed = claimed;
    (changes, claims)
}
