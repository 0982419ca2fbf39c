//! The same on Postgres: rows that others have locked are skipped.

use sqlx::{AssertSqlSafe, PgConnection, QueryBuilder, Result};
use uuid::Uuid;

use super::{End, Pick, log_ids, picks::WHOLE_SCHEDULE_PASSED, statement};
use crate::finished_delivery::columns::columns;

pub(super) async fn pick(tx: &mut PgConnection, pick: Pick<'_>, now: i64, most: i64) -> Result<Vec<Uuid>> {
    let (sql, binds) = match statement(pick, now) {
        Ok(statement) => statement,
        Err(lanes) => return schedule_over(tx, lanes, now, most).await,
    };
    let sql = AssertSqlSafe(format!("{sql} FOR UPDATE OF d SKIP LOCKED"));
    let query = binds.iter().fold(sqlx::query_scalar(sql), |query, bind| query.bind(*bind));
    query.bind(most).fetch_all(tx).await
}

async fn schedule_over(
    tx: &mut PgConnection,
    lanes: &[(Uuid, i64)],
    now: i64,
    most: i64,
) -> Result<Vec<Uuid>> {
    let (lanes, cutoffs): (Vec<Uuid>, Vec<i64>) = lanes.iter().copied().unzip();
    let mut pick = QueryBuilder::new("SELECT d.id FROM unnest(");
    pick.push_bind(lanes).push("::uuid[], ").push_bind(cutoffs);
    pick.push("::bigint[]) AS down (lane_id, cutoff) JOIN lane l ON l.id = down.lane_id JOIN delivery d ON d.lane_id = l.id");
    pick.push(WHOLE_SCHEDULE_PASSED).push("d.due_at <= ").push_bind(now);
    pick.push(" AND d.lease_until <= ").push_bind(now);
    pick.push(" LIMIT ").push_bind(most).push(" FOR UPDATE OF d SKIP LOCKED");
    pick.build_query_scalar().fetch_all(tx).await
}

pub(super) async fn end(tx: &mut PgConnection, ids: &[Uuid], end: End, now: i64) -> Result<Vec<String>> {
    const SQL: &str = concat!(
        "WITH gone AS (
            DELETE FROM delivery d USING unnest($1::uuid[], $2::uuid[]) AS row (id, log_id)
            WHERE d.id = ANY($1) AND d.id = row.id RETURNING d.*, row.log_id
        ), logged AS (
            INSERT INTO error_log (id, user_id, kind, subject_id, message, attempt, created_at)
            SELECT log_id, user_id, 'delivery', id, $5, attempts, $6 FROM gone WHERE $5 IS NOT NULL
        )
        INSERT INTO finished_delivery (",
        columns!(),
        ")
        SELECT id, event_id, user_id, lane_id, channel, recipient_id, body, $3, $4,
            position, attempts, claim, created_at, $6 FROM gone
        RETURNING channel"
    );
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
