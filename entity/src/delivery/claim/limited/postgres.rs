//! Limited lanes on Postgres. Their rows are locked first and counted in the next statement: only that one sees what the
//! lock's last holder has claimed.

use domain::{clock::millis, job::LEASE};
use sqlx::{PgConnection, Result};
use uuid::Uuid;

use super::{ClaimedRow, DueCounts, GrantedRange, LaneChange, LimitedLane};
use crate::{delivery::claim::postgres::lease, lane::rules::sendable_at, rows::postgres::column};

const LOCK: &str = concat!(
    "SELECT id, rate_limit, max_in_flight, breaker_until, drain_before, rate_slot_us, now_ms() + $2 AS now
    FROM lane WHERE id = ANY($1) AND ",
    sendable_at!(postgres "lane"),
    "now_ms() + $2 ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"
);

const COUNT: &str = "SELECT old.due AS old, old.in_use AS old_in_use, new.due AS new, new.in_use AS new_in_use
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS lane (id, drain_before, depth, place)
    CROSS JOIN LATERAL (
        SELECT count(*) AS due, count(*) FILTER (WHERE d.in_use) AS in_use FROM (
            SELECT lease_until > now_ms() + $4 AS in_use FROM delivery
            WHERE lane_id = lane.id AND due_at <= least(lane.drain_before, now_ms() + $4)
            ORDER BY due_at, id LIMIT lane.depth) AS d
    ) AS old
    CROSS JOIN LATERAL (
        SELECT count(*) AS due, count(*) FILTER (WHERE d.in_use) AS in_use FROM (
            SELECT lease_until > now_ms() + $4 AS in_use FROM delivery
            WHERE lane_id = lane.id AND due_at > lane.drain_before AND due_at <= now_ms() + $4
            ORDER BY due_at, id LIMIT lane.depth) AS d
    ) AS new
    ORDER BY lane.place";

const CLAIM: &str = lease!(
    "SELECT row.*
        FROM unnest($1::uuid[], $4::bigint[], $5::bigint[], $6::bigint[]) AS range (lane_id, after, until, rows)
        CROSS JOIN LATERAL (
            SELECT id, event_id, lane_id, lease_until > 0 AS rescued FROM delivery
            WHERE lane_id = range.lane_id AND due_at > range.after AND due_at <= range.until
              AND lease_until <= (SELECT now_ms() + $2)
            ORDER BY due_at, id LIMIT range.rows FOR UPDATE OF delivery SKIP LOCKED
        ) AS row"
);

const UPDATE: &str = "UPDATE lane SET rate_slot_us = change.slot_us, drain_before = change.drain_before
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS change (id, slot_us, drain_before)
    WHERE lane.id = ANY($1) AND lane.id = change.id";

pub(super) async fn lock_lanes(tx: &mut PgConnection, ids: &[Uuid], offset: i64) -> Result<Vec<LimitedLane>> {
    sqlx::query_as(LOCK).bind(ids).bind(offset).fetch_all(tx).await
}

pub(super) async fn count_due(
    tx: &mut PgConnection,
    lanes: &[LimitedLane],
    offset: i64,
) -> Result<Vec<DueCounts>> {
    sqlx::query_as(COUNT)
        .bind(column(lanes, |lane| lane.id))
        .bind(column(lanes, |lane| lane.drain_before))
        .bind(column(lanes, LimitedLane::depth))
        .bind(offset)
        .fetch_all(tx)
        .await
}

pub(super) async fn claim_ranges(
    tx: &mut PgConnection,
    ranges: &[GrantedRange],
    offset: i64,
) -> Result<Vec<ClaimedRow>> {
    sqlx::query_as(CLAIM)
        .bind(column(ranges, |range| range.lane))
        .bind(offset)
        .bind(millis(LEASE))
        .bind(column(ranges, |range| range.after))
        .bind(column(ranges, |range| range.until))
        .bind(column(ranges, |range| range.rows))
        .fetch_all(tx)
        .await
}

pub(super) async fn update_lanes(tx: &mut PgConnection, changes: &[LaneChange]) -> Result<()> {
    let query = sqlx::query(UPDATE)
        .bind(column(changes, |change| change.lane))
        .bind(column(changes, |change| change.rate_slot_us))
        .bind(column(changes, |change| change.drain_before));
    query.execute(tx).await.map(drop)
}
