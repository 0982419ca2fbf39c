//! Ends deliveries that were not sent: a batch is picked, locked and moved in one transaction.
//! Never touches one with a live lease: its request may be on the wire.

mod picks;
mod postgres;
mod sqlite;

use domain::{
    delivery::{DeadReason, DeliveryState},
    id::ErrorId,
};
use platform::database::{Database, DatabaseError, Tx, within_deadline};
use uuid::Uuid;

/// How deliveries end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Dead or cancelled.
    pub state: DeliveryState,
    /// Why.
    pub reason: DeadReason,
    /// Their line in the error log; none: no line.
    pub message: Option<&'static str>,
}

/// Which deliveries end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick<'a> {
    /// Those of deleted endpoints.
    OfDeletedEndpoints,
    /// Those that have been held, and due, since before this time (ms).
    HeldSince(i64),
    /// Those of a lane's held ones that are due last, beyond so many.
    HeldBeyond(i64),
    /// Those of these broken lanes that were accepted, and due, by the lane's time (ms): their schedule has passed.
    ScheduleOver(&'a [(Uuid, i64)]),
}

/// What one batch came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// The channel of each delivery that ended.
    pub channels: Vec<String>,
    /// Whether the batch was full: there may be more.
    pub is_full: bool,
}

/// Ends at most `most` of the deliveries that `pick` names, in one transaction. `now` is the database's time.
///
/// # Errors
/// Those of the database; then none has ended, unless the commit's outcome is unknown.
pub async fn end_batch(
    database: &Database,
    pick: Pick<'_>,
    end: End,
    now: i64,
    most: i64,
) -> Result<Ended, DatabaseError> {
    within_deadline(batch(database, pick, end, now, most)).await
}

async fn batch(
    database: &Database,
    pick: Pick<'_>,
    end: End,
    now: i64,
    most: i64,
) -> Result<Ended, DatabaseError> {
    let mut tx = database.begin().await?;
    let ids = match &mut tx {
        Tx::Postgres(tx) => postgres::pick(tx, pick, now, most).await?,
        Tx::Sqlite(tx) => sqlite::pick(tx, pick, now, most).await?,
    };
    if ids.is_empty() {
        return Ok(Ended::default());
    }
    let channels = match &mut tx {
        Tx::Postgres(tx) => postgres::end(tx, &ids, end, now).await?,
        Tx::Sqlite(tx) => sqlite::end(tx, &ids, end, now).await?,
    };
    tx.commit().await?;
    Ok(Ended { channels, is_full: i64::try_from(ids.len()).is_ok_and(|picked| picked >= most) })
}

/// A pick that both databases read: its statement, and what is bound in it before the size of the batch.
type Statement = (&'static str, Vec<i64>);

/// The statement of a pick, or the broken lanes whose statement each dialect writes.
fn statement(pick: Pick<'_>, now: i64) -> Result<Statement, &[(Uuid, i64)]> {
    match pick {
        Pick::OfDeletedEndpoints => Ok((picks::OF_DELETED, vec![now])),
        Pick::HeldSince(cutoff) => Ok((picks::TOO_LONG, vec![cutoff, now])),
        Pick::HeldBeyond(kept) => Ok((picks::TOO_MANY, vec![kept, now])),
        Pick::ScheduleOver(lanes) => Err(lanes),
    }
}

fn log_ids(ids: &[Uuid]) -> Vec<Uuid> {
    ids.iter().map(|_| ErrorId::new().0).collect()
}
