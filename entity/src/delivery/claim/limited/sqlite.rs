//! Limited lanes on SQLite, within the one transaction that writes: no other claim runs meanwhile.

use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::{ClaimedRow, DueCounts, GrantedRange, LaneChange, LimitedLane};
use crate::{delivery::claim::sqlite::lease_rows, lane::rules::sendable_at, rows::sqlite::push_list};

/// Most terms of one compound `SELECT`: SQLite takes 500.
const TERMS: usize = 400;

pub(super) async fn lock_lanes(
    tx: &mut SqliteConnection,
    ids: &[Uuid],
    now: i64,
) -> Result<Vec<LimitedLane>> {
    let mut select = QueryBuilder::<Sqlite>::new(
        "SELECT id, rate_limit, max_in_flight, breaker_until, drain_before, rate_slot_us, CAST(",
    );
    select.push_bind(now).push(concat!(" AS INTEGER) AS now FROM lane WHERE ", sendable_at!(sqlite "lane")));
    select.push_bind(now).push(" AND id IN ");
    push_list(&mut select, ids);
    select.push(" ORDER BY id");
    select.build_query_as().fetch_all(tx).await
}

pub(super) async fn count_due(
    tx: &mut SqliteConnection,
    lanes: &[LimitedLane],
    now: i64,
) -> Result<Vec<DueCounts>> {
    count(lanes, now).build_query_as().fetch_all(tx).await
}

pub(super) async fn claim_ranges(
    tx: &mut SqliteConnection,
    ranges: &[GrantedRange],
    now: i64,
) -> Result<Vec<ClaimedRow>> {
    let mut ids: Vec<Uuid> = vec![];
    for ranges in ranges.chunks(TERMS) {
        ids.extend(due_ids(ranges, now).build_query_scalar::<Uuid>().fetch_all(&mut *tx).await?);
    }
    lease_rows(tx, &ids, now).await
}

pub(super) async fn update_lanes(tx: &mut SqliteConnection, changes: &[LaneChange]) -> Result<()> {
    update(changes).build().execute(tx).await.map(drop)
}

/// One row a lane, in their order.
fn count(lanes: &[LimitedLane], now: i64) -> QueryBuilder<Sqlite> {
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

fn count_range(query: &mut QueryBuilder<Sqlite>, lane: &LimitedLane, (after, until): (i64, i64), now: i64) {
    query.push("SELECT count(*) AS due, coalesce(sum(lease_until > ").push_bind(now);
    query.push("), 0) AS in_use FROM (SELECT lease_until FROM delivery WHERE lane_id = ").push_bind(lane.id);
    query.push(" AND due_at > ").push_bind(after).push(" AND due_at <= ").push_bind(until);
    query.push(" ORDER BY due_at, id LIMIT ").push_bind(lane.depth()).push(")");
}

fn due_ids(ranges: &[GrantedRange], now: i64) -> QueryBuilder<Sqlite> {
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

fn update(changes: &[LaneChange]) -> QueryBuilder<Sqlite> {
    let mut update = QueryBuilder::new("WITH change (id, slot_us, drain_before) AS (");
    update.push_values(changes, |mut values, change| {
        values.push_bind(change.lane).push_bind(change.rate_slot_us).push_bind(change.drain_before);
    });
    update.push(") UPDATE lane SET rate_slot_us = change.slot_us, drain_before = change.drain_before");
    update.push(" FROM change WHERE lane.id = change.id");
    update
}
