//! Gauges of what only the database knows. Every query is bounded, whatever the tables hold.

use std::time::Duration;

use domain::job::{QueueName, WINDOW};
use entity::delivery::gauges;
use platform::{context::Context, database::DatabaseError, telemetry::names};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::send::Sender;

/// How often the gauges are set.
const EVERY: Duration = Duration::from_secs(5);
/// Sets the gauges until `stop`.
pub async fn gauges(context: Context, sender: Sender, stop: CancellationToken) {
    metrics::gauge!(names::WINDOW_SIZE).set(WINDOW as f64);
    while !stop.is_cancelled() {
        metrics::gauge!(names::IN_FLIGHT).set(sender.in_flight() as f64);
        depths(&context).await;
        if let Err(error) = from_database(&context).await {
            metrics::counter!(names::DATABASE_ERRORS).increment(1);
            warn!(%error, "gauges were not set");
        }
        stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
    }
}

async fn depths(context: &Context) {
    for queue in [QueueName::Deliveries, QueueName::Uploads] {
        if let Ok(depth) = context.queue.depth(queue).await {
            metrics::gauge!(names::QUEUE_DEPTH, "queue" => queue.as_str()).set(depth as f64);
        }
    }
}

async fn from_database(context: &Context) -> Result<(), DatabaseError> {
    let now = context.clock.now();
    let counts = gauges::counts(&context.database, now).await?;
    let oldest = oldest_due(context).await?;
    let age = oldest.map_or(0, |due_at| now.0.saturating_sub(due_at).max(0));
    metrics::gauge!(names::DELIVERIES_OPEN).set(counts.open as f64);
    metrics::gauge!(names::DEAD_LETTERS).set(counts.dead_letters as f64);
    metrics::gauge!(names::WORKERS).set(counts.processes as f64);
    metrics::gauge!(names::BREAKERS_OPEN).set(counts.open_breakers as f64);
    metrics::gauge!(names::DELIVERIES_HELD).set(counts.held as f64);
    metrics::gauge!(names::OLDEST_DUE_AGE_SECONDS).set(age as f64 / 1e3);
    Ok(())
}

/// Returns when the oldest delivery fell due (ms) that nothing keeps from being sent. None when no delivery waits at all.
///
/// # Errors
/// Those of the database.
pub async fn oldest_due(context: &Context) -> Result<Option<i64>, DatabaseError> {
    gauges::oldest_due(&context.database, context.clock.now()).await
}
