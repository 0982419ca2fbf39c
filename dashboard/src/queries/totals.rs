//! What came in and how it ended, over the last day. An id's range is a time's range, so no column of times is read.

use std::time::Duration;

use domain::clock::{Millis, millis};
use sea_orm::{DatabaseConnection, DbErr, FromQueryResult};

use super::{
    bounded::{Bounded, ROWS_TO_COUNT},
    first_id_at, row,
};

/// How far back the totals reach.
pub(crate) const REACH: Duration = Duration::from_secs(24 * 3600);

/// Counts of the last day, and of all dead letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Events that were accepted.
    pub(crate) accepted: Bounded,
    /// Deliveries that succeeded.
    pub(crate) delivered: Bounded,
    /// Deliveries that were given up on within the day.
    pub(crate) given_up: Bounded,
    /// Dead letters that are kept, whatever their age.
    pub(crate) dead_letters: Bounded,
}

impl Totals {
    /// Whether the counts of the day stopped at their limit.
    pub(crate) const fn are_cut_short(&self) -> bool {
        self.accepted.more && self.delivered.more
    }
}

#[derive(FromQueryResult)]
struct Row {
    accepted: i64,
    finished: i64,
    delivered: i64,
    dead: i64,
    dead_letters: i64,
}

// $1: rows to walk through, $2: the first id of the day
const SQL: &str = "
SELECT (SELECT count(*) FROM (SELECT id FROM event WHERE id >= $2 ORDER BY id DESC LIMIT $1) AS latest) AS accepted,
       (SELECT count(*) FROM (SELECT id FROM finished_delivery WHERE state = 'dead' ORDER BY id DESC LIMIT $1) AS latest)
           AS dead_letters,
       ended.finished, ended.delivered, ended.dead
  FROM (SELECT count(*) AS finished,
               count(*) FILTER (WHERE state = 'succeeded') AS delivered,
               count(*) FILTER (WHERE state = 'dead') AS dead
          FROM (SELECT state FROM finished_delivery WHERE id >= $2 ORDER BY id DESC LIMIT $1) AS latest) AS ended";

/// Counts, each up to 10,000.
pub(crate) async fn load(db: &DatabaseConnection, now: Millis) -> Result<Totals, DbErr> {
    let since = first_id_at(Millis(now.0.saturating_sub(millis(REACH))));
    let row: Row = row(db, SQL, [ROWS_TO_COUNT.into(), since.into()]).await?;
    let finished = Bounded::of(row.finished);
    Ok(Totals {
        accepted: Bounded::of(row.accepted),
        delivered: Bounded::part(row.delivered, finished),
        given_up: Bounded::part(row.dead, finished),
        dead_letters: Bounded::of(row.dead_letters),
    })
}
