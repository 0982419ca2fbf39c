//! Leases on rows that a worker owns: released and renewed, each in one statement. A row whose claim is another by now is left
//! alone.

mod postgres;
mod sqlite;

use domain::{clock::millis, job::LEASE};
use platform::{
    clock::Clock,
    database::{Database, DatabaseError, Pool},
};
use uuid::Uuid;

/// A row and the claim that its lease belongs to.
pub type Lease = (Uuid, i32);

/// The tables whose rows are leased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `delivery`. A claim that is released does not count as one without a record.
    Deliveries,
    /// `upload`.
    Uploads,
    /// `broadcast`.
    Broadcasts,
}

impl Table {
    const ALL: [Self; 3] = [Self::Deliveries, Self::Uploads, Self::Broadcasts];

    const fn name(self) -> &'static str {
        match self {
            Self::Deliveries => "delivery",
            Self::Uploads => "upload",
            Self::Broadcasts => "broadcast",
        }
    }

    /// What a release sets.
    const fn released(self) -> &'static str {
        match self {
            Self::Deliveries => "lease_until = 0, recorded_claim = row.claim",
            Self::Uploads | Self::Broadcasts => "lease_until = 0",
        }
    }
}

/// Ends these leases: the rows are due again.
///
/// # Errors
/// Those of the database; then the leases end at their time.
pub async fn release(database: &Database, table: Table, leases: &[Lease]) -> Result<(), DatabaseError> {
    if leases.is_empty() {
        return Ok(());
    }
    match database.pool() {
        Pool::Postgres(pool) => postgres::release(pool, table, leases).await?,
        Pool::Sqlite(pool) => sqlite::release(pool, table, leases).await?,
    }
    Ok(())
}

/// Ends every lease of every table: only for a process that is the database's only worker, at its start. Returns how many
/// leases there were; on Postgres it does nothing, since other processes work on it.
///
/// # Errors
/// Those of the database.
pub async fn release_all(database: &Database) -> Result<u64, DatabaseError> {
    Ok(match database.pool() {
        Pool::Postgres(_) => 0,
        Pool::Sqlite(pool) => sqlite::release_all(pool).await?,
    })
}

/// Leases these deliveries from now for the length of a lease; returns the ids of those whose claim still is theirs. Skips
/// rows that are locked, such as those whose record is being written: it neither waits nor deadlocks. Does not wait for the
/// disk: a lease that is lost with the server ends early, and its delivery is sent again as after any crash.
///
/// # Errors
/// Those of the database; then the leases end at their time.
pub async fn renew(database: &Database, clock: &Clock, leases: &[Lease]) -> Result<Vec<Uuid>, DatabaseError> {
    let (time, lease) = (database.statement_time(clock), millis(LEASE));
    Ok(match database.pool() {
        Pool::Postgres(pool) => postgres::renew(pool, leases, time, lease).await?,
        Pool::Sqlite(pool) => sqlite::renew(pool, leases, time + lease).await?,
    })
}
