//! Looks on SQLite, by the one connection that writes.

use entity::bulk::sqlite::push_list;
use sqlx::{QueryBuilder, Result, Sqlite, SqlitePool};
use uuid::Uuid;

use super::look::{BACKLOG_MS, Found, LANES, Look, ROWS_OF_A_LANE};

const LANES_IN_TURN: &str = "WITH RECURSIVE passed (lane_id, n) AS (
        SELECT * FROM (SELECT lane_id, 1 FROM delivery WHERE lane_id > ?1 ORDER BY lane_id LIMIT 1)
        UNION ALL
        SELECT (SELECT d.lane_id FROM delivery d WHERE d.lane_id > passed.lane_id ORDER BY d.lane_id LIMIT 1), n + 1
        FROM passed WHERE passed.lane_id IS NOT NULL AND n < ?2
    )
    SELECT passed.lane_id, coalesce(l.state = 'active' AND l.blocked_until <= ?3, true) AND EXISTS
        (SELECT 1 FROM delivery d WHERE d.lane_id = passed.lane_id AND d.due_at <= ?3) AS open
    FROM passed LEFT JOIN lane l ON l.id = passed.lane_id
    WHERE passed.lane_id IS NOT NULL ORDER BY passed.lane_id";

pub(super) async fn deliveries(
    pool: &SqlitePool,
    after: Uuid,
    room: i64,
    now: i64,
    trusted: i64,
) -> Result<Look> {
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    let passed: Vec<(Uuid, bool)> =
        sqlx::query_as(LANES_IN_TURN).bind(after).bind(LANES).bind(now).fetch_all(&mut *tx).await?;
    let open: Vec<Uuid> = passed.iter().filter(|(_, open)| *open).map(|(lane, _)| *lane).collect();
    let lanes: Vec<Uuid> = passed.into_iter().map(|(lane, _)| lane).collect();
    if open.is_empty() {
        return Ok(Look::of(&lanes, vec![], room));
    }
    let found: Vec<Found> = due_of(&open, room, now).build_query_as().fetch_all(&mut *tx).await?;
    if !found.is_empty() {
        mark(&found, now + trusted).build().execute(&mut *tx).await?;
        note_backlogs(&open, &found, now).build().execute(&mut *tx).await?;
        tx.commit().await?;
    }
    Ok(Look::of(&lanes, found, room))
}

pub(super) async fn uploads(pool: &SqlitePool, room: i64, now: i64, trusted: i64) -> Result<Vec<Found>> {
    const SQL: &str = "UPDATE upload SET hinted_until = ?1 + ?2 WHERE id IN (
            SELECT id FROM upload
            WHERE state = 'received' AND due_at <= ?1 AND hinted_until <= ?1 AND lease_until <= ?1
            ORDER BY due_at, id LIMIT ?3)
        RETURNING id, endpoint_id AS lane_id, lease_until > 0 AS rescued";
    sqlx::query_as(SQL).bind(now).bind(trusted).bind(room).fetch_all(pool).await
}

/// The oldest due rows of each lane, one index range a lane.
fn due_of(lanes: &[Uuid], room: i64, now: i64) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT id, lane_id, rescued FROM (");
    for (place, lane) in lanes.iter().enumerate() {
        query.push(if place == 0 { "" } else { " UNION ALL " });
        query.push(
            "SELECT * FROM (SELECT id, lane_id, hinted_until > 0 OR lease_until > 0 AS rescued FROM delivery",
        );
        query.push(" WHERE lane_id = ").push_bind(*lane).push(" AND due_at <= ").push_bind(now);
        query.push(" AND hinted_until <= ").push_bind(now).push(" AND lease_until <= ").push_bind(now);
        query.push(" ORDER BY due_at, id LIMIT ").push_bind(ROWS_OF_A_LANE).push(")");
    }
    query.push(") LIMIT ").push_bind(room);
    query
}

fn mark(found: &[Found], until: i64) -> QueryBuilder<Sqlite> {
    let ids: Vec<Uuid> = found.iter().map(|found| found.id).collect();
    let mut update = QueryBuilder::new("UPDATE delivery SET hinted_until = ");
    update.push_bind(until).push(" WHERE id IN ");
    push_list(&mut update, &ids);
    update
}

fn note_backlogs(lanes: &[Uuid], found: &[Found], now: i64) -> QueryBuilder<Sqlite> {
    let is_full =
        |lane: &&Uuid| found.iter().filter(|found| found.lane_id == **lane).count() as i64 == ROWS_OF_A_LANE;
    let full: Vec<Uuid> = lanes.iter().filter(is_full).copied().collect();
    let mut update = QueryBuilder::new("UPDATE lane SET backlog_until = ");
    update.push_bind(now + BACKLOG_MS).push(" WHERE id IN ");
    push_list(&mut update, &full);
    update
}
