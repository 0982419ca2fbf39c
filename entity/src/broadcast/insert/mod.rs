//! Inserts broadcasts, each notice once on a channel, within the caller's transaction.

mod postgres;
mod sqlite;

use domain::{
    delivery::Channel,
    id::{BroadcastId, EventId, NoticeId},
};
use platform::database::{DatabaseError, Tx};
use uuid::Uuid;

use crate::stamp::Stamp;

/// A broadcast to insert: a message to every recipient of a channel that has a smaller id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BroadcastRow {
    /// Its id.
    pub id: BroadcastId,
    /// The event that its recipients get.
    pub event_id: EventId,
    /// Its channel.
    pub channel: Channel,
    /// The notice that it announces: once on each channel.
    pub notice_id: Option<NoticeId>,
    /// How many recipients there are.
    pub total: i64,
    /// Whether it is inserted with a lease, because a job follows the commit.
    pub leased: bool,
}

/// Inserts broadcasts and returns the ids of those that are new: a notice that has one on that channel gets no second
/// one. On Postgres it waits for rivals that have not committed; `rows` are sorted by notice and channel, so that two
/// batches never wait for each other.
///
/// # Errors
/// Those of the database; the transaction is then lost.
pub async fn insert_new(
    tx: &mut Tx,
    rows: &[BroadcastRow],
    stamp: Stamp,
) -> Result<Vec<Uuid>, DatabaseError> {
    Ok(match tx {
        Tx::Postgres(tx) => postgres::insert_new(tx, rows, stamp).await?,
        Tx::Sqlite(tx) => sqlite::insert_new(tx, rows, stamp).await?,
    })
}
