//! Gauges of what only the database knows. Every query is bounded, whatever the tables hold.

use std::time::Duration;

use domain::{
    clock::millis,
    job::{QueueName, WINDOW},
};
use platform::{
    context::Context,
    database::{DatabaseError, Pool},
    telemetry::names,
};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use crate::send::Sender;

/// How often the gauges are set.
const EVERY: Duration = Duration::from_secs(5);
/// Counts go no further.
const MOST: i64 = 100_000;
/// Lanes that are asked for their oldest due row.
const LANES: i64 = 1_000;
/// A process that was not seen for so long does not count as a worker.
const ALIVE: Duration = Duration::from_secs(15);

const COUNTS: &str = "SELECT
    (SELECT count(*) FROM (SELECT 1 FROM delivery LIMIT $1) AS few),
    (SELECT count(*) FROM (SELECT 1 FROM finished_delivery WHERE state = 'dead' LIMIT $1) AS few)
        + (SELECT count(*) FROM (SELECT 1 FROM dead_letter LIMIT $1) AS few),
    (SELECT count(*) FROM process WHERE seen_at > $2),
    (SELECT count(*) FROM (SELECT 1 FROM lane WHERE (state <> 'active' OR breaker_until > 0)
        AND state = 'active' LIMIT $1) AS few),
    (SELECT count(*) FROM (SELECT 1 FROM lane l JOIN delivery d ON d.lane_id = l.id
        WHERE (l.state <> 'active' OR l.breaker_until > 0) AND l.state IN ('paused', 'disabled') LIMIT $1) AS few)";

// From lane to lane along the index, the first due row of each that should be sent at once: what a pause, a breaker, a
// limit or the receiver's own wish holds up is not a delay of ours.
const OLDEST: &str = "WITH RECURSIVE passed (lane_id, n) AS (
        SELECT * FROM (SELECT lane_id, 1 FROM delivery WHERE lane_id > $3 ORDER BY lane_id LIMIT 1) AS first
        UNION ALL
        SELECT (SELECT d.lane_id FROM delivery d WHERE d.lane_id > passed.lane_id ORDER BY d.lane_id LIMIT 1), n + 1
        FROM passed WHERE passed.lane_id IS NOT NULL AND n < $1
    )
    SELECT min((SELECT d.due_at FROM delivery d WHERE d.lane_id = l.id ORDER BY d.due_at LIMIT 1))
    FROM passed JOIN lane l ON l.id = passed.lane_id AND l.state = 'active' AND l.breaker_until = 0 AND l.drain_before = 0
        AND l.rate_limit IS NULL AND l.max_in_flight IS NULL AND l.blocked_until <= $2";

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
    let now = context.clock.now().0;
    let seen = now.saturating_sub(millis(ALIVE));
    let counts: (i64, i64, i64, i64, i64) = match context.database.pool() {
        Pool::Postgres(pool) => sqlx::query_as(COUNTS).bind(MOST).bind(seen).fetch_one(pool).await?,
        Pool::Sqlite(_) => {
            let pool = context.database.reader().get_sqlite_connection_pool();
            sqlx::query_as(COUNTS).bind(MOST).bind(seen).fetch_one(pool).await?
        }
    };
    let oldest = oldest_due(context).await?;
    let age = oldest.map_or(0, |due_at| now.saturating_sub(due_at).max(0));
    metrics::gauge!(names::DELIVERIES_OPEN).set(counts.0 as f64);
    metrics::gauge!(names::DEAD_LETTERS).set(counts.1 as f64);
    metrics::gauge!(names::WORKERS).set(counts.2 as f64);
    metrics::gauge!(names::BREAKERS_OPEN).set(counts.3 as f64);
    metrics::gauge!(names::DELIVERIES_HELD).set(counts.4 as f64);
    metrics::gauge!(names::OLDEST_DUE_AGE_SECONDS).set(age as f64 / 1e3);
    Ok(())
}

/// When the oldest delivery fell due (ms) that nothing keeps from being sent: no pause, breaker, limit or wish of the
/// receiver. None when no delivery waits at all.
///
/// # Errors
/// Those of the database.
pub async fn oldest_due(context: &Context) -> Result<Option<i64>, DatabaseError> {
    let now = context.clock.now().0;
    Ok(match context.database.pool() {
        Pool::Postgres(pool) => {
            sqlx::query_scalar(OLDEST).bind(LANES).bind(now).bind(Uuid::nil()).fetch_one(pool).await?
        }
        Pool::Sqlite(_) => {
            let pool = context.database.reader().get_sqlite_connection_pool();
            sqlx::query_scalar(OLDEST).bind(LANES).bind(now).bind(Uuid::nil()).fetch_one(pool).await?
        }
    })
}
