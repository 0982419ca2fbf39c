//! Inserts events with their deliveries. Alone, both tables are one round trip to the database.

mod postgres;
mod sqlite;

use domain::clock::Millis;
use platform::database::{Database, DatabaseError, Pool, Tx};

use crate::{
    delivery::insert::{DeliveryRow, insert_deliveries},
    event::insert::{EventRow, insert_events},
    rows::sqlite::ROWS,
    stamp::Stamp,
};

/// What must hold still for the recipients of earlier events to be used again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The users of the keys that were asked for, in the order of `names`.
    pub users: Vec<Option<i64>>,
    /// The event types of those keys.
    pub names: Vec<String>,
    /// How many recipients there are.
    pub count: i64,
    /// The marks of all, combined by XOR. Each differs from the others, as it depends on user and type.
    pub marks: i64,
}

/// Events were not published, or the outcome is unknown.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Nothing was written.
    #[error(transparent)]
    NotWritten(DatabaseError),
    /// Unless the database refused the rows, they may have been written.
    #[error(transparent)]
    Unknown(DatabaseError),
}

/// Inserts events and their deliveries within the caller's transaction; returns when, by the database's clock.
///
/// # Errors
/// Those of the database; the transaction is then lost.
pub async fn publish(
    tx: &mut Tx,
    events: &[EventRow],
    deliveries: &[DeliveryRow],
    stamp: Stamp,
) -> Result<Millis, DatabaseError> {
    if let Tx::Postgres(tx) = tx {
        return Ok(Millis(postgres::insert(tx, events, deliveries, stamp).await?));
    }
    insert_events(tx, events, stamp).await?;
    insert_deliveries(tx, deliveries, stamp).await?;
    Ok(Millis(stamp.now_or_offset))
}

/// Whether [`publish_alone`] takes so many rows: on SQLite no table gets more than one statement inserts.
#[must_use]
pub fn fits_alone(database: &Database, events: &[EventRow], deliveries: &[DeliveryRow]) -> bool {
    match database.grouped() {
        Pool::Postgres(_) => true,
        Pool::Sqlite(_) => events.len().max(deliveries.len()) <= ROWS,
    }
}

/// Inserts events and their deliveries in a transaction of their own: one way to the database where a transaction of the
/// caller's takes four. Returns when, by the database's clock; none when a `confirmation` (Postgres) no longer holds: then
/// nothing was written.
///
/// # Errors
/// See [`PublishError`].
pub async fn publish_alone(
    database: &Database,
    events: &[EventRow],
    deliveries: &[DeliveryRow],
    stamp: Stamp,
    confirmation: Option<&Confirmation>,
) -> Result<Option<Millis>, PublishError> {
    let pool = match database.grouped() {
        Pool::Postgres(pool) => pool,
        Pool::Sqlite(pool) => {
            sqlite::insert_alone(pool, events, deliveries, stamp).await?;
            return Ok(Some(Millis(stamp.now_or_offset)));
        }
    };
    let mut connection = pool.acquire().await.map_err(|error| PublishError::NotWritten(error.into()))?;
    let written = match confirmation {
        Some(known) => postgres::insert_if_unchanged(&mut connection, events, deliveries, stamp, known).await,
        None => postgres::insert(&mut connection, events, deliveries, stamp).await.map(Some),
    };
    // The statement is its own transaction: an error may come from the commit.
    written.map(|at| at.map(Millis)).map_err(|error| PublishError::Unknown(error.into()))
}
