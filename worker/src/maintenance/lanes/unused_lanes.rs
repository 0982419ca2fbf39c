//! Lanes of push services at which no browser is subscribed any more are removed. A service that gets subscriptions again
//! has a lane again when it takes a message.

use entity::lane::queries;
use platform::{
    context::Context,
    database::{DatabaseError, within_deadline},
};

use super::{BATCH, BATCHES};

/// Removes them; returns how many.
///
/// # Errors
/// Those of the database.
pub async fn remove_unused(context: &Context) -> Result<u64, DatabaseError> {
    let mut removed = 0;
    for _ in 0..BATCHES {
        let batch = within_deadline(queries::remove_unused(&context.database, BATCH)).await?;
        removed += batch;
        if batch < BATCH.unsigned_abs() {
            break;
        }
    }
    Ok(removed)
}
