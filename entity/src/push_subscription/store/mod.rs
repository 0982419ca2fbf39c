//! Stores a push subscription or removes it, each in a transaction of its own.

mod postgres;
mod sqlite;

use domain::notification::{UNPROVEN_PUSH_IN_FLIGHT, UNPROVEN_PUSH_LANE};
use platform::database::{Database, DatabaseError, Tx};
use uuid::Uuid;

use super::Model;

/// Makes a lane unless it is there.
const LANE: &str =
    "INSERT INTO lane (id, channel, max_in_flight) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING";
/// Removes a subscription while it has these keys.
const REMOVE: &str = "DELETE FROM push_subscription WHERE id = $1 AND p256dh = $2 AND auth = $3";

/// Stores a push subscription and makes the lane that it begins on: its own at a known push service, else that of unproven
/// ones: after the subscription, as records do. One whose endpoint is known keeps its id, its age, and its user if the new
/// one names none. The statement sets its times. `time` is what `Database::statement_time` gives.
///
/// # Errors
/// Those of the database.
pub async fn subscribe(
    database: &Database,
    row: &Model,
    is_known_service: bool,
    time: i64,
) -> Result<(), DatabaseError> {
    let lane = match is_known_service {
        true => (row.lane_id, None),
        false => (UNPROVEN_PUSH_LANE.0, Some(UNPROVEN_PUSH_IN_FLIGHT)),
    };
    let mut tx = database.begin().await?;
    match &mut tx {
        Tx::Postgres(tx) => postgres::subscribe(tx, row, lane, time).await?,
        Tx::Sqlite(tx) => sqlite::subscribe(tx, row, lane, time).await?,
    }
    tx.commit().await
}

/// Removes a push subscription if it still has these keys; whether it did. A browser that has subscribed again since then
/// stays.
///
/// # Errors
/// Those of the database.
pub async fn unsubscribe(
    database: &Database,
    id: Uuid,
    p256dh: &[u8],
    auth: &[u8],
) -> Result<bool, DatabaseError> {
    let mut tx = database.begin().await?;
    let removed = match &mut tx {
        Tx::Postgres(tx) => postgres::unsubscribe(tx, id, p256dh, auth).await?,
        Tx::Sqlite(tx) => sqlite::unsubscribe(tx, id, p256dh, auth).await?,
    };
    tx.commit().await?;
    Ok(removed)
}
