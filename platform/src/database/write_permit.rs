//! Permission to write, for callers that group writes: work that arrives while they wait still joins the group.

use sqlx::{PgPool, Sqlite, pool::PoolConnection};

/// Permission to write; see [`super::Database::write_permit`].
#[derive(Debug)]
pub enum WritePermit {
    /// A pool of many connections: none is held before it is used.
    Postgres(PgPool),
    /// The writer connection: nothing else is written while this is held.
    Sqlite(PoolConnection<Sqlite>),
}
