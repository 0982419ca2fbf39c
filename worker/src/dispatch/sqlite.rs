//! Looks on SQLite, by the one connection that writes.

use entity::bulk::sqlite::push_list;
use sqlx::{AssertSqlSafe, QueryBuilder, Result, Sqlite, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::{
    limited::{self, Granted},
    look::{Found, LANES, Look, Passed, Plan, Terms, Which, lanes_with_backlog},
};
use crate::claim::{Wanted, note_backlogs, push_oldest};

const LANES_IN_TURN: &str = "WITH RECURSIVE passed (lane_id, n) AS (
        SELECT * FROM (SELECT lane_id, 1 FROM delivery WHERE lane_id > ?2 ORDER BY lane_id LIMIT 1)
        UNION ALL
        SELECT (SELECT d.lane_id FROM delivery d WHERE d.lane_id > passed.lane_id ORDER BY d.lane_id LIMIT 1), n + 1
        FROM passed WHERE passed.lane_id IS NOT NULL AND n < ?3
    )";
const GATES: &str = " SELECT passed.lane_id, CASE
        WHEN l.state <> 'active' OR max(l.blocked_until, l.breaker_until) > ?1 THEN 0
        WHEN NOT EXISTS (SELECT 1 FROM delivery d WHERE d.lane_id = passed.lane_id AND d.due_at <= ?1) THEN 0
        WHEN l.id IS NULL THEN 1
        WHEN l.rate_limit IS NULL AND l.max_in_flight IS NULL AND l.breaker_until = 0 AND l.drain_before = 0 THEN 1
        ELSE 2 END AS gate
    FROM passed LEFT JOIN lane l ON l.id = passed.lane_id
    WHERE passed.lane_id IS NOT NULL ORDER BY passed.lane_id";

pub(super) async fn deliveries(
    pool: &SqlitePool,
    which: Which<'_>,
    full: &[Uuid],
    terms: Terms,
) -> Result<Look> {
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    let passed = lanes(&mut tx, which, terms.now_or_offset).await?;
    let plan = Plan::of(&passed, which, full, terms.room, rand::random());
    let found = if plan.open.is_empty() { vec![] } else { take(&mut tx, &plan, terms).await? };
    let granted =
        if plan.limited.is_empty() { Granted::default() } else { grant(&mut tx, &plan, terms).await? };
    tx.commit().await?;
    Ok(plan.end(found, granted))
}

async fn lanes(tx: &mut SqliteConnection, which: Which<'_>, now: i64) -> Result<Vec<Passed>> {
    let lanes = match which {
        Which::After(after) => {
            let query = sqlx::query_as(AssertSqlSafe([LANES_IN_TURN, GATES].concat()));
            return query.bind(now).bind(after).bind(LANES).fetch_all(tx).await;
        }
        Which::These(lanes) => &lanes[..lanes.len().min(LANES as usize)],
    };
    if lanes.is_empty() {
        return Ok(vec![]);
    }
    // Every value has its number: sqlx does not bind a plain `?` beside these where SQLite looks for it.
    let numbers: Vec<String> = (2..lanes.len() + 2).map(|number| format!("?{number}")).collect();
    let head = format!("WITH passed (lane_id) AS (SELECT id FROM lane WHERE id IN ({}))", numbers.join(", "));
    let query = sqlx::query_as(AssertSqlSafe([&head, GATES].concat())).bind(now);
    lanes.iter().fold(query, |query, lane| query.bind(*lane)).fetch_all(tx).await
}

async fn take(tx: &mut SqliteConnection, plan: &Plan, terms: Terms) -> Result<Vec<Found>> {
    let now = terms.now_or_offset;
    let found: Vec<Found> = due_of(plan, terms).build_query_as().fetch_all(&mut *tx).await?;
    if !found.is_empty() {
        mark(&found, now + terms.trusted).build().execute(&mut *tx).await?;
        note_backlogs(&lanes_with_backlog(&found), now).build().execute(&mut *tx).await?;
    }
    Ok(found)
}

async fn grant(tx: &mut SqliteConnection, plan: &Plan, terms: Terms) -> Result<Granted> {
    let bounds = limited::Bounds { room: plan.limited_room, share: terms.share, trusted: terms.trusted };
    limited::in_sqlite(tx, &plan.limited, bounds, terms.now_or_offset).await
}

pub(super) async fn uploads(pool: &SqlitePool, room: i64, now: i64, trusted: i64) -> Result<Vec<Found>> {
    const SQL: &str = "UPDATE upload SET hinted_until = ?1 + ?2 WHERE id IN (
            SELECT id FROM upload
            WHERE state = 'received' AND due_at <= ?1 AND hinted_until <= ?1 AND lease_until <= ?1
            ORDER BY due_at, id LIMIT ?3)
        RETURNING id, endpoint_id AS lane_id, lease_until > 0 AS rescued";
    sqlx::query_as(SQL).bind(now).bind(trusted).bind(room).fetch_all(pool).await
}

/// The oldest due rows of each lane, one index range a lane. Only the first rows, its share, are looked at: those under
/// way are among them.
fn due_of(plan: &Plan, terms: Terms) -> QueryBuilder<Sqlite> {
    const COLUMNS: &str = "id, lane_id, hinted_until > 0 OR lease_until > 0 AS rescued";
    let rows = usize::try_from(plan.open_rows).unwrap_or_default();
    let mut query = QueryBuilder::new("SELECT id, lane_id, rescued FROM (");
    for (place, lane) in plan.open.iter().enumerate() {
        query.push(if place == 0 { "" } else { " UNION ALL " });
        push_oldest(&mut query, COLUMNS, Wanted { lane: *lane, rows }, terms.share, terms.now_or_offset);
    }
    query.push(") LIMIT ").push_bind(plan.open_room);
    query
}

pub(super) fn mark(found: &[Found], until: i64) -> QueryBuilder<Sqlite> {
    let ids: Vec<Uuid> = found.iter().map(|found| found.id).collect();
    let mut update = QueryBuilder::new("UPDATE delivery SET hinted_until = ");
    update.push_bind(until).push(" WHERE id IN ");
    push_list(&mut update, &ids);
    update
}
