//! Endpoints with their lanes on SQLite, by the pool that only reads.

use entity::bulk::sqlite::{ROWS, push_list};
use sqlx::{QueryBuilder, Result, Sqlite, SqlitePool};
use uuid::Uuid;

use super::EndpointRow;

const LOAD: &str = "SELECT e.id, e.url, e.sealed_secret, e.sealed_headers, e.timeout_ms, e.retry_schedule,
        l.state, l.blocked_until, l.breaker_until,
        l.rate_limit IS NOT NULL OR l.max_in_flight IS NOT NULL OR l.drain_before > 0 AS is_limited
    FROM endpoint e JOIN lane l ON l.id = e.id WHERE e.id IN ";

pub(super) async fn load(pool: &SqlitePool, ids: &[Uuid]) -> Result<Vec<EndpointRow>> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new(LOAD);
        push_list(&mut query, ids);
        found.extend(query.build_query_as::<EndpointRow>().fetch_all(pool).await?);
    }
    Ok(found)
}
