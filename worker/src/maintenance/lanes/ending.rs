//! Ends deliveries that were not sent, one batch after the other, and counts them.

use entity::delivery::ending::{End, Pick, end_batch};
use platform::{context::Context, database::DatabaseError, telemetry::names};

use super::{BATCH, BATCHES};

/// Ends all that `pick` names; returns how many. `now` is the database's time.
pub(super) async fn end_all(
    context: &Context,
    pick: Pick<'_>,
    end: End,
    now: i64,
) -> Result<u64, DatabaseError> {
    let mut ended = 0;
    for _ in 0..BATCHES {
        let batch = end_batch(&context.database, pick, end, now, BATCH).await?;
        ended += batch.channels.len() as u64;
        for channel in batch.channels {
            metrics::counter!(names::DELIVERIES_FINISHED, "state" => end.state.as_str(), "channel" => channel)
                .increment(1);
        }
        if !batch.is_full {
            break;
        }
    }
    Ok(ended)
}
