//! Endpoints with their lanes on Postgres.

use sqlx::{PgPool, Result};
use uuid::Uuid;

use super::EndpointRow;

const LOAD: &str = "SELECT e.id, e.url, e.sealed_secret, e.sealed_headers, e.timeout_ms, e.retry_schedule,
        l.state, l.blocked_until, l.breaker_until,
        l.rate_limit IS NOT NULL OR l.max_in_flight IS NOT NULL OR l.drain_before > 0 AS is_limited
    FROM unnest($1::uuid[]) AS asked (id)
    CROSS JOIN LATERAL (SELECT * FROM endpoint WHERE id = asked.id LIMIT 1) AS e
    CROSS JOIN LATERAL (SELECT * FROM lane WHERE id = asked.id LIMIT 1) AS l";

pub(super) async fn load(pool: &PgPool, ids: &[Uuid]) -> Result<Vec<EndpointRow>> {
    sqlx::query_as(LOAD).bind(ids).fetch_all(pool).await
}
