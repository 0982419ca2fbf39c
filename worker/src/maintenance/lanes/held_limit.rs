//! The bounds of what is held for an endpoint that is paused or disabled: how many deliveries, and for how long.
//! Beyond them a delivery is dead, `held_limit`. A breaker that is open holds nothing up for good: its lane has no bound
//! but the schedule.

use domain::{
    clock::millis,
    delivery::{DeadReason, DeliveryState, HeldLimits},
};
use platform::{context::Context, database::DatabaseError};

use super::dead_letters::{self, End};

// Of those that are due, the ones that are due last go: one step along the index for each that is kept, once a lane, and no
// sorting. Joined without the first part, Postgres takes these steps for each delivery. The first condition on the lane is
// that of the index `lane_off`. What is not due is not held, and is neither counted nor buried.
const TOO_MANY: &str = "WITH bound AS MATERIALIZED (
        SELECT l.id,
            (SELECT k.due_at FROM delivery k WHERE k.lane_id = l.id AND k.due_at <= $2
                ORDER BY k.due_at, k.id LIMIT 1 OFFSET $1) AS due_at,
            (SELECT k.id FROM delivery k WHERE k.lane_id = l.id AND k.due_at <= $2
                ORDER BY k.due_at, k.id LIMIT 1 OFFSET $1) AS delivery_id
        FROM lane l WHERE (l.state <> 'active' OR l.breaker_until > 0) AND l.state IN ('paused', 'disabled')
    )
    SELECT d.id FROM bound JOIN delivery d
        ON d.lane_id = bound.id AND (d.due_at, d.id) >= (bound.due_at, bound.delivery_id)
    WHERE bound.due_at IS NOT NULL AND d.due_at <= $2 AND d.lease_until <= $2 LIMIT $3";

// What is not due yet is not held: its time counts from when it was due.
const TOO_LONG: &str = "SELECT d.id FROM lane l JOIN delivery d ON d.lane_id = l.id
    WHERE (l.state <> 'active' OR l.breaker_until > 0) AND l.state IN ('paused', 'disabled')
      AND l.off_since < $1 AND d.created_at < $1 AND d.due_at < $1 AND d.lease_until <= $2 LIMIT $3";

/// Buries what is beyond `limits`; returns how many.
///
/// # Errors
/// Those of the database; what was buried stays so.
pub async fn bury_beyond_limits(context: &Context, limits: HeldLimits) -> Result<u64, DatabaseError> {
    let now = context.database.now(&context.clock).await?.0;
    let end =
        |message| End { state: DeliveryState::Dead, reason: DeadReason::HeldLimit, message: Some(message) };
    let cutoff = now.saturating_sub(millis(limits.longest));
    let long = end("was held for too long (dead: held_limit)");
    let too_long = dead_letters::all(context, TOO_LONG, &[cutoff, now], long, now).await?;
    let many = end("too many were held for its endpoint (dead: held_limit)");
    Ok(too_long + dead_letters::all(context, TOO_MANY, &[limits.most, now], many, now).await?)
}
