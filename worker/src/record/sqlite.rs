//! Records on SQLite, whatever the sends came to: rows as `VALUES`, in statements of few different lengths.

use std::collections::HashSet;

use domain::{
    clock::millis,
    delivery::{DeadReason, DeliveryState},
};
use entity::bulk::sqlite::{ROWS, push_list, push_rows};
use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::{
    lanes, lanes_sqlite,
    postgres::log_id,
    recipients,
    rows::{AttemptRow, Ended, Tried, kept_with, micros},
    write::Moved,
};

/// The fence.
const MATCHES: &str =
    "delivery.id = row.id AND delivery.claim = row.claim AND delivery.recorded_claim < row.claim";

/// Writes all of it; the caller commits.
pub(super) async fn record(tx: &mut SqliteConnection, ended: &[Ended], now: i64) -> Result<Moved> {
    let finished = finish(tx, ended, now).await?;
    let mut new = insert_attempts(tx, ended).await?;
    new.extend(kept_with(ended, &finished));
    let retried = retry(tx, ended, now).await?;
    log_failures(tx, ended, now).await?;
    recipients::on_sqlite(tx, ended, now).await?;
    let lanes = lanes_sqlite::fold(tx, &lanes::sends(ended, &new), now).await?;
    Ok(Moved { finished: finished.len() as u64, retried, lanes })
}

/// Inserts the attempts that are not kept with a finished delivery; returns those that were not written before.
async fn insert_attempts(tx: &mut SqliteConnection, ended: &[Ended]) -> Result<HashSet<Uuid>> {
    let rows: Vec<Tried<'_>> =
        ended.iter().filter_map(|ended| Some((ended, ended.attempt.as_ref()?))).collect();
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
            .push_bind(row.map(|(ended, _)| ended.delivery.id().0))
            .push_bind(attempt.map(|attempt| attempt.number))
            .push_bind(row.map(|(ended, _)| ended.delivery.claim))
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
            .push_bind(row.map(|(ended, _)| ended.is_kept_with_finished()));
    });
    insert.push(
        ") WHERE NOT column16 OR NOT EXISTS (SELECT 1 FROM finished_delivery f
            WHERE f.id = column2 AND f.claim = column4 AND f.started_at IS NOT NULL)
        RETURNING id",
    );
}

/// A delivery that has ended, and how.
type Finished<'e> = (&'e Ended, (DeliveryState, Option<DeadReason>));

/// Moves what has ended, the attempt of a first success with it; returns the ids of the deliveries that were moved.
async fn finish(tx: &mut SqliteConnection, ended: &[Ended], now: i64) -> Result<Vec<Uuid>> {
    let rows: Vec<Finished<'_>> = ended.iter().filter_map(|ended| Some((ended, ended.finished()?))).collect();
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
pub(super) fn push_finish<'e>(copy: &mut QueryBuilder<Sqlite>, rows: &'e [Finished<'e>], now: i64) {
    copy.push(
        "INSERT INTO finished_delivery (id, event_id, user_id, lane_id, channel, recipient_id, body, state, reason,
            position, attempts, claim, created_at, finished_at, started_at, duration_us, resolve_us, connect_us,
            first_byte_us, status_code, request_headers, response_headers, response_body)
        SELECT delivery.id, event_id, user_id, lane_id, channel, recipient_id, body, column3, column4,
            position, column5, delivery.claim, created_at, ",
    );
    copy.push_bind(now).push(
        ", column6, column7, column8, column9, column10, column11, column12, column13, column14 FROM (",
    );
    push_rows(copy, rows, |mut values, row| {
        let attempt = row.and_then(|(ended, _)| ended.kept_attempt());
        values
            .push_bind(row.map(|(ended, _)| ended.delivery.id().0))
            .push_bind(row.map(|(ended, _)| ended.delivery.claim))
            .push_bind(row.map(|(_, (state, _))| state.as_str()))
            .push_bind(row.and_then(|(_, (_, reason))| reason.map(|reason| reason.as_str())))
            .push_bind(row.map(|(ended, _)| ended.attempts()))
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

async fn retry(tx: &mut SqliteConnection, ended: &[Ended], now: i64) -> Result<u64> {
    let rows: Vec<_> = ended.iter().filter_map(|ended| Some((ended, ended.retry_in()?))).collect();
    if rows.is_empty() {
        return Ok(0);
    }
    let mut update = QueryBuilder::<Sqlite>::new("WITH row (id, claim, due_at, attempts, step) AS (");
    update.push_values(&rows, |mut values, (ended, wait)| {
        values
            .push_bind(ended.delivery.id().0)
            .push_bind(ended.delivery.claim)
            .push_bind(now.saturating_add(millis(*wait)))
            .push_bind(ended.attempts())
            .push_bind(ended.step());
    });
    update.push(
        ") UPDATE delivery SET due_at = row.due_at, position = delivery.position + row.step, attempts = row.attempts,
            recorded_claim = row.claim, lease_until = 0 FROM row",
    );
    update.push(" WHERE ").push(MATCHES);
    Ok(update.build().execute(tx).await?.rows_affected())
}

async fn log_failures(tx: &mut SqliteConnection, ended: &[Ended], now: i64) -> Result<()> {
    let rows: Vec<_> = ended.iter().filter_map(|ended| Some((ended, ended.failure()?))).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT OR IGNORE INTO error_log (id, user_id, kind, subject_id, message, attempt, next_retry_at, created_at) ",
    );
    insert.push_values(rows, |mut values, (ended, message)| {
        values
            .push_bind(log_id(ended))
            .push_bind(ended.delivery.user_id)
            .push_bind("delivery")
            .push_bind(ended.delivery.id().0)
            .push_bind(message)
            .push_bind(ended.attempts())
            .push_bind(ended.retry_in().map(|wait| now.saturating_add(millis(wait))))
            .push_bind(now);
    });
    insert.build().execute(tx).await.map(drop)
}
