//! The bounds of what is held for an endpoint that is paused or disabled: how many deliveries, and for how long.
//! Beyond them a delivery is dead, `held_limit`. A breaker that is open holds nothing up for good: its lane has no bound
//! but the schedule.

use domain::{
    clock::millis,
    delivery::{DeadReason, DeliveryState, HeldLimits},
};
use entity::delivery::ending::{End, Pick};
use platform::{context::Context, database::DatabaseError};

use super::ending::end_all;

/// Buries what is beyond `limits`; returns how many.
///
/// # Errors
/// Those of the database; what was buried stays so.
pub async fn bury_beyond_limits(context: &Context, limits: HeldLimits) -> Result<u64, DatabaseError> {
    let now = context.database.now(&context.clock).await?.0;
    let end =
        |message| End { state: DeliveryState::Dead, reason: DeadReason::HeldLimit, message: Some(message) };
    let cutoff = now.saturating_sub(millis(limits.max_age));
    let long = end("was held for too long (dead: held_limit)");
    let too_long = end_all(context, Pick::HeldSince(cutoff), long, now).await?;
    let many = end("too many were held for its endpoint (dead: held_limit)");
    Ok(too_long + end_all(context, Pick::HeldBeyond(limits.max_deliveries), many, now).await?)
}
