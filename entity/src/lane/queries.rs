//! Lanes that are broken, and lanes that are not used.

use domain::notification::UNPROVEN_PUSH_LANE;
use platform::database::{Database, DatabaseError};
use uuid::Uuid;

use super::rules::broken;
use crate::either::{on_reader, on_writer};

const BROKEN: &str = concat!(
    "SELECT l.id, l.resumed_at, e.retry_schedule FROM lane l LEFT JOIN endpoint e ON e.id = l.id
    WHERE ",
    broken!(),
    " AND l.id > $1 ORDER BY l.id LIMIT $2"
);

const REMOVE_UNUSED: &str = "DELETE FROM lane WHERE id IN (
        SELECT l.id FROM lane l WHERE l.channel = 'web_push' AND l.id <> $1
            AND NOT EXISTS (SELECT 1 FROM push_subscription s WHERE s.lane_id = l.id)
            AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.lane_id = l.id)
        ORDER BY l.id LIMIT $2)";

/// An active lane whose breaker is open or half open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its id.
    pub id: Uuid,
    /// When it was last resumed, in ms.
    pub resumed_at: i64,
    /// The endpoint's own schedule, a JSON array of seconds.
    pub retry_schedule: Option<String>,
}

from_row!(Broken { id, resumed_at, retry_schedule });

/// Returns at most `limit` broken lanes with an id above `after`, in the order of ids.
///
/// # Errors
/// Those of the database.
pub async fn broken(database: &Database, after: Uuid, limit: i64) -> Result<Vec<Broken>, DatabaseError> {
    Ok(on_reader!(database, pool => sqlx::query_as(BROKEN).bind(after).bind(limit).fetch_all(pool).await?))
}

/// Removes at most `most` lanes of push services at which no browser is subscribed any more and for which nothing waits;
/// returns how many. The lane of unproven services stays.
///
/// # Errors
/// Those of the database.
pub async fn remove_unused(database: &Database, most: i64) -> Result<u64, DatabaseError> {
    let kept = UNPROVEN_PUSH_LANE.0;
    Ok(on_writer!(database, pool => {
        sqlx::query(REMOVE_UNUSED).bind(kept).bind(most).execute(pool).await?.rows_affected()
    }))
}
