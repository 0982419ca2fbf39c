//! The same on SQLite, by the one connection that writes.

use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::{End, Pick, log_ids, picks::WHOLE_SCHEDULE_PASSED, statement};
use crate::finished_delivery::columns::columns;

pub(super) async fn pick(
    tx: &mut SqliteConnection,
    pick: Pick<'_>,
    now: i64,
    most: i64,
) -> Result<Vec<Uuid>> {
    let (sql, binds) = match statement(pick, now) {
        Ok(statement) => statement,
        Err(lanes) => return schedule_over(tx, lanes, now, most).await,
    };
    let query = binds.iter().fold(sqlx::query_scalar(sql), |query, bind| query.bind(*bind));
    query.bind(most).fetch_all(tx).await
}

async fn schedule_over(
    tx: &mut SqliteConnection,
    lanes: &[(Uuid, i64)],
    now: i64,
    most: i64,
) -> Result<Vec<Uuid>> {
    let mut pick = QueryBuilder::<Sqlite>::new("WITH down (lane_id, cutoff) AS (");
    pick.push_values(lanes, |mut values, (lane, cutoff)| {
        values.push_bind(*lane).push_bind(*cutoff);
    });
    pick.push(
        ") SELECT d.id FROM down JOIN lane l ON l.id = down.lane_id JOIN delivery d ON d.lane_id = l.id",
    );
    pick.push(WHOLE_SCHEDULE_PASSED).push("d.due_at <= ").push_bind(now);
    pick.push(" AND d.lease_until <= ").push_bind(now).push(" LIMIT ").push_bind(most);
    pick.build_query_scalar().fetch_all(tx).await
}

pub(super) async fn end(tx: &mut SqliteConnection, ids: &[Uuid], end: End, now: i64) -> Result<Vec<String>> {
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
    insert.push(concat!("INSERT INTO finished_delivery (", columns!(), ") "));
    insert.push("SELECT d.id, event_id, user_id, lane_id, channel, recipient_id, body, ");
    insert.push_bind(end.state.as_str()).push(", ").push_bind(end.reason.as_str());
    insert.push(", position, attempts, claim, created_at, ").push_bind(now);
    insert.push(" FROM row JOIN delivery d ON d.id = row.id RETURNING channel");
    let channels = insert.build_query_scalar().fetch_all(&mut *tx).await?;
    let mut delete = with_rows();
    delete.push("DELETE FROM delivery WHERE id IN (SELECT id FROM row)");
    delete.build().execute(tx).await?;
    Ok(channels)
}
