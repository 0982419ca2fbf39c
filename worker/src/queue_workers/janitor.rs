//! Removes what finished jobs leave in Redis, in small steps. Must never touch a job that waits or runs.

use std::time::Duration;

use domain::job::QueueName;
use platform::queue::{Queue, redis::SWEEP_LIMIT};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How often it looks.
pub const SWEEP_EVERY: Duration = Duration::from_secs(2);

/// Sweeps every queue until `stop`: all that is there, [`SWEEP_LIMIT`] jobs a step. Safe in many processes at once.
pub async fn janitor(queue: Queue, stop: CancellationToken) {
    let mut ticks = interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        for name in QueueName::ALL {
            sweep(&queue, *name, &stop).await;
        }
    }
}

async fn sweep(queue: &Queue, name: QueueName, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        match queue.sweep_finished(name).await {
            Ok(removed) if removed >= SWEEP_LIMIT => tokio::task::yield_now().await,
            Ok(_) => return,
            Err(error) => {
                tracing::debug!(queue = %name, %error, "could not sweep finished jobs");
                return;
            }
        }
    }
}
