//! Claims of limited lanes: those with a rate, a bound of sends in flight, a half-open breaker, or something to drain. What is
//! claimed is computed with the lane's row locked, so that many workers never send more than one would.

use std::time::Duration;

use entity::delivery::claim::{
    ClaimedRow,
    limited::{
        DueCounts, GrantedRange, LaneChange, LimitedLane, claim_ranges, count_due, lock_lanes, update_lanes,
    },
};
use platform::database::{Database, DatabaseError};
use uuid::Uuid;

use super::{
    Wanted,
    limits::{Grant, grant, slot_after, wait_us},
};

/// Least time until a lane with a rate is claimed again: what gathers meanwhile is claimed together.
const AGAIN: Duration = Duration::from_millis(50);

/// What a claim of limited lanes came to.
#[derive(Default)]
pub(super) struct LimitedClaims {
    pub(super) claimed: Vec<ClaimedRow>,
    /// Lanes that have more as soon as their rate allows it.
    pub(super) again: Vec<(Uuid, Duration)>,
}

/// A lane that was locked, with what is due of it and how many may be claimed.
struct Counted {
    lane: LimitedLane,
    due: DueCounts,
    rows: i64,
}

/// Claims what the limits of these lanes allow, in one transaction.
pub(super) async fn claim(
    database: &Database,
    wanted: &[Wanted],
    time: i64,
) -> Result<LimitedClaims, DatabaseError> {
    let ids: Vec<Uuid> = wanted.iter().map(|wanted| wanted.holder.lane).collect();
    let mut tx = database.begin_grouped().await?;
    let lanes = lock_lanes(&mut tx, &ids, time).await?;
    if lanes.is_empty() {
        return Ok(LimitedClaims::default());
    }
    let due = count_due(&mut tx, &lanes, time).await?;
    let counted = Counted::zip(lanes, due, wanted);
    let claimed = claim_ranges(&mut tx, &granted_ranges(&counted), time).await?;
    let (changes, claims) = settle(&counted, claimed);
    update_lanes(&mut tx, &changes).await?;
    tx.commit().await?;
    Ok(claims)
}

impl Counted {
    fn zip(lanes: Vec<LimitedLane>, due: Vec<DueCounts>, wanted: &[Wanted]) -> Vec<Self> {
        let rows = |lane: &LimitedLane| {
            wanted.iter().find(|wanted| wanted.holder.lane == lane.id).map_or(0, |wanted| wanted.rows as i64)
        };
        lanes.into_iter().zip(due).map(|(lane, due)| Self { rows: rows(&lane), lane, due }).collect()
    }
}

/// What each lane may have.
fn granted_ranges(lanes: &[Counted]) -> Vec<GrantedRange> {
    let mut ranges = vec![];
    for Counted { lane, due, rows } in lanes {
        let Grant { old, new } = grant(lane, *due, *rows, rand::random());
        let range = |after, until, rows| GrantedRange { lane: lane.id, after, until, rows };
        ranges.push(range(i64::MIN, lane.drain_before.min(lane.now), old));
        ranges.push(range(lane.drain_before, lane.now, new));
    }
    ranges.retain(|range| range.rows > 0);
    ranges
}

/// What follows for the lanes, and when they are to be claimed again.
fn settle(lanes: &[Counted], claimed: Vec<ClaimedRow>) -> (Vec<LaneChange>, LimitedClaims) {
    let (mut changes, mut again) = (vec![], vec![]);
    for Counted { lane, due, .. } in lanes {
        let ours = claimed.iter().filter(|delivery| delivery.lane_id == lane.id);
        let (old, new): (Vec<&ClaimedRow>, Vec<&ClaimedRow>) =
            ours.partition(|delivery| delivery.due_at <= lane.drain_before);
        let taken = Grant { old: old.len() as i64, new: new.len() as i64 };
        let rate_slot_us = slot_after(lane, taken);
        let drain_before = if due.old == 0 { 0 } else { lane.drain_before };
        if rate_slot_us != lane.rate_slot_us || drain_before != lane.drain_before {
            changes.push(LaneChange { lane: lane.id, rate_slot_us, drain_before });
        }
        let left = due.old + due.new - due.old_in_use - due.new_in_use - taken.old - taken.new;
        let wait = u64::try_from(wait_us(lane, rate_slot_us)).unwrap_or_default();
        if left > 0 && wait > 0 {
            again.push((lane.id, Duration::from_micros(wait).max(AGAIN)));
        }
    }
    (changes, LimitedClaims { claimed, again })
}
