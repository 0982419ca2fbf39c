//! One transaction for a batch of records.

use platform::{
    context::Context,
    database::{DatabaseError, Tx, WritePermit, within_deadline},
    queue::Signal,
};

use super::{lanes::LaneChanges, postgres, rows::Ended, sqlite, successes::Successes};

/// How many deliveries were moved; fewer than were recorded when another worker had taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) finished: u64,
    pub(super) retried: u64,
    pub(super) lanes: LaneChanges,
}

/// Writes and commits, in the `turn` that was waited for or in one of its own. May be called again with the same batch after
/// any error: nothing is moved twice.
pub(super) async fn write(
    context: &Context,
    ended: &[Ended],
    turn: Option<WritePermit>,
) -> Result<Moved, DatabaseError> {
    within_deadline(write_in_time(context, ended, turn)).await
}

async fn write_in_time(
    context: &Context,
    ended: &[Ended],
    turn: Option<WritePermit>,
) -> Result<Moved, DatabaseError> {
    let time = context.database.statement_time(&context.clock);
    let mut already_moved = 0;
    if let Some(successes) = Successes::of(ended) {
        let turn = match turn {
            Some(turn) => turn,
            None => context.database.write_permit().await?,
        };
        already_moved = successes.record(turn, time).await?;
        if already_moved == ended.len() as u64 {
            return Ok(Moved { finished: already_moved, ..Moved::default() });
        }
        // A lane is not well, or another worker has taken over: what is missing is written below.
    } else {
        // Given back: a transaction takes a turn of its own.
        drop(turn);
    }
    let mut tx = context.database.begin_grouped().await?;
    let moved = match &mut tx {
        Tx::Postgres(tx) => postgres::record(tx, ended, time).await?,
        Tx::Sqlite(tx) => sqlite::record(tx, ended, time).await?,
    };
    tx.commit().await?;
    if moved.lanes.breaker_closed {
        context.queue.wake();
    }
    if moved.lanes.gate_changed {
        context.queue.signal(Signal::EndpointChanged);
    }
    Ok(Moved { finished: moved.finished + already_moved, ..moved })
}
