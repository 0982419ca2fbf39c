//! Limited lanes on Postgres. Their rows are locked first and counted in the next statement: only that one sees what the
//! lock's last holder has granted.

use sqlx::{PgConnection, PgPool, Result};
use uuid::Uuid;

use super::{Bounds, Change, DEPTH, Due, Granted, HINT_GRACE_MS, Lane, Range, Row, ranges, settle};

const LOCK: &str =
    "SELECT id, rate_limit, max_in_flight, breaker_until, drain_before, rate_slot_us, now_ms() + $2 AS now
    FROM lane
    WHERE id = ANY($1) AND state = 'active' AND greatest(blocked_until, breaker_until) <= now_ms() + $2
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED";

const COUNT: &str = "SELECT old.due AS old, old.in_use AS old_in_use, new.due AS new, new.in_use AS new_in_use
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS lane (id, drain_before, depth, place)
    CROSS JOIN LATERAL (
        SELECT count(*) AS due, count(*) FILTER (WHERE d.under_way) AS in_use FROM (
            SELECT lease_until > now_ms() + $4 OR hinted_until > now_ms() + $4 - $5 AS under_way FROM delivery
            WHERE lane_id = lane.id AND due_at <= least(lane.drain_before, now_ms() + $4)
            ORDER BY due_at, id LIMIT lane.depth) AS d
    ) AS old
    CROSS JOIN LATERAL (
        SELECT count(*) AS due, count(*) FILTER (WHERE d.under_way) AS in_use FROM (
            SELECT lease_until > now_ms() + $4 OR hinted_until > now_ms() + $4 - $5 AS under_way FROM delivery
            WHERE lane_id = lane.id AND due_at > lane.drain_before AND due_at <= now_ms() + $4
            ORDER BY due_at, id LIMIT lane.depth) AS d
    ) AS new
    ORDER BY lane.place";

const TAKE: &str = "WITH due AS MATERIALIZED (
        SELECT row.id, row.rescued
        FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) AS range (lane_id, after, until, rows)
        CROSS JOIN LATERAL (
            SELECT id, hinted_until > 0 OR lease_until > 0 AS rescued FROM delivery
            WHERE lane_id = range.lane_id AND due_at > range.after AND due_at <= range.until
              AND hinted_until <= now_ms() + $5 - $6 AND lease_until <= now_ms() + $5
            ORDER BY due_at, id LIMIT range.rows FOR UPDATE OF delivery SKIP LOCKED
        ) AS row
    )
    UPDATE delivery d SET hinted_until = now_ms() + $5 + $7 FROM due
    WHERE d.id = ANY(ARRAY(SELECT id FROM due)) AND d.id = due.id
    RETURNING d.id, d.lane_id, due.rescued, d.due_at";

const CHANGE: &str = "UPDATE lane SET rate_slot_us = change.slot_us, drain_before = change.drain_before
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS change (id, slot_us, drain_before)
    WHERE lane.id = ANY($1) AND lane.id = change.id";

pub(in super::super) async fn look(
    pool: &PgPool,
    lanes: &[Uuid],
    bounds: Bounds,
    offset: i64,
) -> Result<Granted> {
    let mut tx = pool.begin().await?;
    let lanes: Vec<Lane> = sqlx::query_as(LOCK).bind(lanes).bind(offset).fetch_all(&mut *tx).await?;
    let due = count(&mut tx, &lanes, bounds, offset).await?;
    let lanes: Vec<(Lane, Due)> = lanes.into_iter().zip(due).collect();
    let rows = take(&mut tx, &ranges(&lanes, bounds), bounds, offset).await?;
    let (changes, granted) = settle(&lanes, rows);
    change(&mut tx, &changes).await?;
    tx.commit().await?;
    Ok(granted)
}

async fn count(tx: &mut PgConnection, lanes: &[Lane], bounds: Bounds, offset: i64) -> Result<Vec<Due>> {
    let depth = |lane: &Lane| lane.most_in_flight(bounds.share) + DEPTH;
    sqlx::query_as(COUNT)
        .bind(lanes.iter().map(|lane| lane.id).collect::<Vec<_>>())
        .bind(lanes.iter().map(|lane| lane.drain_before).collect::<Vec<_>>())
        .bind(lanes.iter().map(depth).collect::<Vec<_>>())
        .bind(offset)
        .bind(HINT_GRACE_MS)
        .fetch_all(tx)
        .await
}

async fn take(tx: &mut PgConnection, ranges: &[Range], bounds: Bounds, offset: i64) -> Result<Vec<Row>> {
    if ranges.is_empty() {
        return Ok(vec![]);
    }
    sqlx::query_as(TAKE)
        .bind(ranges.iter().map(|range| range.lane).collect::<Vec<_>>())
        .bind(ranges.iter().map(|range| range.after).collect::<Vec<_>>())
        .bind(ranges.iter().map(|range| range.until).collect::<Vec<_>>())
        .bind(ranges.iter().map(|range| range.rows).collect::<Vec<_>>())
        .bind(offset)
        .bind(HINT_GRACE_MS)
        .bind(bounds.trusted)
        .fetch_all(tx)
        .await
}

async fn change(tx: &mut PgConnection, changes: &[Change]) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let query = sqlx::query(CHANGE)
        .bind(changes.iter().map(|change| change.lane).collect::<Vec<_>>())
        .bind(changes.iter().map(|change| change.slot_us).collect::<Vec<_>>())
        .bind(changes.iter().map(|change| change.drain_before).collect::<Vec<_>>());
    query.execute(tx).await.map(drop)
}
