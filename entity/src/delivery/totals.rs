//! What came in and how it ended, over the last day. An id's range is a time's range, so no column of times is read.

use std::time::Duration;

use domain::{
    clock::{Millis, millis},
    id::first_id_at,
};
use platform::database::{Database, DatabaseError};

use crate::{
    bounded::{Bounded, ROWS_TO_COUNT},
    dead_letter::count::dead_letters,
    either::on_reader,
};

/// How far back the totals reach.
const REACH: Duration = Duration::from_secs(24 * 3600);

/// Counts of the last day, and of all dead letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Events that were accepted.
    pub accepted: Bounded,
    /// Deliveries that succeeded.
    pub delivered: Bounded,
    /// Deliveries that were given up on within the day.
    pub given_up: Bounded,
    /// Dead letters that are kept, whatever their age.
    pub dead_letters: Bounded,
}

impl Totals {
    /// Whether the counts of the day stopped at their limit.
    #[must_use]
    pub const fn are_cut_short(&self) -> bool {
        self.accepted.more && self.delivered.more
    }
}

struct Row {
    accepted: i64,
    finished: i64,
    delivered: i64,
    dead: i64,
    dead_letters: i64,
}

from_row!(Row { accepted, finished, delivered, dead, dead_letters });

// $1: rows to walk through, $2: the first id of the day
const SQL: &str = concat!(
    "SELECT (SELECT count(*) FROM (SELECT id FROM event WHERE id >= $2 ORDER BY id DESC LIMIT $1) AS latest) AS accepted, ",
    dead_letters!("$1"),
    " AS dead_letters, ended.finished, ended.delivered, ended.dead
    FROM (SELECT count(*) AS finished,
                 count(*) FILTER (WHERE state = 'succeeded') AS delivered,
                 count(*) FILTER (WHERE state = 'dead') AS dead
          FROM (SELECT state FROM finished_delivery WHERE id >= $2 ORDER BY id DESC LIMIT $1) AS latest) AS ended"
);

/// Counts, each up to 10,000.
///
/// # Errors
/// Those of the database.
pub async fn totals(database: &Database, now: Millis) -> Result<Totals, DatabaseError> {
    let since = first_id_at(Millis(now.0.saturating_sub(millis(REACH))));
    let row: Row = on_reader!(database, pool => {
        sqlx::query_as(SQL).bind(ROWS_TO_COUNT).bind(since).fetch_one(pool).await?
    });
    let finished = Bounded::of(row.finished);
    Ok(Totals {
        accepted: Bounded::of(row.accepted),
        delivered: Bounded::part(row.delivered, finished),
        given_up: Bounded::part(row.dead, finished),
        dead_letters: Bounded::of(row.dead_letters),
    })
}
