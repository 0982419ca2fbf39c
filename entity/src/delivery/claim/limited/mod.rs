//! Claims of limited lanes: those with a rate, a bound of sends in flight, a half-open breaker, or something to drain. Steps of
//! one transaction of the caller's, who computes between them what each lane may have: the lanes are locked meanwhile, so that
//! many workers never send more than one would.

mod postgres;
mod sqlite;

use platform::database::{DatabaseError, Tx};
use uuid::Uuid;

use super::ClaimedRow;

/// Due rows beyond the limit among which those in flight are looked for. A claim takes the oldest first, so they are at the
/// front, except for what came in before them late.
const DEPTH: i64 = 512;

/// A limited lane, as it was when it was locked.
#[derive(Clone, Debug)]
pub struct LimitedLane {
    /// Its id.
    pub id: Uuid,
    /// Most sends a second.
    pub rate_limit: Option<i32>,
    /// Most sends in flight.
    pub max_in_flight: Option<i32>,
    /// Not 0: half open.
    pub breaker_until: i64,
    /// Not 0: what was due by then drains, in ms.
    pub drain_before: i64,
    /// When its rate grants the next send, in µs.
    pub rate_slot_us: i64,
    /// The time of the claim, in ms.
    pub now: i64,
}

from_row!(LimitedLane { id, rate_limit, max_in_flight, breaker_until, drain_before, rate_slot_us, now });

impl LimitedLane {
    /// How deep its due rows are counted: as far as its limit reaches, and somewhat further.
    fn depth(&self) -> i64 {
        self.max_in_flight.map_or(DEPTH, i64::from) + DEPTH
    }
}

/// Due rows of a lane, counted as far as it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DueCounts {
    /// Those that drain.
    pub old: i64,
    /// Those of them that are in flight.
    pub old_in_use: i64,
    /// The others.
    pub new: i64,
    /// Those of them that are in flight.
    pub new_in_use: i64,
}

from_row!(DueCounts { old, old_in_use, new, new_in_use });

/// A range of a lane's due rows, and how many of it are granted.
#[derive(Clone, Copy, Debug)]
pub struct GrantedRange {
    /// The lane.
    pub lane: Uuid,
    /// Due after this time (ms).
    pub after: i64,
    /// Due at this time (ms) or before.
    pub until: i64,
    /// Deliveries, at most.
    pub rows: i64,
}

/// What follows of a claim for its lane.
#[derive(Clone, Copy, Debug)]
pub struct LaneChange {
    /// The lane.
    pub lane: Uuid,
    /// When its rate grants the next send, in µs.
    pub rate_slot_us: i64,
    /// What was due by then still drains, in ms; 0: nothing does.
    pub drain_before: i64,
}

/// Locks those of these lanes that may be sent to; on Postgres it skips those that others have locked.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn lock_lanes(tx: &mut Tx, ids: &[Uuid], time: i64) -> Result<Vec<LimitedLane>, DatabaseError> {
    Ok(match tx {
        Tx::Postgres(tx) => postgres::lock_lanes(tx, ids, time).await?,
        Tx::Sqlite(tx) => sqlite::lock_lanes(tx, ids, time).await?,
    })
}

/// Counts the due rows of these lanes, in their order. A statement of its own after the lock: only so it sees what the lock's
/// last holder has claimed.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn count_due(
    tx: &mut Tx,
    lanes: &[LimitedLane],
    time: i64,
) -> Result<Vec<DueCounts>, DatabaseError> {
    if lanes.is_empty() {
        return Ok(vec![]);
    }
    Ok(match tx {
        Tx::Postgres(tx) => postgres::count_due(tx, lanes, time).await?,
        Tx::Sqlite(tx) => sqlite::count_due(tx, lanes, time).await?,
    })
}

/// Claims what was granted, the oldest first.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn claim_ranges(
    tx: &mut Tx,
    ranges: &[GrantedRange],
    time: i64,
) -> Result<Vec<ClaimedRow>, DatabaseError> {
    if ranges.is_empty() {
        return Ok(vec![]);
    }
    Ok(match tx {
        Tx::Postgres(tx) => postgres::claim_ranges(tx, ranges, time).await?,
        Tx::Sqlite(tx) => sqlite::claim_ranges(tx, ranges, time).await?,
    })
}

/// Writes what follows for the locked lanes.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn update_lanes(tx: &mut Tx, changes: &[LaneChange]) -> Result<(), DatabaseError> {
    if changes.is_empty() {
        return Ok(());
    }
    match tx {
        Tx::Postgres(tx) => postgres::update_lanes(tx, changes).await?,
        Tx::Sqlite(tx) => sqlite::update_lanes(tx, changes).await?,
    }
    Ok(())
}
