//! Endpoints with their lanes as sends need them: address, sealed secrets, schedule, and whether the lane may be sent to.

mod postgres;
mod sqlite;

use platform::database::{Database, DatabaseError, Pool};
use uuid::Uuid;

/// An endpoint and its lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetRow {
    /// Its id.
    pub id: Uuid,
    /// Its address.
    pub url: String,
    /// Its signing secret, sealed; empty once it is deleted.
    pub sealed_secret: Vec<u8>,
    /// Its custom headers, sealed.
    pub sealed_headers: Option<Vec<u8>>,
    /// Its own deadline of an attempt, in ms.
    pub timeout_ms: Option<i32>,
    /// Its own retry schedule, as JSON.
    pub retry_schedule: Option<String>,
    /// The state of its lane.
    pub state: String,
    /// Until when the receiver asked to wait, in ms.
    pub blocked_until: i64,
    /// Whether only a claim may send: it has limits, its breaker is not closed, or there is something to drain.
    pub is_limited: bool,
}

from_row!(TargetRow {
    id,
    url,
    sealed_secret,
    sealed_headers,
    timeout_ms,
    retry_schedule,
    state,
    blocked_until,
    is_limited
});

macro_rules! columns {
    () => {
        concat!(
            "SELECT e.id, e.url, e.sealed_secret, e.sealed_headers, e.timeout_ms, e.retry_schedule,
                l.state, l.blocked_until, NOT (",
            $crate::lane::rules::unlimited!("l"),
            ") AS is_limited"
        )
    };
}
use columns;

/// Those of `ids` that exist.
///
/// # Errors
/// Those of the database.
pub async fn load_targets(database: &Database, ids: &[Uuid]) -> Result<Vec<TargetRow>, DatabaseError> {
    Ok(match database.grouped() {
        Pool::Postgres(pool) => postgres::load(pool, ids).await?,
        Pool::Sqlite(_) => sqlite::load(database.reader().get_sqlite_connection_pool(), ids).await?,
    })
}
