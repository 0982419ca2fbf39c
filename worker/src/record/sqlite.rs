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
    rows::{Ended, Tried, micros},
    write::Moved,
};

/// The fence.
const MATCHES: &str =
    "delivery.id = row.id AND delivery.claim = row.claim AND delivery.recorded_claim < row.claim";

/// Writes all of it; the caller commits.
pub(super) async fn record(tx: &mut SqliteConnection, ended: &[Ended], now: i64) -> Result<Moved> {
    let new = insert_attempts(tx, ended).await?;
    let finished = finish(tx, ended, now).await?;
    let retried = retry(tx, ended, now).await?;
    log_failures(tx, ended, now).await?;
    recipients::on_sqlite(tx, ended, now).await?;
    let closed = lanes_sqlite::fold(tx, &lanes::sends(ended, &new), now).await?;
    Ok(Moved { finished, retried, closed })
}

/// Returns those that were not written before.
async fn insert_attempts(tx: &mut SqliteConnection, ended: &[Ended]) -> Result<HashSet<Uuid>> {
    let rows: Vec<Tried<'_>> =
        ended.iter().filter_map(|ended| Some((ended, ended.attempt.as_ref()?))).collect();
    let mut new = HashSet::with_capacity(rows.len());
    for rows in rows.chunks(ROWS) {
        let mut insert = QueryBuilder::new("");
        push_attempts(&mut insert, rows);
        insert.push(" RETURNING id");
        new.extend(insert.build_query_scalar::<Uuid>().fetch_all(&mut *tx).await?);
    }
    Ok(new)
}

/// Pushes the insert of at most [`ROWS`] attempts; further conditions may follow. One that was written before is left as it
/// is.
pub(super) fn push_attempts(insert: &mut QueryBuilder<Sqlite>, rows: &[Tried<'_>]) {
    insert.push(
        "INSERT OR IGNORE INTO attempt (id, delivery_id, number, claim, started_at, duration_us, resolve_us,
        connect_us, first_byte_us, status_code, error_class, error, request_headers, response_headers, response_body) ",
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
            .push_bind(attempt.and_then(|attempt| attempt.status_code.map(i32::from)))
            .push_bind(attempt.and_then(|attempt| attempt.error_class))
            .push_bind(attempt.and_then(|attempt| attempt.error.as_deref()))
            .push_bind(attempt.map(|attempt| attempt.request_headers.as_str()))
            .push_bind(attempt.and_then(|attempt| attempt.response_headers.as_deref()))
            .push_bind(attempt.map(|attempt| attempt.response_body.as_slice()));
    });
}

/// A delivery that has ended, and how.
type Finished<'e> = (&'e Ended, (DeliveryState, Option<DeadReason>));

async fn finish(tx: &mut SqliteConnection, ended: &[Ended], now: i64) -> Result<u64> {
    let rows: Vec<Finished<'_>> = ended.iter().filter_map(|ended| Some((ended, ended.finished()?))).collect();
    let mut moved = 0;
    for rows in rows.chunks(ROWS) {
        let gone = copy(rows, now).build_query_scalar::<Uuid>().fetch_all(&mut *tx).await?;
        let mut delete = QueryBuilder::<Sqlite>::new("DELETE FROM delivery WHERE id IN ");
        push_list(&mut delete, &gone);
        moved += delete.build().execute(&mut *tx).await?.rows_affected();
    }
    Ok(moved)
}

/// Inserts those that the fence lets pass, and tells which.
fn copy<'e>(rows: &'e [Finished<'e>], now: i64) -> QueryBuilder<Sqlite> {
    let mut copy = QueryBuilder::<Sqlite>::new("WITH row (id, claim, state, reason, attempts) AS (");
    push_rows(&mut copy, rows, |mut values, row| {
        values
            .push_bind(row.map(|(ended, _)| ended.delivery.id().0))
            .push_bind(row.map(|(ended, _)| ended.delivery.claim))
            .push_bind(row.map(|(_, (state, _))| state.as_str()))
            .push_bind(row.and_then(|(_, (_, reason))| reason.map(|reason| reason.as_str())))
            .push_bind(row.map(|(ended, _)| ended.attempts()));
    });
    copy.push(
        ") INSERT INTO finished_delivery (id, event_id, user_id, lane_id, channel, recipient_id, body, state, reason,
            position, attempts, claim, created_at, finished_at)
        SELECT delivery.id, event_id, user_id, lane_id, channel, recipient_id, body, row.state, row.reason,
            position, row.attempts, delivery.claim, created_at, ",
    );
    copy.push_bind(now).push(" FROM row JOIN delivery ON ").push(MATCHES).push(" RETURNING id");
    copy
}

async fn retry(tx: &mut SqliteConnection, ended: &[Ended], now: i64) -> Result<u64> {
    let rows: Vec<_> = ended.iter().filter_map(|ended| Some((ended, ended.retry_in()?))).collect();
    if rows.is_empty() {
        return Ok(0);
    }
    let mut update = QueryBuilder::<Sqlite>::new("WITH row (id, claim, due_at, attempts) AS (");
    update.push_values(&rows, |mut values, (ended, wait)| {
        values
            .push_bind(ended.delivery.id().0)
            .push_bind(ended.delivery.claim)
            .push_bind(now.saturating_add(millis(*wait)))
            .push_bind(ended.attempts());
    });
    update.push(
        ") UPDATE delivery SET due_at = row.due_at, position = delivery.position + 1, attempts = row.attempts,
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
