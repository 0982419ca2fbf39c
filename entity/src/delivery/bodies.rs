//! Bodies that were too long for the job of their deliveries, by id.

use platform::database::{Database, DatabaseError, Pool};
use sqlx::{QueryBuilder, Result, Sqlite, SqlitePool};
use uuid::Uuid;

use crate::rows::sqlite::push_list;

/// The id of an event or of a delivery, and its body.
pub type Body = (Uuid, Vec<u8>);

// The range beside the ids: a partitioned table is pruned by it.
const OF_EVENTS: &str = "SELECT id, body FROM event WHERE id = ANY($1) AND id BETWEEN $2 AND $3";
const OF_DELIVERIES: &str = "SELECT id, body FROM delivery WHERE id = ANY($1) AND body IS NOT NULL";

/// The bodies of these events; those that are gone are missing.
///
/// # Errors
/// Those of the database.
pub async fn load_event_bodies(database: &Database, ids: &[Uuid]) -> Result<Vec<Body>, DatabaseError> {
    let (Some(first), Some(last)) = (ids.iter().min(), ids.iter().max()) else { return Ok(vec![]) };
    Ok(match database.pool() {
        Pool::Postgres(pool) => {
            sqlx::query_as(OF_EVENTS).bind(ids).bind(first).bind(last).fetch_all(pool).await?
        }
        Pool::Sqlite(_) => on_sqlite(database, "event", ids).await?,
    })
}

/// The own bodies of these deliveries; those without one are missing.
///
/// # Errors
/// Those of the database.
pub async fn load_own_bodies(database: &Database, ids: &[Uuid]) -> Result<Vec<Body>, DatabaseError> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    Ok(match database.pool() {
        Pool::Postgres(pool) => sqlx::query_as(OF_DELIVERIES).bind(ids).fetch_all(pool).await?,
        Pool::Sqlite(_) => on_sqlite(database, "delivery", ids).await?,
    })
}

async fn on_sqlite(database: &Database, table: &'static str, ids: &[Uuid]) -> Result<Vec<Body>> {
    let reader: &SqlitePool = database.reader().get_sqlite_connection_pool();
    let mut query = QueryBuilder::<Sqlite>::new("SELECT id, body FROM ");
    query.push(table).push(" WHERE body IS NOT NULL AND id IN ");
    push_list(&mut query, ids);
    query.build_query_as().fetch_all(reader).await
}
