//! Looks on Postgres. `SKIP LOCKED`: two dispatchers share what is due and never wait for each other.

use domain::{clock::millis, job::BACKLOG_LASTS};
use sqlx::{AssertSqlSafe, PgPool, Result};
use uuid::Uuid;

use super::{
    limited::{self, Granted},
    look::{Found, LANES, Look, Passed, Plan, ROWS_OF_A_LANE, Terms, Which},
};

// The recursion jumps from lane to lane along the index (lane_id, due_at, id). No EXISTS: that may be planned as one read of
// all that is due.
const LANES_IN_TURN: &str = "WITH RECURSIVE passed (lane_id, n) AS (
        (SELECT lane_id, 1 FROM delivery WHERE lane_id > $2 ORDER BY lane_id LIMIT 1)
        UNION ALL
        SELECT (SELECT d.lane_id FROM delivery d WHERE d.lane_id > passed.lane_id ORDER BY d.lane_id LIMIT 1), n + 1
        FROM passed WHERE passed.lane_id IS NOT NULL AND n < $3
    )";
const THESE_LANES: &str = "WITH passed (lane_id) AS (SELECT * FROM unnest($2::uuid[]) LIMIT $3)";
const GATES: &str = " SELECT passed.lane_id, CASE
        WHEN l.state <> 'active' OR greatest(l.blocked_until, l.breaker_until) > now_ms() + $1 THEN 0
        WHEN (SELECT 1 FROM delivery d WHERE d.lane_id = passed.lane_id AND d.due_at <= now_ms() + $1 LIMIT 1) IS NULL THEN 0
        WHEN l.id IS NULL THEN 1
        WHEN l.rate_limit IS NULL AND l.max_in_flight IS NULL AND l.breaker_until = 0 AND l.drain_before = 0 THEN 1
        ELSE 2 END AS gate
    FROM passed LEFT JOIN LATERAL (SELECT * FROM lane WHERE id = passed.lane_id LIMIT 1) AS l ON true
    WHERE passed.lane_id IS NOT NULL ORDER BY passed.lane_id";

// One lane after the other, and no further than the room: what is locked is taken. Of a lane only the rows before the
// edge, its share, are looked at: those under way are among them, so its backlog costs nothing, however long it is. The
// commit does not wait for the disk: a mark that is lost with the server is made again.
const TAKE: &str = "WITH due AS MATERIALIZED (
        SELECT row.id, row.rescued, row.n, passed.lane_id
        FROM unnest($1::uuid[]) AS passed (lane_id)
        LEFT JOIN LATERAL (
            SELECT due_at, id FROM delivery WHERE lane_id = passed.lane_id AND due_at <= (SELECT now_ms() + $2)
            ORDER BY due_at, id OFFSET $7 LIMIT 1
        ) AS edge ON true
        CROSS JOIN LATERAL (
            SELECT d.id, d.hinted_until > 0 OR d.lease_until > 0 AS rescued, row_number() OVER () AS n
            FROM (
                SELECT id, hinted_until, lease_until FROM delivery
                WHERE lane_id = passed.lane_id AND due_at <= (SELECT now_ms() + $2)
                  AND (due_at, id) < (coalesce(edge.due_at, 9223372036854775807),
                                      coalesce(edge.id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
                  AND hinted_until <= (SELECT now_ms() + $2) AND lease_until <= (SELECT now_ms() + $2)
                ORDER BY due_at, id LIMIT $3 FOR UPDATE OF delivery SKIP LOCKED
            ) AS d
        ) AS row
        LIMIT $4
    ), backlog AS (
        UPDATE lane SET backlog_until = now_ms() + $2 + $6 WHERE id = ANY(ARRAY(
            SELECT id FROM lane WHERE backlog_until <= now_ms() + $2 + $6 / 2
                AND id = ANY(ARRAY(SELECT lane_id FROM due WHERE n = $8))
            ORDER BY id FOR NO KEY UPDATE SKIP LOCKED))
    )
    UPDATE delivery d
    SET hinted_until = (SELECT now_ms() + $2 + $5 FROM set_config('synchronous_commit', 'off', true))
    FROM due WHERE d.id = ANY(ARRAY(SELECT id FROM due)) AND d.id = due.id
    RETURNING d.id, d.lane_id, due.rescued";

const UPLOADS: &str = "WITH due AS MATERIALIZED (
        SELECT id, hinted_until > 0 OR lease_until > 0 AS rescued FROM upload
        WHERE state = 'received' AND due_at <= now_ms() + $1
          AND hinted_until <= now_ms() + $1 AND lease_until <= now_ms() + $1
        ORDER BY due_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
    )
    UPDATE upload u SET hinted_until = now_ms() + $1 + $3 FROM due WHERE u.id = due.id
    RETURNING u.id, u.endpoint_id AS lane_id, due.rescued";

pub(super) async fn deliveries(pool: &PgPool, which: Which<'_>, full: &[Uuid], terms: Terms) -> Result<Look> {
    let passed = lanes(pool, which, terms.now_or_offset).await?;
    let plan = Plan::of(&passed, which, full, terms.room, rand::random());
    let found = if plan.open.is_empty() { vec![] } else { take(pool, &plan, terms).await? };
    let granted =
        if plan.limited.is_empty() { Granted::default() } else { grant(pool, &plan, terms).await? };
    Ok(plan.end(found, granted))
}

async fn lanes(pool: &PgPool, which: Which<'_>, offset: i64) -> Result<Vec<Passed>> {
    let (head, lanes) = match which {
        Which::After(_) => (LANES_IN_TURN, &[][..]),
        Which::These(lanes) => (THESE_LANES, lanes),
    };
    let query = sqlx::query_as(AssertSqlSafe([head, GATES].concat())).bind(offset);
    let query = if let Which::After(after) = which { query.bind(after) } else { query.bind(lanes) };
    query.bind(LANES).fetch_all(pool).await
}

async fn take(pool: &PgPool, plan: &Plan, terms: Terms) -> Result<Vec<Found>> {
    let take = sqlx::query_as(TAKE).bind(&plan.open).bind(terms.now_or_offset).bind(plan.open_rows);
    let take = take.bind(plan.open_room).bind(terms.trusted).bind(millis(BACKLOG_LASTS));
    take.bind(terms.share).bind(ROWS_OF_A_LANE).fetch_all(pool).await
}

async fn grant(pool: &PgPool, plan: &Plan, terms: Terms) -> Result<Granted> {
    let bounds = limited::Bounds { room: plan.limited_room, share: terms.share, trusted: terms.trusted };
    limited::on_postgres(pool, &plan.limited, bounds, terms.now_or_offset).await
}

pub(super) async fn uploads(pool: &PgPool, room: i64, offset: i64, trusted: i64) -> Result<Vec<Found>> {
    sqlx::query_as(UPLOADS).bind(offset).bind(room).bind(trusted).fetch_all(pool).await
}
