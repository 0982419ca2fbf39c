//! Bodies that were too long for their job, by the ids of their events: one query for a job.

use std::collections::HashMap;

use bytes::Bytes;
use entity::bulk::sqlite::push_list;
use platform::{
    context::Context,
    database::{DatabaseError, Pool, within_deadline},
};
use sqlx::{PgPool, QueryBuilder, Result, Sqlite, SqlitePool};
use uuid::Uuid;

type Body = (Uuid, Vec<u8>);

// The range beside the ids: a partitioned table is pruned by it.
const OF_EVENTS: &str = "SELECT id, body FROM event WHERE id = ANY($1) AND id BETWEEN $2 AND $3";
const OF_DELIVERIES: &str = "SELECT id, body FROM delivery WHERE id = ANY($1) AND body IS NOT NULL";

/// The bodies of these events; those that are gone are missing.
pub(super) async fn of_events(
    context: &Context,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Bytes>, DatabaseError> {
    let (Some(first), Some(last)) = (ids.iter().min(), ids.iter().max()) else { return Ok(HashMap::new()) };
    let rows = match context.database.pool() {
        Pool::Postgres(pool) => {
            let query = sqlx::query_as(OF_EVENTS).bind(ids).bind(first).bind(last);
            within_deadline(query.fetch_all(pool)).await?
        }
        Pool::Sqlite(_) => within_deadline(on_sqlite(reader(context), "event", ids)).await?,
    };
    Ok(by_id(rows))
}

/// The own bodies of these deliveries.
pub(super) async fn of_deliveries(
    context: &Context,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Bytes>, DatabaseError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = match context.database.pool() {
        Pool::Postgres(pool) => within_deadline(on_postgres(pool, ids)).await?,
        Pool::Sqlite(_) => within_deadline(on_sqlite(reader(context), "delivery", ids)).await?,
    };
    Ok(by_id(rows))
}

async fn on_postgres(pool: &PgPool, ids: &[Uuid]) -> Result<Vec<Body>> {
    sqlx::query_as(OF_DELIVERIES).bind(ids).fetch_all(pool).await
}

async fn on_sqlite(pool: &SqlitePool, table: &'static str, ids: &[Uuid]) -> Result<Vec<Body>> {
    let mut query = QueryBuilder::<Sqlite>::new("SELECT id, body FROM ");
    query.push(table).push(" WHERE body IS NOT NULL AND id IN ");
    push_list(&mut query, ids);
    query.build_query_as().fetch_all(pool).await
}

fn reader(context: &Context) -> &SqlitePool {
    context.database.reader().get_sqlite_connection_pool()
}

fn by_id(rows: Vec<Body>) -> HashMap<Uuid, Bytes> {
    rows.into_iter().map(|(id, body)| (id, body.into())).collect()
}
