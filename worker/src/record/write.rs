//! One transaction for a batch of records.

use entity::delivery::record::{SendResultRow, Successes, record};
use platform::{
    context::Context,
    database::{DatabaseError, WritePermit, within_deadline},
    queue::Signal,
};

use super::lanes::{group_sends, update_lanes};

/// How many deliveries were moved; fewer than were recorded when another worker had taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) finished: u64,
    pub(super) retried: u64,
}

/// Writes and commits, with the `permit` that was waited for or with one of its own. May be called again with the same batch after
/// any error: nothing is moved twice.
pub(super) async fn write(
    context: &Context,
    results: &[SendResultRow],
    permit: Option<WritePermit>,
) -> Result<Moved, DatabaseError> {
    within_deadline(write_in_time(context, results, permit)).await
}

async fn write_in_time(
    context: &Context,
    results: &[SendResultRow],
    permit: Option<WritePermit>,
) -> Result<Moved, DatabaseError> {
    let time = context.database.statement_time(&context.clock);
    let mut already_moved = 0;
    if let Some(successes) = Successes::from_batch(results) {
        let permit = match permit {
            Some(permit) => permit,
            None => context.database.write_permit().await?,
        };
        already_moved = successes.record(permit, time).await?;
        if already_moved == results.len() as u64 {
            return Ok(Moved { finished: already_moved, retried: 0 });
        }
        // A lane is not well, or another worker has taken over: what is missing is written below.
    } else {
        // Given back: a transaction takes a permit of its own.
        drop(permit);
    }
    let mut tx = context.database.begin_grouped().await?;
    let recorded = record(&mut tx, results, time).await?;
    let sends = group_sends(results, &recorded.new_attempts);
    let lanes = update_lanes(&mut tx, &sends, time).await?;
    tx.commit().await?;
    if lanes.breaker_closed {
        context.queue.wake();
    }
    if lanes.gate_changed {
        context.queue.signal(Signal::EndpointChanged);
    }
    Ok(Moved { finished: recorded.finished.len() as u64 + already_moved, retried: recorded.retried })
}
