//! The turn to write, for those who group what they write: what comes in while they wait for it still finds a place.

use sqlx::{PgPool, Sqlite, pool::PoolConnection};

/// Taken by [`super::Database::write_permit`].
#[derive(Debug)]
pub enum WritePermit {
    /// Any of many connections: none is held before it is used.
    Postgres(PgPool),
    /// The one connection that writes: nothing else is written while this is kept.
    Sqlite(PoolConnection<Sqlite>),
}
