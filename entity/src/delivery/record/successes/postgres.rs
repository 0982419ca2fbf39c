//! Successes on Postgres: one statement, which is a transaction of its own.

use sqlx::{PgPool, Result};
use uuid::Uuid;

use super::Successes;
use crate::{
    delivery::record::rows::micros,
    finished_delivery::columns::{attempt_columns, columns},
    lane::health::KNOWN_WITHIN_MS,
    rows::postgres::column,
};

// Nothing is written when a lane is not well. A lane that is well is written once a second at most, and its lock is never
// waited for.
#[rustfmt::skip]
const RECORD: &str = concat!("WITH asked AS MATERIALIZED (
        SELECT l.id, asked.succeeded_at, l.failures > 0 OR l.breaker_until > 0 AS is_unwell,
            l.state <> 'deleted' AND asked.succeeded_at >= l.resumed_at
                AND l.succeeded_at < asked.succeeded_at - $4 AS is_news
        FROM unnest($2::uuid[], $3::bigint[]) AS asked (id, succeeded_at) JOIN lane l ON l.id = asked.id
        WHERE l.id = ANY($2)
    ), ended AS MATERIALIZED (
        SELECT * FROM unnest($5::uuid[], $6::integer[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[],
            $11::bigint[], $12::smallint[], $13::text[], $14::text[], $15::bytea[])
            AS row (delivery_id, claim, started_at, duration_us, resolve_us, connect_us, first_byte_us,
                    status_code, request_headers, response_headers, response_body)
        WHERE NOT EXISTS (SELECT 1 FROM asked WHERE is_unwell)
    ), gone AS (
        DELETE FROM delivery d USING ended
        WHERE d.id = ANY($5) AND d.id = ended.delivery_id AND d.claim = ended.claim AND d.recorded_claim < ended.claim
        RETURNING d.id, d.event_id, d.user_id, d.lane_id, d.channel, d.recipient_id, d.body, d.position, d.claim, d.created_at,
            ended.started_at, ended.duration_us, ended.resolve_us, ended.connect_us, ended.first_byte_us,
            ended.status_code, ended.request_headers, ended.response_headers, ended.response_body
    ), moved AS (
        INSERT INTO finished_delivery (", columns!(), ", ", attempt_columns!(), ")
        SELECT id, event_id, user_id, lane_id, channel, recipient_id, body, 'succeeded', NULL,
            position, 1, claim, created_at, (SELECT now_ms() + $1), ", attempt_columns!(), "
        FROM gone
        RETURNING 1
    ), noted AS (
        UPDATE lane SET succeeded_at = greatest(lane.succeeded_at, held.succeeded_at)
        FROM (SELECT l.id, asked.succeeded_at FROM asked JOIN lane l ON l.id = asked.id
              WHERE l.id = ANY($2) AND asked.is_news AND EXISTS (SELECT 1 FROM ended) AND l.failures = 0 AND l.breaker_until = 0
              ORDER BY l.id FOR NO KEY UPDATE OF l SKIP LOCKED) AS held
        WHERE lane.id = ANY($2) AND lane.id = held.id
    )
    SELECT count(*) FROM moved"
);

/// Returns how many were moved.
pub(super) async fn record(successes: &Successes<'_>, pool: &PgPool, offset: i64) -> Result<u64> {
    let (lanes, succeeded_at): (Vec<Uuid>, Vec<i64>) = successes.lanes().into_iter().unzip();
    let rows = &successes.rows;
    let query = sqlx::query_scalar(RECORD).bind(offset).bind(lanes).bind(succeeded_at).bind(KNOWN_WITHIN_MS);
    let query = query
        .bind(column(rows, |(result, _)| result.delivery.id))
        .bind(column(rows, |(result, _)| result.delivery.claim))
        .bind(column(rows, |(_, attempt)| attempt.started_at.0))
        .bind(column(rows, |(_, attempt)| micros(attempt.duration)))
        .bind(column(rows, |(_, attempt)| attempt.resolve.map(micros)))
        .bind(column(rows, |(_, attempt)| attempt.connect.map(micros)))
        .bind(column(rows, |(_, attempt)| attempt.first_byte.map(micros)))
        .bind(column(rows, |(_, attempt)| attempt.status()))
        .bind(column(rows, |(_, attempt)| attempt.request_headers.as_str()))
        .bind(column(rows, |(_, attempt)| attempt.response_headers.as_deref()))
        .bind(column(rows, |(_, attempt)| attempt.response_body.as_slice()));
    let moved: i64 = query.fetch_one(pool).await?;
    Ok(moved.unsigned_abs())
}
