//! Records on SQLite, whatever the sends came to: rows as `VALUES`, in statements of few different lengths.

use std::collections::HashSet;

use domain::{
    clock::millis,
    delivery::{DeadReason, DeliveryState},
};
use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::{
    Recorded, SendResultRow, recipients,
    rows::{AttemptRow, Tried, micros},
};
use crate::{
    finished_delivery::columns::{attempt_columns, columns},
    rows::sqlite::{ROWS, push_list, push_rows},
};

/// The fence.
const MATCHES: &str =
    "delivery.id = row.id AND delivery.claim = row.claim AND delivery.recorded_claim < row.claim";

pub(super) async fn record(
    tx: &mut SqliteConnection,
    results: &[SendResultRow],
    now: i64,
) -> Result<Recorded> {
    let finished = finish(tx, results, now).await?;
    let new_attempts = insert_attempts(tx, results).await?;
    let retried = retry(tx, results, now).await?;
    log_failures(tx, results, now).await?;
    recipients::update_on_sqlite(tx, results, now).await?;
    Ok(Recorded { finished, retried, new_attempts })
}

/// Inserts the attempts that are not kept with a finished delivery; returns those that were not written before.
async fn insert_attempts(tx: &mut SqliteConnection, results: &[SendResultRow]) -> Result<HashSet<Uuid>> {
    let rows: Vec<Tried<'_>> =
        results.iter().filter_map(|result| Some((result, result.attempt.as_ref()?))).collect();
    let mut new = HashSet::with_capacity(rows.len());
    for rows in rows.chunks(ROWS) {
        let mut insert = QueryBuilder::new("");
        push_attempts(&mut insert, rows);
        new.extend(insert.build_query_scalar::<Uuid>().fetch_all(&mut *tx).await?);
    }
    Ok(new)
}

fn push_attempts(insert: &mut QueryBuilder<Sqlite>, rows: &[Tried<'_>]) {
    insert.push(
        "INSERT OR IGNORE INTO attempt (id, delivery_id, number, claim, started_at, duration_us, resolve_us,
        connect_us, first_byte_us, status_code, error_class, error, request_headers, response_headers, response_body)
        SELECT column1, column2, column3, column4, column5, column6, column7, column8, column9, column10, column11,
            column12, column13, column14, column15 FROM (",
    );
    push_rows(insert, rows, |mut values, row| {
        let attempt = row.map(|(_, attempt)| *attempt);
        values
            .push_bind(attempt.map(|attempt| attempt.id.0))
            .push_bind(row.map(|(result, _)| result.delivery.id))
            .push_bind(attempt.map(|attempt| attempt.number))
            .push_bind(row.map(|(result, _)| result.delivery.claim))
            .push_bind(attempt.map(|attempt| attempt.started_at.0))
            .push_bind(attempt.map(|attempt| micros(attempt.duration)))
            .push_bind(attempt.and_then(|attempt| attempt.resolve.map(micros)))
            .push_bind(attempt.and_then(|attempt| attempt.connect.map(micros)))
            .push_bind(attempt.and_then(|attempt| attempt.first_byte.map(micros)))
            .push_bind(attempt.and_then(AttemptRow::status))
            .push_bind(attempt.and_then(|attempt| attempt.error_class))
            .push_bind(attempt.and_then(|attempt| attempt.error.as_deref()))
            .push_bind(attempt.map(|attempt| attempt.request_headers.as_str()))
            .push_bind(attempt.and_then(|attempt| attempt.response_headers.as_deref()))
            .push_bind(attempt.map(|attempt| attempt.response_body.as_slice()))
            .push_bind(row.map(|(result, _)| result.is_kept_with_finished()));
    });
    insert.push(
        ") WHERE NOT column16 OR NOT EXISTS (SELECT 1 FROM finished_delivery f
            WHERE f.id = column2 AND f.claim = column4 AND f.started_at IS NOT NULL)
        RETURNING id",
    );
}

/// A delivery that has ended, and how.
pub(super) type Finished<'r> = (&'r SendResultRow, (DeliveryState, Option<DeadReason>));

