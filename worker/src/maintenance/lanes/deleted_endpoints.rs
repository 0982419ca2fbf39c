//! What waits for a deleted endpoint is cancelled. One that is being sent is cancelled when it comes back.

use domain::delivery::{DeadReason, DeliveryState};
use platform::{context::Context, database::DatabaseError};

use super::dead_letters::{self, End};

const PICK: &str = "SELECT d.id FROM lane l JOIN delivery d ON d.lane_id = l.id
    WHERE (l.state <> 'active' OR l.breaker_until > 0) AND l.state = 'deleted' AND d.lease_until <= $1 LIMIT $2";

/// Cancels them; returns how many.
///
/// # Errors
/// Those of the database; what was cancelled stays so.
pub async fn cancel_deleted(context: &Context) -> Result<u64, DatabaseError> {
    let now = context.database.now(&context.clock).await?.0;
    let end = End { state: DeliveryState::Cancelled, reason: DeadReason::EndpointDeleted, message: None };
    dead_letters::all(context, PICK, &[now], end, now).await
}
