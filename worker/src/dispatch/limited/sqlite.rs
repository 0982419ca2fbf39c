//! Limited lanes on SQLite, within the one transaction that writes: nobody else grants meanwhile.

use entity::bulk::sqlite::push_list;
use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::{Bounds, Change, DEPTH, Due, Granted, HINT_GRACE_MS, Lane, Range, Row, ranges, settle};

/// Grants within the caller's transaction, who commits.
pub(in super::super) async fn look(
    tx: &mut SqliteConnection,
    lanes: &[Uuid],
    bounds: Bounds,
    now: i64,
) -> Result<Granted> {
    let lanes: Vec<Lane> = read(lanes, now).build_query_as().fetch_all(&mut *tx).await?;
    if lanes.is_empty() {
        return Ok(Granted::default());
    }
    let due: Vec<Due> = count(&lanes, bounds, now).build_query_as().fetch_all(&mut *tx).await?;
    let lanes: Vec<(Lane, Due)> = lanes.into_iter().zip(due).collect();
    let ranges = ranges(&lanes, bounds);
    let rows: Vec<Row> = match ranges.is_empty() {
        true => vec![],
        false => take(&ranges, now).build_query_as().fetch_all(&mut *tx).await?,
    };
    let (changes, granted) = settle(&lanes, rows);
    if !granted.found.is_empty() {
        super::super::sqlite::mark(&granted.found, now + bounds.trusted).build().execute(&mut *tx).await?;
    }
    if !changes.is_empty() {
        change(&changes).build().execute(&mut *tx).await?;
    }
    Ok(granted)
}

fn read(lanes: &[Uuid], now: i64) -> QueryBuilder<Sqlite> {
    let mut select = QueryBuilder::new(
        "SELECT id, rate_limit, max_in_flight, breaker_until, drain_before, rate_slot_us, CAST(",
    );
    select.push_bind(now).push(
        " AS INTEGER) AS now FROM lane WHERE state = 'active' AND max(blocked_until, breaker_until) <= ",
    );
    select.push_bind(now).push(" AND id IN ");
    push_list(&mut select, lanes);
    select.push(" ORDER BY id");
    select
}

/// One row a lane, in their order.
fn count(lanes: &[Lane], bounds: Bounds, now: i64) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("");
    for (place, lane) in lanes.iter().enumerate() {
        query.push(if place == 0 { "" } else { " UNION ALL " });
        query.push("SELECT old.due AS old, old.in_use AS old_in_use, new.due AS new, new.in_use AS new_in_use FROM (");
        let depth = lane.most_in_flight(bounds.share) + DEPTH;
        count_range(&mut query, lane.id, (i64::MIN, lane.drain_before.min(now)), depth, now);
        query.push(") AS old, (");
        count_range(&mut query, lane.id, (lane.drain_before, now), depth, now);
        query.push(") AS new");
    }
    query
}

fn count_range(query: &mut QueryBuilder<Sqlite>, lane: Uuid, range: (i64, i64), depth: i64, now: i64) {
    query.push("SELECT count(*) AS due, coalesce(sum(lease_until > ").push_bind(now);
    query.push(" OR hinted_until > ").push_bind(now - HINT_GRACE_MS);
    query.push("), 0) AS in_use FROM (SELECT lease_until, hinted_until FROM delivery WHERE lane_id = ");
    query
        .push_bind(lane)
        .push(" AND due_at > ")
        .push_bind(range.0)
        .push(" AND due_at <= ")
        .push_bind(range.1);
    query.push(" ORDER BY due_at, id LIMIT ").push_bind(depth).push(")");
}

fn take(ranges: &[Range], now: i64) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("");
    for (place, range) in ranges.iter().enumerate() {
        query.push(if place == 0 { "" } else { " UNION ALL " });
        query.push("SELECT * FROM (SELECT id, lane_id, hinted_until > 0 OR lease_until > 0 AS rescued, due_at FROM delivery");
        query.push(" WHERE lane_id = ").push_bind(range.lane).push(" AND due_at > ").push_bind(range.after);
        query.push(" AND due_at <= ").push_bind(range.until.min(now));
        query
            .push(" AND hinted_until <= ")
            .push_bind(now - HINT_GRACE_MS)
            .push(" AND lease_until <= ")
            .push_bind(now);
        query.push(" ORDER BY due_at, id LIMIT ").push_bind(range.rows).push(")");
    }
    query
}

fn change(changes: &[Change]) -> QueryBuilder<Sqlite> {
    let mut update = QueryBuilder::new("WITH change (id, slot_us, drain_before) AS (");
    update.push_values(changes, |mut values, change| {
        values.push_bind(change.lane).push_bind(change.slot_us).push_bind(change.drain_before);
    });
    update.push(") UPDATE lane SET rate_slot_us = change.slot_us, drain_before = change.drain_before");
    update.push(" FROM change WHERE lane.id = change.id");
    update
}
