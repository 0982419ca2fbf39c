//! Idempotency keys that are no longer kept, forgotten in small batches. Safe in many processes; a key that is too old
//! counts as free whether or not this has come by.

use std::time::Duration;

use domain::{clock::millis, event::KEY_KEPT};
use entity::idempotency_key::queries;
use platform::{context::Context, database::DatabaseError};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(600);
/// Keys of one statement.
const BATCH: u64 = 1_000;

/// Forgets keys until `stop`.
pub async fn forget_keys(context: Context, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match forget_batch(&context, BATCH).await {
            Ok(forgotten) if forgotten == BATCH => continue,
            Ok(_) => {}
            Err(error) => warn!(%error, "idempotency keys were not forgotten"),
        }
        stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
    }
}

/// Forgets at most `most` keys older than [`KEY_KEPT`], by the database's clock, and returns how many.
///
/// # Errors
/// Those of the database; the next round tries again.
pub async fn forget_batch(context: &Context, most: u64) -> Result<u64, DatabaseError> {
    let time = context.database.statement_time(&context.clock);
    let (kept, most) = (millis(KEY_KEPT), i64::try_from(most).unwrap_or(i64::MAX));
    queries::forget(&context.database, time, kept, most).await
}
