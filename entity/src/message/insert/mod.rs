//! Inserts messages, each id once, within the caller's transaction.

mod postgres;
mod sqlite;

use std::sync::Arc;

use domain::{id::EventId, message::Message};
use platform::database::{DatabaseError, Tx};
use uuid::Uuid;

/// A message to insert. `created_at` is set by the statement.
#[derive(Clone, Debug)]
pub struct MessageRow {
    /// What was sent.
    pub message: Arc<Message>,
    /// Its text without the difference of upper and lower case; none where that is the text itself.
    pub folded: Option<Arc<str>>,
    /// The event that it becomes.
    pub event_id: EventId,
}

/// Inserts the messages whose id is new, and returns their events. On Postgres it waits for rivals that insert the same
/// id and have not committed; `rows` are distinct and sorted by id, so that two batches never wait for each other. `time`
/// is what `platform::database::Database::statement_time` gives.
///
/// # Errors
/// Those of the database; the transaction is then lost.
pub async fn insert_new(
    tx: &mut Tx,
    rows: &[Arc<MessageRow>],
    time: i64,
) -> Result<Vec<Uuid>, DatabaseError> {
    Ok(match tx {
        Tx::Postgres(tx) => postgres::insert_new(tx, rows, time).await?,
        Tx::Sqlite(tx) => sqlite::insert_new(tx, rows, time).await?,
    })
}
