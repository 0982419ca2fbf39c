//! Limited lanes on SQLite, within the one transaction that writes: no other claim runs meanwhile.

use entity::bulk::sqlite::push_list;
use sqlx::{QueryBuilder, Result, Sqlite, SqlitePool};
use uuid::Uuid;

use super::{
    super::{
        Claims, Times, Wanted,
        limits::{Due, Lane},
        sqlite::lease_rows,
    },
    Change, Counted, Range, depth, ranges, settle,
};

/// Most terms of one compound `SELECT`: SQLite takes 500.
const TERMS: usize = 400;

pub(in super::super) async fn claim(pool: &SqlitePool, wanted: &[Wanted], times: Times) -> Result<Claims> {
    let now = times.now_or_offset;
    let ids: Vec<Uuid> = wanted.iter().map(|wanted| wanted.holder.lane).collect();
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    let lanes: Vec<Lane> = read(&ids, now).build_query_as().fetch_all(&mut *tx).await?;
    if lanes.is_empty() {
        return Ok(Claims::default());
    }
    let due: Vec<Due> = count(&lanes, now).build_query_as().fetch_all(&mut *tx).await?;
    let counted = Counted::of(lanes, due, wanted);
    let ranges = ranges(&counted);
    let mut ids: Vec<Uuid> = vec![];
    for ranges in ranges.chunks(TERMS) {
        ids.extend(take(ranges, now).build_query_scalar::<Uuid>().fetch_all(&mut *tx).await?);
    }
    let claimed = lease_rows(&mut tx, &ids, times).await?;
    let (changes, claims) = settle(&counted, claimed);
    if !changes.is_empty() {
        change(&changes).build().execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(claims)
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
fn count(lanes: &[Lane], now: i64) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("");
    for (place, lane) in lanes.iter().enumerate() {
        query.push(if place == 0 { "" } else { " UNION ALL " });
        query.push("SELECT old.due AS old, old.in_use AS old_in_use, new.due AS new, new.in_use AS new_in_use FROM (");
        count_range(&mut query, lane, (i64::MIN, lane.drain_before.min(now)), now);
        query.push(") AS old, (");
        count_range(&mut query, lane, (lane.drain_before, now), now);
        query.push(") AS new");
    }
    query
}

fn count_range(query: &mut QueryBuilder<Sqlite>, lane: &Lane, (after, until): (i64, i64), now: i64) {
    query.push("SELECT count(*) AS due, coalesce(sum(lease_until > ").push_bind(now);
    query.push("), 0) AS in_use FROM (SELECT lease_until FROM delivery WHERE lane_id = ").push_bind(lane.id);
    query.push(" AND due_at > ").push_bind(after).push(" AND due_at <= ").push_bind(until);
    query.push(" ORDER BY due_at, id LIMIT ").push_bind(depth(lane)).push(")");
}

fn take(ranges: &[Range], now: i64) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("");
    for (place, range) in ranges.iter().enumerate() {
        query.push(if place == 0 { "" } else { " UNION ALL " });
        query.push("SELECT id FROM (SELECT id FROM delivery WHERE lane_id = ").push_bind(range.lane);
        query
            .push(" AND due_at > ")
            .push_bind(range.after)
            .push(" AND due_at <= ")
            .push_bind(range.until.min(now));
        query.push(" AND lease_until <= ").push_bind(now);
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
