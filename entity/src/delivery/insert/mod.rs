//! Inserts deliveries, many in one statement, within the caller's transaction.

mod postgres;
pub(crate) mod sqlite;

use domain::{
    clock::Millis,
    delivery::Channel,
    id::{DeliveryId, EventId, LaneId, UserId},
};
use platform::database::{DatabaseError, Tx};
use uuid::Uuid;

use crate::stamp::Stamp;

/// A delivery to insert.
#[derive(Clone, Debug)]
pub struct DeliveryRow {
    /// Its id.
    pub id: DeliveryId,
    /// Its event.
    pub event_id: EventId,
    /// Its tenant; none where no user owns it.
    pub user_id: Option<UserId>,
    /// Its lane.
    pub lane_id: LaneId,
    /// Its channel.
    pub channel: Channel,
    /// The endpoint, push subscription or subscriber.
    pub recipient_id: Uuid,
    /// Its own bytes, where an owner's payload makes them differ from the event's.
    pub body: Option<Vec<u8>>,
    /// When it is due; none or past: at once.
    pub due_at: Option<Millis>,
    /// Whether it is inserted with a lease, because a job that carries it follows the commit.
    pub leased: bool,
}

/// Inserts deliveries. What is due in the past, or names no time, is due at once by the database's clock.
///
/// # Errors
/// Those of the database; the transaction is then lost.
pub async fn insert_deliveries(tx: &mut Tx, rows: &[DeliveryRow], stamp: Stamp) -> Result<(), DatabaseError> {
    match tx {
        Tx::Postgres(tx) => postgres::insert_deliveries(tx, rows, stamp).await?,
        Tx::Sqlite(tx) => sqlite::insert_deliveries(tx, rows, stamp).await?,
    }
    Ok(())
}
