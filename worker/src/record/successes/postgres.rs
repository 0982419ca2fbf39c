//! Successes on Postgres: one statement, which is a transaction of its own.

use sqlx::{PgPool, Result};
use uuid::Uuid;

use super::{
    super::{lanes::KNOWN_WITHIN_MS, postgres::column, rows::micros},
    Successes,
};

// Nothing is written when a lane is not well. A lane that is well is written once a second at most, and its lock is never
// waited for.
const RECORD: &str = "WITH asked AS MATERIALIZED (
        SELECT l.id, asked.succeeded_at, l.failures > 0 OR l.breaker_until > 0 AS is_unwell,
            l.state <> 'deleted' AND asked.succeeded_at >= l.resumed_at
                AND l.succeeded_at < asked.succeeded_at - $4 AS is_news
        FROM unnest($2::uuid[], $3::bigint[]) AS asked (id, succeeded_at) JOIN lane l ON l.id = asked.id
        WHERE l.id = ANY($2)
    ), ended AS MATERIALIZED (
        SELECT * FROM unnest($5::uuid[], $6::uuid[], $7::integer[], $8::integer[], $9::bigint[], $10::bigint[],
            $11::bigint[], $12::bigint[], $13::bigint[], $14::smallint[], $15::text[], $16::text[], $17::bytea[])
            AS row (id, delivery_id, number, claim, started_at, duration_us, resolve_us, connect_us, first_byte_us,
                    status_code, request_headers, response_headers, response_body)
        WHERE NOT EXISTS (SELECT 1 FROM asked WHERE is_unwell)
    ), tried AS (
        INSERT INTO attempt (id, delivery_id, number, claim, started_at, duration_us, resolve_us, connect_us,
            first_byte_us, status_code, request_headers, response_headers, response_body)
        SELECT * FROM ended ON CONFLICT DO NOTHING
    ), gone AS (
        DELETE FROM delivery d USING ended
        WHERE d.id = ANY($6) AND d.id = ended.delivery_id AND d.claim = ended.claim AND d.recorded_claim < ended.claim
        RETURNING d.*, ended.number
    ), moved AS (
        INSERT INTO finished_delivery (id, event_id, user_id, lane_id, channel, recipient_id, body, state, reason,
            position, attempts, claim, created_at, finished_at)
        SELECT id, event_id, user_id, lane_id, channel, recipient_id, body, 'succeeded', NULL,
            position, number, claim, created_at, (SELECT now_ms() + $1) FROM gone
        RETURNING 1
    ), told AS (
        UPDATE lane SET succeeded_at = greatest(lane.succeeded_at, held.succeeded_at)
        FROM (SELECT l.id, asked.succeeded_at FROM asked JOIN lane l ON l.id = asked.id
              WHERE l.id = ANY($2) AND asked.is_news AND EXISTS (SELECT 1 FROM ended) AND l.failures = 0 AND l.breaker_until = 0
              ORDER BY l.id FOR NO KEY UPDATE OF l SKIP LOCKED) AS held
        WHERE lane.id = ANY($2) AND lane.id = held.id
    )
    SELECT EXISTS (SELECT 1 FROM ended), (SELECT count(*) FROM moved)";

/// Returns how many were moved; none when nothing was written.
pub(super) async fn record(successes: &Successes<'_>, pool: &PgPool, offset: i64) -> Result<Option<u64>> {
    let (lanes, succeeded_at): (Vec<Uuid>, Vec<i64>) = successes.lanes().into_iter().unzip();
    let rows = &successes.rows;
    let query = sqlx::query_as(RECORD).bind(offset).bind(lanes).bind(succeeded_at).bind(KNOWN_WITHIN_MS);
    let query = query
        .bind(column(rows, |(_, attempt)| attempt.id.0))
        .bind(column(rows, |(ended, _)| ended.delivery.id().0))
        .bind(column(rows, |(_, attempt)| attempt.number))
        .bind(column(rows, |(ended, _)| ended.delivery.claim))
        .bind(column(rows, |(_, attempt)| attempt.started_at.0))
        .bind(column(rows, |(_, attempt)| micros(attempt.duration)))
        .bind(column(rows, |(_, attempt)| attempt.resolve.map(micros)))
        .bind(column(rows, |(_, attempt)| attempt.connect.map(micros)))
        .bind(column(rows, |(_, attempt)| attempt.first_byte.map(micros)))
        .bind(column(rows, |(_, attempt)| attempt.status_code.and_then(|code| i16::try_from(code).ok())))
        .bind(column(rows, |(_, attempt)| attempt.request_headers.as_str()))
        .bind(column(rows, |(_, attempt)| attempt.response_headers.as_deref()))
        .bind(column(rows, |(_, attempt)| attempt.response_body.as_slice()));
    let (is_written, finished): (bool, i64) = query.fetch_one(pool).await?;
    Ok(is_written.then_some(finished.unsigned_abs()))
}
