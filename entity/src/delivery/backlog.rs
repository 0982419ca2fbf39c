//! What is under way: how much is due, held, failing and being sent, and since when the oldest waits.

use domain::clock::Millis;
use platform::database::{Database, DatabaseError};

use crate::{
    bounded::{Bounded, ROWS_TO_COUNT},
    either::on_reader,
};

/// The open deliveries, oldest first, as far as a bounded walk goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// All that are under way.
    pub open: Bounded,
    /// Due, in an active lane, and with no worker.
    pub due: Bounded,
    /// Waiting for a lane that is not active.
    pub held: Bounded,
    /// Failed at least once and not given up on.
    pub failing: Bounded,
    /// With a live lease.
    pub sending: Bounded,
    /// Since when the oldest of the due ones is due.
    pub oldest_due_at: Option<Millis>,
}

struct Row {
    open: i64,
    due: i64,
    held: i64,
    failing: i64,
    sending: i64,
    oldest_due_at: Option<i64>,
}

from_row!(Row { open, due, held, failing, sending, oldest_due_at });

// $1: rows to walk through, $2: now
const SQL: &str = "
SELECT count(*) AS open,
       count(*) FILTER (WHERE waits AND NOT held AND due_at <= $2) AS due,
       count(*) FILTER (WHERE waits AND held) AS held,
       count(*) FILTER (WHERE attempts > 0) AS failing,
       count(*) FILTER (WHERE NOT waits) AS sending,
       min(due_at) FILTER (WHERE waits AND NOT held AND due_at <= $2) AS oldest_due_at
  FROM (SELECT oldest.due_at, oldest.attempts, oldest.lease_until <= $2 AS waits,
               coalesce(lane.state, 'active') <> 'active' AS held
          FROM (SELECT lane_id, due_at, lease_until, attempts FROM delivery ORDER BY id LIMIT $1) AS oldest
          LEFT JOIN lane ON lane.id = oldest.lane_id) AS under_way";

/// Looks at the oldest open deliveries. Exact while there are at most 10,000; lower bounds beyond.
///
/// # Errors
/// Those of the database.
pub async fn backlog(database: &Database, now: Millis) -> Result<Backlog, DatabaseError> {
    let row: Row = on_reader!(database, pool => {
        sqlx::query_as(SQL).bind(ROWS_TO_COUNT).bind(now.0).fetch_one(pool).await?
    });
    let open = Bounded::of(row.open);
    Ok(Backlog {
        open,
        due: Bounded::part(row.due, open),
        held: Bounded::part(row.held, open),
        failing: Bounded::part(row.failing, open),
        sending: Bounded::part(row.sending, open),
        oldest_due_at: row.oldest_due_at.map(Millis),
    })
}
