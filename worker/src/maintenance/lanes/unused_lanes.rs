//! Lanes of push services at which no browser is subscribed any more are removed. A service that gets subscriptions again
//! has a lane again when it takes a message.

use domain::notification::UNPROVEN_PUSH_LANE;
use platform::{
    context::Context,
    database::{DatabaseError, Pool, within_deadline},
};

use super::{BATCH, BATCHES};

const REMOVE: &str = "DELETE FROM lane WHERE id IN (
        SELECT l.id FROM lane l WHERE l.channel = 'web_push' AND l.id <> $1
            AND NOT EXISTS (SELECT 1 FROM push_subscription s WHERE s.lane_id = l.id)
            AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.lane_id = l.id)
        ORDER BY l.id LIMIT $2)";

/// Removes them; returns how many.
///
/// # Errors
/// Those of the database.
pub async fn remove_unused(context: &Context) -> Result<u64, DatabaseError> {
    let mut removed = 0;
    for _ in 0..BATCHES {
        let batch = within_deadline(remove(context.database.pool())).await?;
        removed += batch;
        if batch < BATCH.unsigned_abs() {
            break;
        }
    }
    Ok(removed)
}

async fn remove(pool: &Pool) -> sqlx::Result<u64> {
    let id = UNPROVEN_PUSH_LANE.0;
    Ok(match pool {
        Pool::Postgres(pool) => sqlx::query(REMOVE).bind(id).bind(BATCH).execute(pool).await?.rows_affected(),
        Pool::Sqlite(pool) => sqlx::query(REMOVE).bind(id).bind(BATCH).execute(pool).await?.rows_affected(),
    })
}
