//! Who gets an event: the endpoints of its user that are registered for its type, or exactly those that it names.
//! One statement each for a whole batch, sorted and distinct; deleted endpoints get nothing.

pub(crate) mod postgres;
mod sqlite;

use platform::{
    clock::Clock,
    database::{Database, DatabaseError, Pool},
};
use uuid::Uuid;

/// Whose endpoints (none: those of all users), and the name of the type.
pub type Key = (Option<i64>, String);
/// Whose endpoint, and which.
pub type Named = (i64, Uuid);

/// An endpoint that is registered for a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredRow {
    /// The user of the key.
    pub asked_user: Option<i64>,
    /// The type of the key.
    pub name: String,
    /// The endpoint.
    pub recipient: RecipientRow,
}

from_row!(RegisteredRow { asked_user, name; recipient });

/// An endpoint that gets an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientRow {
    /// Its id.
    pub id: Uuid,
    /// Its tenant.
    pub user_id: i64,
    /// A JSON object laid over each body.
    pub custom_payload: Option<String>,
    /// Whether its delivery may be handed over: the lane is active, has no backlog, no limit of its own, and its breaker is
    /// closed.
    pub clear: bool,
    /// Changes with the rest of the row; always 0 where nothing is confirmed by it.
    pub mark: i64,
}

from_row!(RecipientRow { id, user_id, custom_payload, clear, mark });

/// Returns the endpoints that are registered for these types.
///
/// # Errors
/// Those of the database.
pub async fn registered(
    database: &Database,
    clock: &Clock,
    keys: &[Key],
) -> Result<Vec<RegisteredRow>, DatabaseError> {
    if keys.is_empty() {
        return Ok(vec![]);
    }
    let time = database.statement_time(clock);
    Ok(match database.grouped() {
        Pool::Postgres(pool) => postgres::registered(pool, keys, time).await?,
        Pool::Sqlite(_) => {
            sqlite::registered(database.reader().get_sqlite_connection_pool(), keys, time).await?
        }
    })
}

/// Returns those of these endpoints that there are.
///
/// # Errors
/// Those of the database.
pub async fn named(
    database: &Database,
    clock: &Clock,
    endpoints: &[Named],
) -> Result<Vec<RecipientRow>, DatabaseError> {
    if endpoints.is_empty() {
        return Ok(vec![]);
    }
    let time = database.statement_time(clock);
    Ok(match database.grouped() {
        Pool::Postgres(pool) => postgres::named(pool, endpoints, time).await?,
        Pool::Sqlite(_) => {
            sqlite::named(database.reader().get_sqlite_connection_pool(), endpoints, time).await?
        }
    })
}

/// Returns those of these names that are names of event types.
///
/// # Errors
/// Those of the database.
pub async fn known_types(database: &Database, names: &[String]) -> Result<Vec<String>, DatabaseError> {
    if names.is_empty() {
        return Ok(vec![]);
    }
    Ok(match database.grouped() {
        Pool::Postgres(pool) => postgres::known_types(pool, names).await?,
        Pool::Sqlite(_) => sqlite::known_types(database.reader().get_sqlite_connection_pool(), names).await?,
    })
}
