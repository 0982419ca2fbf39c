//! Numbers of deliveries, lanes and processes for the gauges. Each count is bounded, whatever the tables hold.

use domain::clock::Millis;
use platform::database::{Database, DatabaseError};
use uuid::Uuid;

use crate::{
    dead_letter::count::dead_letters,
    either::on_reader,
    lane::rules::{broken, held, lane_walk, unlimited},
    process::queries::seen_since,
};

/// Counts go no further.
const MOST: i64 = 100_000;
/// Lanes that are asked for their oldest due row.
const LANES: i64 = 1_000;

const COUNTS: &str = concat!(
    "SELECT (SELECT count(*) FROM (SELECT 1 FROM delivery LIMIT $1) AS few) AS open, ",
    dead_letters!("$1"),
    " AS dead_letters,
    (SELECT count(*) FROM process WHERE seen_at > $2) AS processes,
    (SELECT count(*) FROM (SELECT 1 FROM lane l WHERE ",
    broken!(),
    " LIMIT $1) AS few) AS open_breakers,
    (SELECT count(*) FROM (SELECT 1 FROM lane l JOIN delivery d ON d.lane_id = l.id WHERE ",
    held!(),
    " LIMIT $1) AS few) AS held"
);

// From lane to lane along the index, the first due row of each that should be sent at once: what a pause, a breaker, a
// limit or the receiver's own wish holds up is not a delay of ours.
const OLDEST: &str = concat!(
    lane_walk!("$3", "$1"),
    " SELECT min((SELECT d.due_at FROM delivery d WHERE d.lane_id = l.id ORDER BY d.due_at LIMIT 1))
    FROM passed JOIN lane l ON l.id = passed.lane_id AND l.state = 'active' AND l.blocked_until <= $2 AND ",
    unlimited!("l")
);

/// What the gauges show, each counted up to 100,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Deliveries under way.
    pub open: i64,
    /// Dead letters, of each of the two tables up to the bound.
    pub dead_letters: i64,
    /// Processes that are not lost.
    pub processes: i64,
    /// Active lanes whose breaker is open or half open.
    pub open_breakers: i64,
    /// Deliveries of lanes that are paused or disabled.
    pub held: i64,
}

from_row!(Counts { open, dead_letters, processes, open_breakers, held });

/// Counts for the gauges, in one statement.
///
/// # Errors
/// Those of the database.
pub async fn counts(database: &Database, now: Millis) -> Result<Counts, DatabaseError> {
    let seen_since = seen_since(now);
    Ok(on_reader!(database, pool => {
        sqlx::query_as(COUNTS).bind(MOST).bind(seen_since).fetch_one(pool).await?
    }))
}

/// Returns when the oldest delivery fell due (ms) that nothing keeps from being sent: no pause, breaker, limit or wish of the
/// receiver. None when no delivery waits at all.
///
/// # Errors
/// Those of the database.
pub async fn oldest_due(database: &Database, now: Millis) -> Result<Option<i64>, DatabaseError> {
    Ok(on_reader!(database, pool => {
        sqlx::query_scalar(OLDEST).bind(LANES).bind(now.0).bind(Uuid::nil()).fetch_one(pool).await?
    }))
}
