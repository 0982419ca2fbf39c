//! Records on SQLite: rows as `VALUES`, in chunks below the limit of bound values.

use std::collections::HashSet;

use domain::clock::millis;
use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::{
    lanes, lanes_sqlite,
    postgres::log_id,
    recipients,
    rows::{AttemptRow, Ended, micros},
    write::Moved,
};

/// Rows a statement: with fifteen columns far below SQLite's 32,766 bound values.
const ROWS: usize = 500;
/// The fence.
const MATCHES: &str =
    " WHERE delivery.id = row.id AND delivery.claim = row.claim AND delivery.recorded_claim < row.claim";

/// Writes all of it; the caller commits.
pub(super) async fn record(tx: &mut SqliteConnection, ended: &[Ended], now: i64) -> Result<Moved> {
    let mut moved = Moved::default();
    for ended in ended.chunks(ROWS) {
        let new = insert_attempts(tx, ended).await?;
        moved.finished += finish(tx, ended, now).await?;
        moved.retried += retry(tx, ended, now).await?;
        log_failures(tx, ended, now).await?;
        recipients::on_sqlite(tx, ended, now).await?;
        moved.closed |= lanes_sqlite::fold(tx, &lanes::sends(ended, &new), now).await?;
    }
    Ok(moved)
}

/// Returns those that were not written before.
async fn insert_attempts(tx: &mut SqliteConnection, ended: &[Ended]) -> Result<HashSet<Uuid>> {
    let rows: Vec<(&Ended, &AttemptRow)> =
        ended.iter().filter_map(|ended| Some((ended, ended.attempt.as_ref()?))).collect();
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT OR IGNORE INTO attempt (id, delivery_id, number, claim, started_at, duration_us, resolve_us,
        connect_us, first_byte_us, status_code, error_class, error, request_headers, response_headers, response_body) ",
    );
    insert.push_values(&rows, |mut values, (ended, attempt)| {
        values
            .push_bind(attempt.id.0)
            .push_bind(ended.delivery.id().0)
            .push_bind(attempt.number)
            .push_bind(ended.delivery.claim)
            .push_bind(attempt.started_at.0)
            .push_bind(micros(attempt.duration))
            .push_bind(attempt.resolve.map(micros))
            .push_bind(attempt.connect.map(micros))
            .push_bind(attempt.first_byte.map(micros))
            .push_bind(attempt.status_code.map(i32::from))
            .push_bind(attempt.error_class)
            .push_bind(attempt.error.as_deref())
            .push_bind(attempt.request_headers.as_str())
            .push_bind(attempt.response_headers.as_deref())
            .push_bind(attempt.response_body.as_slice());
    });
    insert.push(" RETURNING id");
    let new: Vec<Uuid> = insert.build_query_scalar().fetch_all(tx).await?;
    Ok(new.into_iter().collect())
}

async fn finish(tx: &mut SqliteConnection, ended: &[Ended], now: i64) -> Result<u64> {
    let rows: Vec<_> = ended.iter().filter_map(|ended| Some((ended, ended.finished()?))).collect();
    if rows.is_empty() {
        return Ok(0);
    }
    let with_rows = || {
        let mut query = QueryBuilder::<Sqlite>::new("WITH row (id, claim, state, reason, attempts) AS (");
        query.push_values(&rows, |mut values, (ended, (state, reason))| {
            values
                .push_bind(ended.delivery.id().0)
                .push_bind(ended.delivery.claim)
                .push_bind(state.as_str())
                .push_bind(reason.map(|reason| reason.as_str()))
                .push_bind(ended.attempts());
        });
        query.push(") ");
        query
    };
    let mut insert = with_rows();
    insert.push(
        "INSERT INTO finished_delivery (id, event_id, user_id, lane_id, channel, recipient_id, body, state, reason,
            position, attempts, claim, created_at, finished_at)
        SELECT delivery.id, event_id, user_id, lane_id, channel, recipient_id, body, row.state, row.reason,
            position, row.attempts, delivery.claim, created_at, ",
    );
    insert.push_bind(now).push(" FROM row JOIN delivery").push(MATCHES.replacen("WHERE", "ON", 1));
    let moved = insert.build().execute(&mut *tx).await?.rows_affected();
    let mut delete = with_rows();
    delete.push("DELETE FROM delivery WHERE EXISTS (SELECT 1 FROM row").push(MATCHES).push(")");
    delete.push(" AND id IN (SELECT id FROM row)");
    delete.build().execute(tx).await?;
    Ok(moved)
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
    update.push(MATCHES);
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
