//! Heartbeats: a row for each process, so that people see who works and who went silent.

use std::time::Duration;

use domain::{
    clock::{Millis, millis},
    id::ProcessId,
};
use entity::process::{Model, queries};
use platform::{context::Context, database::DatabaseError};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::send::Sender;

/// How often a process shows that it lives.
const EVERY: Duration = Duration::from_secs(5);
/// Silent for so long, a process is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(3600);

/// Beats between two removals of stale rows.
const BEATS_BETWEEN: u32 = 60;

/// What a process reports about itself.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// Its id, another one at every start.
    pub id: ProcessId,
    /// `hookyard` or `worker`.
    pub kind: &'static str,
    /// Since when it runs.
    pub started_at: Millis,
}

/// Beats until `stop`, then removes the row: a process that stopped is not one that went silent.
pub async fn heartbeat(context: Context, who: Heartbeat, sender: Sender, stop: CancellationToken) {
    for number in 0_u32.. {
        if stop.is_cancelled() {
            break;
        }
        if let Err(error) = beat(&context, &who, sender.in_flight()).await {
            warn!(%error, "no heartbeat");
        }
        if number.is_multiple_of(BEATS_BETWEEN)
            && let Err(error) = forget(&context).await
        {
            warn!(%error, "processes that went silent are still listed");
        }
        stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
    }
    if let Err(error) = queries::remove(&context.database, who.id).await {
        warn!(%error, "the heartbeat's row stays until it is forgotten");
    }
}

async fn beat(context: &Context, who: &Heartbeat, in_flight: usize) -> Result<(), DatabaseError> {
    let now = context.clock.now();
    let queues: Vec<&str> = context.config.worker_queues.iter().map(|queue| queue.as_str()).collect();
    let row = Model {
        id: who.id.0,
        kind: who.kind.to_owned(),
        name: format!("{}:{}", hostname(), std::process::id()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        queues: queues.join(","),
        slots: i32::try_from(context.config.send_slots).unwrap_or(i32::MAX),
        in_flight: i32::try_from(in_flight).unwrap_or(i32::MAX),
        queue_ok: context.queue.is_healthy(),
        started_at: who.started_at.0,
        seen_at: now.0,
    };
    queries::beat(&context.database, row).await
}

async fn forget(context: &Context) -> Result<(), DatabaseError> {
    let long_ago = context.clock.now().0.saturating_sub(millis(FORGOTTEN));
    queries::forget(&context.database, Millis(long_ago)).await
}

fn hostname() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "host".to_owned() } else { name.to_owned() }
}
