//! The processes that run, by their heartbeats.

use std::time::Duration;

use domain::{
    clock::{Millis, millis},
    id::ProcessId,
};
use platform::database::{Database, DatabaseError};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::OnConflict,
};

use crate::process::{Column, Entity, Model};

/// Most processes that are listed.
const LISTED: u64 = 100;
/// A process that was not seen for this long is lost.
pub const LOST_AFTER: Duration = Duration::from_secs(15);
/// A process that was not seen for this long is not listed.
const LISTED_FOR: Duration = Duration::from_secs(15 * 60);

/// A process, and whether it is still there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// What it said of itself last.
    pub said: Model,
    /// Whether it has been silent for too long.
    pub lost: bool,
}

/// Returns the processes that were started last and seen lately, newest first, at most 100.
///
/// # Errors
/// Those of the database.
pub async fn listed(database: &Database, now: Millis) -> Result<Vec<Process>, DatabaseError> {
    let started_last = Entity::find().order_by_desc(Column::Id).limit(LISTED).all(database.reader()).await?;
    Ok(started_last.into_iter().filter_map(|said| judge(said, now)).collect())
}

fn judge(said: Model, now: Millis) -> Option<Process> {
    let silent = now.since(Millis(said.seen_at));
    (silent < LISTED_FOR).then_some(Process { lost: silent >= LOST_AFTER, said })
}

/// Counts the processes that are not lost at `now`.
///
/// # Errors
/// Those of the database.
pub async fn alive(database: &Database, now: Millis) -> Result<u64, DatabaseError> {
    let seen_lately = Column::SeenAt.gt(seen_since(now));
    Ok(Entity::find().filter(seen_lately).count(database.reader()).await?)
}

/// A process that was seen after this time (ms) is not lost at `now`.
pub(crate) fn seen_since(now: Millis) -> i64 {
    now.0.saturating_sub(millis(LOST_AFTER))
}

/// Records a heartbeat: inserts the row, or updates what changes from one beat to the next.
///
/// # Errors
/// Those of the database.
pub async fn beat(database: &Database, process: Model) -> Result<(), DatabaseError> {
    let changed = [Column::InFlight, Column::QueueOk, Column::SeenAt];
    let update = OnConflict::column(Column::Id).update_columns(changed).to_owned();
    let row = process.into_active_model().reset_all();
    Entity::insert(row).on_conflict(update).exec_without_returning(database.writer()).await?;
    Ok(())
}

/// Removes the row of a process that stopped.
///
/// # Errors
/// Those of the database.
pub async fn remove(database: &Database, id: ProcessId) -> Result<(), DatabaseError> {
    Entity::delete_by_id(id.0).exec(database.writer()).await?;
    Ok(())
}

/// Removes the processes that were last seen before `before`.
///
/// # Errors
/// Those of the database.
pub async fn forget(database: &Database, before: Millis) -> Result<(), DatabaseError> {
    Entity::delete_many().filter(Column::SeenAt.lt(before.0)).exec(database.writer()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(ago_ms: i64) -> Option<bool> {
        let said = Model {
            id: uuid::Uuid::nil(),
            kind: "worker".to_owned(),
            name: "host:1".to_owned(),
            version: "0.1.0".to_owned(),
            queues: "deliveries".to_owned(),
            slots: 8,
            in_flight: 0,
            queue_ok: true,
            started_at: 0,
            seen_at: 10_000_000 - ago_ms,
        };
        judge(said, Millis(10_000_000)).map(|process| process.lost)
    }

    #[test]
    fn a_silent_process_is_lost_and_later_not_listed() {
        assert_eq!(seen(14_999), Some(false));
        assert_eq!(seen(15_000), Some(true));
        assert_eq!(seen(899_999), Some(true));
        assert_eq!(seen(900_000), None);
        assert_eq!(seen(-5_000), Some(false), "a clock that runs ahead is no loss");
    }

    #[test]
    fn a_process_is_alive_as_long_as_it_is_not_lost() {
        assert_eq!(seen_since(Millis(20_000)), 5_000);
    }
}
