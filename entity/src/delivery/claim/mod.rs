//! Claims: deliveries that are due and not leased become this worker's for the length of a lease, lane by lane.

pub mod limited;
mod postgres;
pub mod recipients;
mod row;
mod sqlite;

use platform::database::{DatabaseError, WritePermit, within_deadline};
use uuid::Uuid;

pub use row::ClaimedRow;

/// What is to be claimed of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneClaim {
    /// The lane.
    pub lane: Uuid,
    /// Deliveries, at most.
    pub rows: usize,
}

/// Claims the oldest due deliveries of each of these lanes that have no live lease. A lane that is paused, rests, has limits or
/// whose breaker is not closed gives nothing; one whose row is gone gives all. `time` is what [`Database::statement_time`] gives.
///
/// # Errors
/// Those of the database; then nothing was claimed, or what was is free again when its lease ends.
///
/// [`Database::statement_time`]: platform::database::Database::statement_time
pub async fn claim(
    permit: WritePermit,
    lanes: &[LaneClaim],
    time: i64,
) -> Result<Vec<ClaimedRow>, DatabaseError> {
    Ok(match permit {
        WritePermit::Postgres(pool) => within_deadline(postgres::claim(&pool, lanes, time)).await?,
        WritePermit::Sqlite(writer) => sqlite::claim(writer, lanes, time).await?,
    })
}

fn as_i64(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
