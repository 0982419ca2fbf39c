//! Records on Postgres: one statement a table, columns bound as arrays.

use std::collections::HashSet;

use domain::clock::millis;
use sqlx::{PgConnection, Result};
use uuid::Uuid;

use super::{
    Recorded, SendResultRow, recipients,
    rows::{AttemptRow, Tried, micros},
};
use crate::{
    finished_delivery::columns::{attempt_columns, columns},
    rows::postgres::column,
};

pub(super) async fn record(
    tx: &mut PgConnection,
    results: &[SendResultRow],
    offset: i64,
) -> Result<Recorded> {
    let finished = finish(tx, results, offset).await?;
    let new_attempts = insert_attempts(tx, results).await?;
    let retried = retry(tx, results, offset).await?;
    log_failures(tx, results, offset).await?;
    recipients::update_on_postgres(tx, results, offset).await?;
    Ok(Recorded { finished, retried, new_attempts })
}

/// Inserts the attempts that are not kept with a finished delivery; returns those that were not written before.
async fn insert_attempts(tx: &mut PgConnection, results: &[SendResultRow]) -> Result<HashSet<Uuid>> {
    // By user and id: by id alone, an index that begins with the user looks as good while the table is nearly empty.
    const SQL: &str = "INSERT INTO attempt (id, delivery_id, number, claim, started_at, duration_us, resolve_us,
            connect_us, first_byte_us, status_code, error_class, error, request_headers, response_headers, response_body)
        SELECT id, delivery_id, number, claim, started_at, duration_us, resolve_us, connect_us, first_byte_us,
            status_code, error_class, error, request_headers, response_headers, response_body
        FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::integer[], $5::bigint[], $6::bigint[],
            $7::bigint[], $8::bigint[], $9::bigint[], $10::smallint[], $11::text[], $12::text[], $13::text[],
            $14::text[], $15::bytea[], $16::boolean[], $17::bigint[])
            AS row (id, delivery_id, number, claim, started_at, duration_us, resolve_us, connect_us, first_byte_us,
                    status_code, error_class, error, request_headers, response_headers, response_body, may_be_kept, user_id)
        WHERE NOT may_be_kept OR NOT (
            EXISTS (SELECT 1 FROM finished_delivery f WHERE f.id = row.delivery_id AND f.user_id = row.user_id
                AND f.claim = row.claim AND f.started_at IS NOT NULL)
            OR row.user_id IS NULL
                AND EXISTS (SELECT 1 FROM finished_delivery f WHERE f.id = row.delivery_id AND f.user_id IS NULL
                    AND f.claim = row.claim AND f.started_at IS NOT NULL))
        ON CONFLICT DO NOTHING RETURNING id";
    let rows: Vec<Tried<'_>> =
        results.iter().filter_map(|result| Some((result, result.attempt.as_ref()?))).collect();
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    let new = sqlx::query_scalar(SQL)
        .bind(column(&rows, |(_, attempt)| attempt.id.0))
        .bind(column(&rows, |(result, _)| result.delivery.id))
        .bind(column(&rows, |(_, attempt)| attempt.number))
        .bind(column(&rows, |(result, _)| result.delivery.claim))
        .bind(column(&rows, |(_, attempt)| attempt.started_at.0))
        .bind(column(&rows, |(_, attempt)| micros(attempt.duration)))
        .bind(column(&rows, |(_, attempt)| attempt.resolve.map(micros)))
        .bind(column(&rows, |(_, attempt)| attempt.connect.map(micros)))
        .bind(column(&rows, |(_, attempt)| attempt.first_byte.map(micros)))
        .bind(column(&rows, |(_, attempt)| attempt.status()))
        .bind(column(&rows, |(_, attempt)| attempt.error_class))
        .bind(column(&rows, |(_, attempt)| attempt.error.as_deref()))
        .bind(column(&rows, |(_, attempt)| attempt.request_headers.as_str()))
        .bind(column(&rows, |(_, attempt)| attempt.response_headers.as_deref()))
        .bind(column(&rows, |(_, attempt)| attempt.response_body.as_slice()))
        .bind(column(&rows, |(result, _)| result.is_kept_with_finished()))
        .bind(column(&rows, |(result, _)| result.delivery.user_id))
        .fetch_all(tx)
        .await?;
    Ok(new.into_iter().collect())
}

