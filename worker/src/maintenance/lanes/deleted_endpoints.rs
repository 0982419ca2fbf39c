//! What waits for a deleted endpoint is cancelled. One that is being sent is cancelled when it comes back.

use domain::delivery::{DeadReason, DeliveryState};
use entity::delivery::ending::{End, Pick};
use platform::{context::Context, database::DatabaseError};

use super::ending::end_all;

/// Cancels them; returns how many.
///
/// # Errors
/// Those of the database; what was cancelled stays so.
pub async fn cancel_deleted(context: &Context) -> Result<u64, DatabaseError> {
    let now = context.database.now(&context.clock).await?.0;
    let end = End { state: DeliveryState::Cancelled, reason: DeadReason::EndpointDeleted, message: None };
    end_all(context, Pick::OfDeletedEndpoints, end, now).await
}
