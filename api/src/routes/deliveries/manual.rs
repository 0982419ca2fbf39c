//! Retry and cancel: one transaction, in which the delivery is judged and moved.

use domain::{delivery::DeliveryState, id::DeliveryId, problem::ProblemCode};
use entity::{
    delivery::manual::{self, Moved, Refusal},
    scope::Scope,
};
use platform::{
    database::{DatabaseError, within_deadline},
    telemetry::names,
};
use sea_orm::{DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait};

use crate::{app::App, problem::Problem};

/// Makes it due now and wakes the workers.
pub(super) async fn retry(app: &App, scope: Scope, id: DeliveryId) -> Result<(), Problem> {
    judged(within_deadline(move_it(app, scope, id, DeliveryState::Pending)).await)?;
    app.context.queue.wake();
    tracing::info!(delivery_id = %id, "delivery retried by hand");
    Ok(())
}

/// Calls it off.
pub(super) async fn cancel(app: &App, scope: Scope, id: DeliveryId) -> Result<(), Problem> {
    let to = DeliveryState::Cancelled;
    let channel = judged(within_deadline(move_it(app, scope, id, to)).await)?;
    let labels = [("state", to.as_str().to_owned()), ("channel", channel)];
    metrics::counter!(names::DELIVERIES_FINISHED, &labels).increment(1);
    tracing::info!(delivery_id = %id, "delivery cancelled by hand");
    Ok(())
}

async fn move_it(app: &App, scope: Scope, id: DeliveryId, to: DeliveryState) -> Result<Moved, DbErr> {
    let time = app.context.database.statement_time(&app.context.clock);
    let at_once = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let tx = app.context.database.writer().begin_with_options(at_once).await?;
    let moved = match to {
        DeliveryState::Cancelled => manual::cancel(&tx, scope, id, time).await?,
        _ => manual::retry(&tx, scope, id, time).await?,
    };
    tx.commit().await?;
    Ok(moved)
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
