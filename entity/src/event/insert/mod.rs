//! Inserts events, many in one statement, within the caller's transaction.

mod postgres;
pub(crate) mod sqlite;

use domain::id::{EventId, UserId};
use platform::database::{DatabaseError, Tx};

use crate::stamp::Stamp;

/// An event to insert. `created_at` is set by the statement.
#[derive(Clone, Debug)]
pub struct EventRow {
    /// Its id, the `webhook-id` of every attempt.
    pub id: EventId,
    /// Its tenant; none where no user owns it.
    pub user_id: Option<UserId>,
    /// The name of its type.
    pub event_type: String,
    /// The bytes that are signed and sent.
    pub body: Vec<u8>,
    /// Whether it named its endpoints, instead of going to all that are registered for its type.
    pub addressed: bool,
}

/// Inserts events.
///
/// # Errors
/// Those of the database; the transaction is then lost.
pub async fn insert_events(tx: &mut Tx, rows: &[EventRow], stamp: Stamp) -> Result<(), DatabaseError> {
    match tx {
        Tx::Postgres(tx) => postgres::insert_events(tx, rows, stamp).await?,
        Tx::Sqlite(tx) => sqlite::insert_events(tx, rows, stamp).await?,
    }
    Ok(())
}
