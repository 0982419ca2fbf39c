//! Attempts a second, newest first, for the chart.

use domain::{clock::Millis, id::first_id_at};
use platform::database::{Database, DatabaseError};

use crate::either::on_reader;

/// Most attempts that one look walks through.
const ATTEMPTS: i64 = 10_000;

/// How the attempts that started in one second ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondRow {
    /// The second, since the epoch.
    pub at_second: i64,
    /// Attempts in all.
    pub attempts: i64,
    /// Those that the receiver accepted.
    pub delivered: i64,
}

from_row!(SecondRow { at_second, attempts, delivered });

/// What one look found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Seconds with at least one attempt.
    pub seconds: Vec<SecondRow>,
    /// From this second on, nothing is missing.
    pub complete_from: i64,
}

// First attempts that succeeded are kept with their deliveries. $1: first id, $2: rows to walk through of each.
const SQL: &str = "
SELECT started_at / 1000 AS at_second, count(*) AS attempts, count(*) FILTER (WHERE error_class IS NULL) AS delivered
  FROM (SELECT * FROM (SELECT started_at, error_class FROM attempt WHERE id >= $1 ORDER BY id DESC LIMIT $2) AS failed
        UNION ALL
        SELECT * FROM (SELECT started_at, CAST(NULL AS text) FROM finished_delivery
            WHERE id >= $1 AND started_at IS NOT NULL ORDER BY id DESC LIMIT $2) AS succeeded) AS latest
 GROUP BY started_at / 1000";

/// Counts the attempts that were recorded since `since`, as far back as a bounded walk goes.
///
/// # Errors
/// Those of the database.
pub async fn per_second(database: &Database, since: Millis) -> Result<Look, DatabaseError> {
    let first = first_id_at(since);
    let seconds: Vec<SecondRow> = on_reader!(database, pool => {
        sqlx::query_as(SQL).bind(first).bind(ATTEMPTS).fetch_all(pool).await?
    });
    Ok(Look { complete_from: complete_from(&seconds, since), seconds })
}

/// The first second that is whole: the one after the cut, wherever that came.
fn complete_from(seconds: &[SecondRow], since: Millis) -> i64 {
    let walked: i64 = seconds.iter().map(|second| second.attempts).sum();
    let oldest = seconds.iter().map(|second| second.at_second).min();
    match oldest {
        Some(oldest) if walked >= ATTEMPTS => oldest.max(since.seconds()) + 1,
        _ => since.seconds() + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_that_was_cut_short_trusts_only_whole_seconds() {
        let second = |at_second, attempts| SecondRow { at_second, attempts, delivered: attempts };
        assert_eq!(complete_from(&[], Millis(5_500)), 6);
        assert_eq!(complete_from(&[second(9, ATTEMPTS - 1)], Millis(5_500)), 6);
        assert_eq!(complete_from(&[second(9, ATTEMPTS - 1), second(8, 1)], Millis(5_500)), 9);
    }
}
