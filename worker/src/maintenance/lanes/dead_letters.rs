//! Ends deliveries that were not sent: a batch is picked, locked and moved in one transaction.
//! Never touches one with a live lease: its request may be on the wire.

use domain::{
    delivery::{DeadReason, DeliveryState},
    id::ErrorId,
};
use platform::{
    context::Context,
    database::{DatabaseError, Tx, within_deadline},
    telemetry::names,
};
use sqlx::{AssertSqlSafe, PgConnection, QueryBuilder, Result, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::{BATCH, BATCHES};

/// How deliveries end.
#[derive(Clone, Copy)]
pub(super) struct End {
    pub(super) state: DeliveryState,
    pub(super) reason: DeadReason,
    /// Their line in the error log; none: no line.
    pub(super) message: Option<&'static str>,
}

/// Ends all that `sql` picks, one batch after the other; returns how many. Both databases read `sql`: it names the
/// delivery `d` and its binds are `binds`, then the size of a batch.
pub(super) async fn all(
    context: &Context,
    sql: &'static str,
    binds: &[i64],
    end: End,
    now: i64,
) -> Result<u64, DatabaseError> {
    let mut ended = 0;
    for _ in 0..BATCHES {
        let (moved, more) = within_deadline(batch(context, sql, binds, end, now)).await?;
        ended += moved;
        if !more {
            break;
        }
    }
    Ok(ended)
}

async fn batch(
    context: &Context,
    sql: &'static str,
    binds: &[i64],
    end: End,
    now: i64,
) -> Result<(u64, bool), DatabaseError> {
    let mut tx = context.database.begin().await?;
    let ids: Vec<Uuid> = match &mut tx {
        Tx::Postgres(tx) => {
            let sql = AssertSqlSafe(format!("{sql} FOR UPDATE OF d SKIP LOCKED"));
            let query = binds.iter().fold(sqlx::query_scalar(sql), |query, bind| query.bind(*bind));
            query.bind(BATCH).fetch_all(&mut **tx).await?
        }
        Tx::Sqlite(tx) => {
            let query = binds.iter().fold(sqlx::query_scalar(sql), |query, bind| query.bind(*bind));
            query.bind(BATCH).fetch_all(&mut **tx).await?
        }
    };
    let moved = picked(tx, &ids, end, now).await?;
    Ok((moved, i64::try_from(ids.len()).is_ok_and(|picked| picked >= BATCH)))
}

/// Ends deliveries that the transaction has locked, and commits.
pub(super) async fn picked(mut tx: Tx, ids: &[Uuid], end: End, now: i64) -> Result<u64, DatabaseError> {
    if ids.is_empty() {
        return Ok(0);
    }
    let channels = match &mut tx {
        Tx::Postgres(tx) => postgres(tx, ids, end, now).await?,
        Tx::Sqlite(tx) => sqlite(tx, ids, end, now).await?,
    };
    tx.commit().await?;
    let moved = channels.len() as u64;
    for channel in channels {
        metrics::counter!(names::DELIVERIES_FINISHED, "state" => end.state.as_str(), "channel" => channel)
            .increment(1);
    }
    Ok(moved)
}

async fn postgres(tx: &mut PgConnection, ids: &[Uuid], end: End, now: i64) -> Result<Vec<String>> {
    const SQL: &str = "WITH gone AS (
            DELETE FROM delivery d USING unnest($1::uuid[], $2::uuid[]) AS row (id, log_id)
            WHERE d.id = ANY($1) AND d.id = row.id RETURNING d.*, row.log_id
        ), logged AS (
            INSERT INTO error_log (id, user_id, kind, subject_id, message, attempt, created_at)
            SELECT log_id, user_id, 'delivery', id, $5, attempts, $6 FROM gone WHERE $5 IS NOT NULL
        )
        INSERT INTO finished_delivery (id, event_id, user_id, lane_id, channel, recipient_id, body, state, reason,
            position, attempts, claim, created_at, finished_at)
        SELECT id, event_id, user_id, lane_id, channel, recipient_id, body, $3, $4,
            position, attempts, claim, created_at, $6 FROM gone
        RETURNING channel";
    sqlx::query_scalar(SQL)
        .bind(ids)
        .bind(log_ids(ids))
        .bind(end.state.as_str())
        .bind(end.reason.as_str())
        .bind(end.message)
        .bind(now)
        .fetch_all(tx)
        .await
}

async fn sqlite(tx: &mut SqliteConnection, ids: &[Uuid], end: End, now: i64) -> Result<Vec<String>> {
    let with_rows = || {
        let mut query = QueryBuilder::<Sqlite>::new("WITH row (id, log_id) AS (");
        query.push_values(ids.iter().zip(log_ids(ids)), |mut values, (id, log_id)| {
            values.push_bind(*id).push_bind(log_id);
        });
        query.push(") ");
        query
    };
    if let Some(message) = end.message {
        let mut log = with_rows();
        log.push("INSERT INTO error_log (id, user_id, kind, subject_id, message, attempt, created_at) SELECT row.log_id, d.user_id, 'delivery', d.id, ");
        log.push_bind(message).push(", d.attempts, ").push_bind(now);
        log.push(" FROM row JOIN delivery d ON d.id = row.id");
        log.build().execute(&mut *tx).await?;
    }
    let mut insert = with_rows();
    insert.push(
        "INSERT INTO finished_delivery (id, event_id, user_id, lane_id, channel, recipient_id, body, state, reason,
            position, attempts, claim, created_at, finished_at)
        SELECT d.id, event_id, user_id, lane_id, channel, recipient_id, body, ",
    );
    insert.push_bind(end.state.as_str()).push(", ").push_bind(end.reason.as_str());
    insert.push(", position, attempts, claim, created_at, ").push_bind(now);
    insert.push(" FROM row JOIN delivery d ON d.id = row.id RETURNING channel");
    let channels = insert.build_query_scalar().fetch_all(&mut *tx).await?;
    let mut delete = with_rows();
    delete.push("DELETE FROM delivery WHERE id IN (SELECT id FROM row)");
    delete.build().execute(tx).await?;
    Ok(channels)
}

fn log_ids(ids: &[Uuid]) -> Vec<Uuid> {
    ids.iter().map(|_| ErrorId::new().0).collect()
}