/// Moves what has ended, the attempt of a first success with it; returns the ids of the deliveries that were moved.
async fn finish(tx: &mut PgConnection, results: &[SendResultRow], offset: i64) -> Result<Vec<Uuid>> {
    #[rustfmt::skip]
    const SQL: &str = concat!("WITH gone AS (
            DELETE FROM delivery d
            USING unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::integer[], $7::bigint[], $8::bigint[],
                    $9::bigint[], $10::bigint[], $11::bigint[], $12::smallint[], $13::text[], $14::text[], $15::bytea[])
                  AS row (id, claim, state, reason, attempts, started_at, duration_us, resolve_us, connect_us,
                    first_byte_us, status_code, request_headers, response_headers, response_body)
            WHERE d.id = ANY($1) AND d.id = row.id AND d.claim = row.claim AND d.recorded_claim < row.claim
            RETURNING d.*, row.state, row.reason, row.attempts AS attempts_made, row.started_at, row.duration_us,
                row.resolve_us, row.connect_us, row.first_byte_us, row.status_code, row.request_headers,
                row.response_headers, row.response_body
        )
        INSERT INTO finished_delivery (", columns!(), ", ", attempt_columns!(), ")
        SELECT id, event_id, user_id, lane_id, channel, recipient_id, body, state, reason,
            position, attempts_made, claim, created_at, now_ms() + $6, ", attempt_columns!(), "
        FROM gone RETURNING id"
    );
    let rows: Vec<_> = results.iter().filter_map(|result| Some((result, result.finished()?))).collect();
    if rows.is_empty() {
        return Ok(vec![]);
    }
    sqlx::query_scalar(SQL)
        .bind(column(&rows, |(result, _)| result.delivery.id))
        .bind(column(&rows, |(result, _)| result.delivery.claim))
        .bind(column(&rows, |(_, (state, _))| state.as_str()))
        .bind(column(&rows, |(_, (_, reason))| reason.map(|reason| reason.as_str())))
        .bind(column(&rows, |(result, _)| result.attempts()))
        .bind(offset)
        .bind(column(&rows, |(result, _)| result.kept_attempt().map(|attempt| attempt.started_at.0)))
        .bind(column(&rows, |(result, _)| result.kept_attempt().map(|attempt| micros(attempt.duration))))
        .bind(column(&rows, |(result, _)| {
            result.kept_attempt().and_then(|attempt| attempt.resolve.map(micros))
        }))
        .bind(column(&rows, |(result, _)| {
            result.kept_attempt().and_then(|attempt| attempt.connect.map(micros))
        }))
        .bind(column(&rows, |(result, _)| {
            result.kept_attempt().and_then(|attempt| attempt.first_byte.map(micros))
        }))
        .bind(column(&rows, |(result, _)| result.kept_attempt().and_then(AttemptRow::status)))
        .bind(column(&rows, |(result, _)| {
            result.kept_attempt().map(|attempt| attempt.request_headers.as_str())
        }))
        .bind(column(&rows, |(result, _)| {
            result.kept_attempt().and_then(|attempt| attempt.response_headers.as_deref())
        }))
        .bind(column(&rows, |(result, _)| {
            result.kept_attempt().map(|attempt| attempt.response_body.as_slice())
        }))
        .fetch_all(tx)
        .await
}

async fn retry(tx: &mut PgConnection, results: &[SendResultRow], offset: i64) -> Result<u64> {
    const SQL: &str = "UPDATE delivery d
        SET due_at = now_ms() + $5 + row.wait, position = d.position + row.step, attempts = row.attempts,
            recorded_claim = row.claim, lease_until = 0
        FROM unnest($1::uuid[], $2::integer[], $3::bigint[], $4::integer[], $6::integer[])
            AS row (id, claim, wait, attempts, step)
        WHERE d.id = ANY($1) AND d.id = row.id AND d.claim = row.claim AND d.recorded_claim < row.claim";
    let rows: Vec<_> = results.iter().filter_map(|result| Some((result, result.retry_in()?))).collect();
    if rows.is_empty() {
        return Ok(0);
    }
    let query = sqlx::query(SQL)
        .bind(column(&rows, |(result, _)| result.delivery.id))
        .bind(column(&rows, |(result, _)| result.delivery.claim))
        .bind(column(&rows, |(_, wait)| millis(*wait)))
        .bind(column(&rows, |(result, _)| result.attempts()))
        .bind(offset)
        .bind(column(&rows, |(result, _)| result.step()));
    Ok(query.execute(tx).await?.rows_affected())
}

async fn log_failures(tx: &mut PgConnection, results: &[SendResultRow], offset: i64) -> Result<()> {
    const SQL: &str = "INSERT INTO error_log
            (id, user_id, kind, subject_id, message, attempt, next_retry_at, created_at)
        SELECT id, user_id, 'delivery', subject_id, message, attempt, now_ms() + $1 + wait, now_ms() + $1
        FROM unnest($2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::integer[], $7::bigint[])
             AS row (id, user_id, subject_id, message, attempt, wait)
        ON CONFLICT DO NOTHING";
    let rows: Vec<_> = results.iter().filter_map(|result| Some((result, result.failure()?))).collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(SQL)
        .bind(offset)
        .bind(column(&rows, |(result, _)| result.log_id()))
        .bind(column(&rows, |(result, _)| result.delivery.user_id))
        .bind(column(&rows, |(result, _)| result.delivery.id))
        .bind(column(&rows, |(_, message)| message.as_str()))
        .bind(column(&rows, |(result, _)| result.attempts()))
        .bind(column(&rows, |(result, _)| result.retry_in().map(millis)))
        .execute(tx)
        .await
        .map(drop)
}
