//! Records: what sends came to, and the next step of their deliveries, for many deliveries in one transaction.
//! A move applies only where id **and claim number** match and that claim was not recorded yet: a worker that stalled
//! past its lease can add its attempt row, never undo another's result; a record that is tried again moves nothing twice.

mod postgres;
mod recipient_update;
mod recipients;
mod rows;
mod sqlite;
mod successes;

use std::collections::HashSet;

use platform::database::{DatabaseError, Tx};
use uuid::Uuid;

pub use recipient_update::{GivenUp, RecipientUpdate};
pub use rows::{AttemptRow, SendResultRow};
pub use successes::Successes;

/// What a record wrote.
#[derive(Debug, Default)]
pub struct Recorded {
    /// The deliveries that have finished; fewer than were recorded when another worker had taken over.
    pub finished: Vec<Uuid>,
    /// How many deliveries are tried again.
    pub retried: u64,
    /// The attempts that had not been written before.
    pub new_attempts: HashSet<Uuid>,
}

/// Writes attempts, moves of deliveries, lines of the error log, and what became of recipients; not the lanes. The caller
/// commits.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn record(tx: &mut Tx, rows: &[SendResultRow], time: i64) -> Result<Recorded, DatabaseError> {
    let mut recorded = match tx {
        Tx::Postgres(tx) => postgres::record(tx, rows, time).await?,
        Tx::Sqlite(tx) => sqlite::record(tx, rows, time).await?,
    };
    let finished = rows.iter().filter(|row| recorded.finished.contains(&row.delivery.id));
    let kept = finished.filter_map(|row| Some(row.kept_attempt()?.id.0));
    recorded.new_attempts.extend(kept);
    Ok(recorded)
}
