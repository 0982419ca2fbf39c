//! Events with their deliveries on SQLite: both statements go to the connection that writes in one message.

use platform::database::{BatchTransaction, BatchTransactionError, DatabaseError};
use sqlx::SqlitePool;

use super::PublishError;
use crate::{
    delivery::insert::{DeliveryRow, sqlite::push_deliveries},
    event::insert::{EventRow, sqlite::push_events},
    stamp::Stamp,
};

/// Inserts at most [`crate::rows::sqlite::ROWS`] rows into each table, in a transaction of their own.
pub(super) async fn insert_alone(
    pool: &SqlitePool,
    events: &[EventRow],
    deliveries: &[DeliveryRow],
    stamp: Stamp,
) -> Result<(), PublishError> {
    let mut accept = BatchTransaction::durable();
    if !events.is_empty() {
        push_events(accept.statement(), events, stamp);
    }
    if !deliveries.is_empty() {
        push_deliveries(accept.statement(), deliveries, stamp);
    }
    let writer = pool.acquire().await.map_err(|error| PublishError::NotWritten(error.into()))?;
    accept.run(writer).await.map(drop).map_err(PublishError::from)
}

impl From<BatchTransactionError> for PublishError {
    fn from(error: BatchTransactionError) -> Self {
        match error {
            BatchTransactionError::NotWritten(error) => Self::NotWritten(DatabaseError::Sqlx(error)),
            BatchTransactionError::Unknown(error) => Self::Unknown(DatabaseError::Sqlx(error)),
        }
    }
}