/// Moves what has ended, the attempt of a first success with it; returns the ids of the deliveries that were moved.
async fn finish(tx: &mut SqliteConnection, results: &[SendResultRow], now: i64) -> Result<Vec<Uuid>> {
    let rows: Vec<Finished<'_>> =
        results.iter().filter_map(|result| Some((result, result.finished()?))).collect();
    let mut moved = vec![];
    for rows in rows.chunks(ROWS) {
        let mut copy = QueryBuilder::new("");
        push_finish(&mut copy, rows, now);
        copy.push(" RETURNING id");
        let gone = copy.build_query_scalar::<Uuid>().fetch_all(&mut *tx).await?;
        let mut delete = QueryBuilder::<Sqlite>::new("DELETE FROM delivery WHERE id IN ");
        push_list(&mut delete, &gone);
        delete.build().execute(&mut *tx).await?;
        moved.extend(gone);
    }
    Ok(moved)
}

/// Pushes the insert of those finished deliveries that the fence lets pass, at most [`ROWS`]; further conditions may follow.
pub(super) fn push_finish<'r>(copy: &mut QueryBuilder<Sqlite>, rows: &'r [Finished<'r>], now: i64) {
    copy.push(concat!("INSERT INTO finished_delivery (", columns!(), ", ", attempt_columns!(), ") "));
    copy.push(
        "SELECT delivery.id, event_id, user_id, lane_id, channel, recipient_id, body, column3, column4,
            position, column5, delivery.claim, created_at, ",
    );
    copy.push_bind(now).push(
        ", column6, column7, column8, column9, column10, column11, column12, column13, column14 FROM (",
    );
    push_rows(copy, rows, |mut values, row| {
        let attempt = row.and_then(|(result, _)| result.kept_attempt());
        values
            .push_bind(row.map(|(result, _)| result.delivery.id))
            .push_bind(row.map(|(result, _)| result.delivery.claim))
            .push_bind(row.map(|(_, (state, _))| state.as_str()))
            .push_bind(row.and_then(|(_, (_, reason))| reason.map(|reason| reason.as_str())))
            .push_bind(row.map(|(result, _)| result.attempts()))
            .push_bind(attempt.map(|attempt| attempt.started_at.0))
            .push_bind(attempt.map(|attempt| micros(attempt.duration)))
            .push_bind(attempt.and_then(|attempt| attempt.resolve.map(micros)))
            .push_bind(attempt.and_then(|attempt| attempt.connect.map(micros)))
            .push_bind(attempt.and_then(|attempt| attempt.first_byte.map(micros)))
            .push_bind(attempt.and_then(AttemptRow::status))
            .push_bind(attempt.map(|attempt| attempt.request_headers.as_str()))
            .push_bind(attempt.and_then(|attempt| attempt.response_headers.as_deref()))
            .push_bind(attempt.map(|attempt| attempt.response_body.as_slice()));
    });
    copy.push(
        ") CROSS JOIN delivery ON delivery.id = column1 AND delivery.claim = column2
            AND delivery.recorded_claim < column2",
    );
}

async fn retry(tx: &mut SqliteConnection, results: &[SendResultRow], now: i64) -> Result<u64> {
    let rows: Vec<_> = results.iter().filter_map(|result| Some((result, result.retry_in()?))).collect();
    if rows.is_empty() {
        return Ok(0);
    }
    let mut update = QueryBuilder::<Sqlite>::new("WITH row (id, claim, due_at, attempts, step) AS (");
    update.push_values(&rows, |mut values, (result, wait)| {
        values
            .push_bind(result.delivery.id)
            .push_bind(result.delivery.claim)
            .push_bind(now.saturating_add(millis(*wait)))
            .push_bind(result.attempts())
            .push_bind(result.step());
    });
    update.push(
        ") UPDATE delivery SET due_at = row.due_at, position = delivery.position + row.step, attempts = row.attempts,
            recorded_claim = row.claim, lease_until = 0 FROM row",
    );
    update.push(" WHERE ").push(MATCHES);
    Ok(update.build().execute(tx).await?.rows_affected())
}

async fn log_failures(tx: &mut SqliteConnection, results: &[SendResultRow], now: i64) -> Result<()> {
    let rows: Vec<_> = results.iter().filter_map(|result| Some((result, result.failure()?))).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT OR IGNORE INTO error_log (id, user_id, kind, subject_id, message, attempt, next_retry_at, created_at) ",
    );
    insert.push_values(rows, |mut values, (result, message)| {
        values
            .push_bind(result.log_id())
            .push_bind(result.delivery.user_id)
            .push_bind("delivery")
            .push_bind(result.delivery.id)
            .push_bind(message)
            .push_bind(result.attempts())
            .push_bind(result.retry_in().map(|wait| now.saturating_add(millis(wait))))
            .push_bind(now);
    });
    insert.build().execute(tx).await.map(drop)
}
