//! The health of lanes as records change it: locked, and written again. A lane is locked only when there is something to
//! write: a failure, a run of failures that a success ends, or a success a second newer than the one that is known.

mod postgres;
mod sqlite;

use platform::database::{DatabaseError, Tx};
use uuid::Uuid;

/// A success that is newer by less than this (ms) than the one that is known is not written to a healthy lane.
pub const KNOWN_WITHIN_MS: i64 = 1_000;

/// What sends of a batch did to a lane: it decides whether the lane is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneOutcome {
    /// The lane.
    pub id: Uuid,
    /// Whether a send failed.
    pub failed: bool,
    /// When its newest success started, in ms; none when there is none.
    pub succeeded_at: Option<i64>,
}

impl LaneOutcome {
    /// Below all times when there is no success.
    fn newest_success(&self) -> i64 {
        self.succeeded_at.unwrap_or(i64::MIN + KNOWN_WITHIN_MS)
    }
}

/// A locked lane.
#[derive(Clone, Debug)]
pub struct LaneHealthRow {
    /// Its id.
    pub id: Uuid,
    /// Its channel.
    pub channel: String,
    /// Its state, a word of the domain.
    pub state: String,
    /// Until when the receiver asked to wait, in ms.
    pub blocked_until: i64,
    /// Failed sends in a row.
    pub failures: i32,
    /// When the first of these started, in ms.
    pub failing_since: i64,
    /// When the last send that succeeded started, in ms.
    pub succeeded_at: i64,
    /// Until when the breaker is open, in ms; 0: closed.
    pub breaker_until: i64,
    /// How long the breaker opened last, in ms.
    pub breaker_wait: i64,
    /// What was due by then drains, in ms; 0: nothing does.
    pub drain_before: i64,
    /// When it was paused or disabled, in ms.
    pub off_since: i64,
    /// Why it was disabled.
    pub off_reason: Option<String>,
    /// When it was last resumed, in ms.
    pub resumed_at: i64,
    /// Whether its owner has yet to be notified that it was disabled.
    pub tell_owner: bool,
    /// The time of the statement, in ms.
    pub now: i64,
}

from_row!(LaneHealthRow {
    id,
    channel,
    state,
    blocked_until,
    failures,
    failing_since,
    succeeded_at,
    breaker_until,
    breaker_wait,
    drain_before,
    off_since,
    off_reason,
    resumed_at,
    tell_owner,
    now
});

macro_rules! columns {
    () => {
        "SELECT l.id, l.channel, l.state, l.blocked_until, l.failures, l.failing_since, l.succeeded_at, l.breaker_until,
            l.breaker_wait, l.drain_before, l.off_since, l.off_reason, l.resumed_at, l.tell_owner, "
    };
}

/// What a write sets, from a table expression `row`.
macro_rules! set {
    () => {
        " SET state = row.state, blocked_until = row.blocked_until, failures = row.failures,
            failing_since = row.failing_since, succeeded_at = row.succeeded_at, breaker_until = row.breaker_until,
            breaker_wait = row.breaker_wait, drain_before = row.drain_before, off_since = row.off_since,
            off_reason = row.off_reason, tell_owner = row.tell_owner"
    };
}

/// Whether a lane `l` is locked for its `asked` outcome; how much newer a success must be follows.
macro_rules! is_changed {
    () => {
        "(asked.failed OR l.failures > 0 OR l.breaker_until > 0 OR l.succeeded_at < asked.succeeded_at - "
    };
}

use {columns, is_changed, set};

/// Locks those of these lanes that the outcomes may change, in the order of their ids: two recorders never lock in opposite
/// orders. `outcomes` are distinct.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn lock_changed(
    tx: &mut Tx,
    outcomes: &[LaneOutcome],
    time: i64,
) -> Result<Vec<LaneHealthRow>, DatabaseError> {
    if outcomes.is_empty() {
        return Ok(vec![]);
    }
    Ok(match tx {
        Tx::Postgres(tx) => postgres::lock_changed(tx, outcomes, time).await?,
        Tx::Sqlite(tx) => sqlite::lock_changed(tx, outcomes, time).await?,
    })
}

/// Writes the health of locked lanes.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn write(tx: &mut Tx, rows: &[LaneHealthRow]) -> Result<(), DatabaseError> {
    if rows.is_empty() {
        return Ok(());
    }
    match tx {
        Tx::Postgres(tx) => postgres::write(tx, rows).await?,
        Tx::Sqlite(tx) => sqlite::write(tx, rows).await?,
    }
    Ok(())
}
