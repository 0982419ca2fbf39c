//! One transaction for a batch of records.

use std::collections::BTreeMap;

use domain::clock::millis;
use platform::{
    context::Context,
    database::{DatabaseError, Tx, within_deadline},
};
use uuid::Uuid;

use super::{
    postgres,
    rows::{Ended, LaneEffect},
    sqlite,
};

/// How many deliveries were moved; fewer than were recorded when another worker had taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) finished: u64,
    pub(super) retried: u64,
}

/// Writes and commits. May be called again with the same batch after any error: nothing is moved twice.
pub(super) async fn write(context: &Context, ended: &[Ended]) -> Result<Moved, DatabaseError> {
    within_deadline(write_in_time(context, ended)).await
}

async fn write_in_time(context: &Context, ended: &[Ended]) -> Result<Moved, DatabaseError> {
    let time = context.database.statement_time(&context.clock);
    let mut tx = context.database.begin().await?;
    let moved = match &mut tx {
        Tx::Postgres(tx) => postgres::record(tx, ended, time).await?,
        Tx::Sqlite(tx) => sqlite::record(tx, ended, time).await?,
    };
    tx.commit().await?;
    Ok(moved)
}

/// The longest pause of each lane, in ms, in the order of lanes: two recorders never lock in opposite orders.
pub(super) fn pauses(ended: &[Ended]) -> BTreeMap<Uuid, i64> {
    let mut pauses = BTreeMap::new();
    for ended in ended {
        if let Some(LaneEffect::Pause(pause)) = ended.lane {
            let longest = pauses.entry(ended.delivery.lane_id().0).or_insert(0);
            *longest = millis(pause).max(*longest);
        }
    }
    pauses
}
