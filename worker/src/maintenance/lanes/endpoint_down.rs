//! The schedule's clock runs while a breaker is open: a delivery whose whole schedule has passed is dead, `endpoint_down`.
//! It stands still while the lane is paused or disabled, and starts again when it is resumed.

use domain::{
    clock::millis,
    delivery::{DeadReason, DeliveryState, RetrySchedule},
};
use entity::{
    delivery::ending::{End, Pick},
    lane::queries::{Broken, broken},
};
use platform::{context::Context, database::DatabaseError};
use uuid::Uuid;

use super::ending::end_all;

/// Lanes that one statement asks for.
const LANES: i64 = 500;

const END: End = End {
    state: DeliveryState::Dead,
    reason: DeadReason::EndpointDown,
    message: Some("its whole schedule passed while its endpoint failed (dead: endpoint_down)"),
};

/// Buries them; returns how many.
///
/// # Errors
/// Those of the database; what was buried stays so.
pub async fn bury_endpoint_down(context: &Context) -> Result<u64, DatabaseError> {
    let now = context.database.now(&context.clock).await?.0;
    let (mut after, mut buried) = (Uuid::nil(), 0);
    loop {
        let lanes = broken(&context.database, after, LANES).await?;
        let Some(last) = lanes.last() else { return Ok(buried) };
        after = last.id;
        let cutoffs = cutoffs(context, lanes, now);
        if !cutoffs.is_empty() {
            buried += end_all(context, Pick::ScheduleOver(&cutoffs), END, now).await?;
        }
    }
}

/// The lanes, and before when a delivery must have been accepted for its schedule to have passed.
fn cutoffs(context: &Context, lanes: Vec<Broken>, now: i64) -> Vec<(Uuid, i64)> {
    let setting = &context.config.retry_schedule;
    let cutoff = |own: Option<String>| {
        let own = own.and_then(|text| RetrySchedule::from_seconds(&text).ok());
        now.saturating_sub(millis(own.as_ref().unwrap_or(setting).total()))
    };
    let lanes = lanes.into_iter().map(|lane| (lane.id, lane.resumed_at, cutoff(lane.retry_schedule)));
    lanes.filter(|(_, resumed_at, cutoff)| resumed_at <= cutoff).map(|(id, _, cutoff)| (id, cutoff)).collect()
}
