//! Manual retry and cancel of a delivery.

use domain::{delivery::DeliveryState, id::DeliveryId, problem::ProblemCode};
use entity::{
    delivery::manual::{self, Moved, Refusal},
    scope::Scope,
};
use platform::{
    context::Context,
    database::{DatabaseError, within_deadline},
    telemetry::names,
};

use crate::{app::App, problem::Problem};

/// Makes it due now and wakes the workers.
pub(super) async fn retry(app: &App, scope: Scope, id: DeliveryId) -> Result<(), Problem> {
    let Context { database, clock, .. } = &app.context;
    judged(within_deadline(manual::retry(database, clock, scope, id)).await)?;
    app.context.queue.wake();
    tracing::info!(delivery_id = %id, "delivery retried by hand");
    Ok(())
}

/// Cancels it.
pub(super) async fn cancel(app: &App, scope: Scope, id: DeliveryId) -> Result<(), Problem> {
    let Context { database, clock, .. } = &app.context;
    let channel = judged(within_deadline(manual::cancel(database, clock, scope, id)).await)?;
    let labels = [("state", DeliveryState::Cancelled.as_str().to_owned()), ("channel", channel)];
    metrics::counter!(names::DELIVERIES_FINISHED, &labels).increment(1);
    tracing::info!(delivery_id = %id, "delivery cancelled by hand");
    Ok(())
}

/// The channel of what was moved, or why nothing was.
fn judged(moved: Result<Moved, DatabaseError>) -> Result<String, Problem> {
    match moved.map_err(|error| Problem::unavailable("a delivery was not moved by hand", error))? {
        Moved::Done(channel) => Ok(channel),
        Moved::Missing => Err(super::missing()),
        Moved::Refused(refusal) => Err(Problem::new(ProblemCode::Conflict, sentence(refusal))),
    }
}

const fn sentence(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Sending => "a worker is sending it: ask again when the attempt has ended",
        Refusal::Succeeded => "it has been delivered: use a replay to deliver it once more",
        Refusal::Finished => "it has ended already",
        Refusal::EndpointDeleted => "its endpoint was deleted",
        Refusal::EventGone => "its event is no longer kept: there is nothing to send",
    }
}
