//! Looks on Postgres. `SKIP LOCKED`: two dispatchers share what is due and never wait for each other.

use sqlx::{PgPool, Result};
use uuid::Uuid;

use super::look::{BACKLOG_MS, Found, LANES, Look, ROWS_OF_A_LANE};

// The recursion jumps from lane to lane along the index (lane_id, due_at, id); within a lane the index gives the oldest
// due rows. Rows in flight are passed over, and of those there are never more than the window and the send slots.
const LANES_IN_TURN: &str = "WITH RECURSIVE passed (lane_id, n) AS (
        (SELECT lane_id, 1 FROM delivery WHERE lane_id > $1 ORDER BY lane_id LIMIT 1)
        UNION ALL
        SELECT (SELECT d.lane_id FROM delivery d WHERE d.lane_id > passed.lane_id ORDER BY d.lane_id LIMIT 1), n + 1
        FROM passed WHERE passed.lane_id IS NOT NULL AND n < $2
    )
    SELECT lane_id FROM passed WHERE lane_id IS NOT NULL";

// One lane after the other, and no further than the room: what is locked is taken.
const TAKE: &str = "WITH due AS MATERIALIZED (
        SELECT row.id, row.rescued, row.n, passed.lane_id
        FROM unnest($1::uuid[]) AS passed (lane_id)
        CROSS JOIN LATERAL (
            SELECT d.id, d.hinted_until > 0 OR d.lease_until > 0 AS rescued, row_number() OVER () AS n
            FROM (
                SELECT id, hinted_until, lease_until FROM delivery
                WHERE lane_id = passed.lane_id AND due_at <= now_ms() + $2
                  AND hinted_until <= now_ms() + $2 AND lease_until <= now_ms() + $2
                  AND NOT EXISTS (SELECT 1 FROM lane l WHERE l.id = passed.lane_id
                                  AND (l.state <> 'active' OR l.blocked_until > now_ms() + $2))
                ORDER BY due_at, id LIMIT $3 FOR UPDATE OF delivery SKIP LOCKED
            ) AS d
        ) AS row
        LIMIT $4
    ), backlog AS (
        UPDATE lane SET backlog_until = now_ms() + $2 + $6
        WHERE backlog_until <= now_ms() + $2 + $6 / 2 AND id = ANY(ARRAY(SELECT lane_id FROM due WHERE n = $3))
    )
    UPDATE delivery d SET hinted_until = now_ms() + $2 + $5 FROM due WHERE d.id = due.id
    RETURNING d.id, d.lane_id, due.rescued";

const UPLOADS: &str = "WITH due AS MATERIALIZED (
        SELECT id, hinted_until > 0 OR lease_until > 0 AS rescued FROM upload
        WHERE state = 'received' AND due_at <= now_ms() + $1
          AND hinted_until <= now_ms() + $1 AND lease_until <= now_ms() + $1
        ORDER BY due_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
    )
    UPDATE upload u SET hinted_until = now_ms() + $1 + $3 FROM due WHERE u.id = due.id
    RETURNING u.id, u.endpoint_id AS lane_id, due.rescued";

pub(super) async fn deliveries(
    pool: &PgPool,
    after: Uuid,
    room: i64,
    offset: i64,
    trusted: i64,
) -> Result<Look> {
    let lanes: Vec<Uuid> = sqlx::query_scalar(LANES_IN_TURN).bind(after).bind(LANES).fetch_all(pool).await?;
    if lanes.is_empty() {
        return Ok(Look::default());
    }
    let take = sqlx::query_as(TAKE).bind(&lanes).bind(offset).bind(ROWS_OF_A_LANE).bind(room);
    let found: Vec<Found> = take.bind(trusted).bind(BACKLOG_MS).fetch_all(pool).await?;
    Ok(Look::of(&lanes, found, room))
}

pub(super) async fn uploads(pool: &PgPool, room: i64, offset: i64, trusted: i64) -> Result<Vec<Found>> {
    sqlx::query_as(UPLOADS).bind(offset).bind(room).bind(trusted).fetch_all(pool).await
}
