//! Claims on Postgres. `SKIP LOCKED`: two workers with the same hint never wait for each other.

use domain::{clock::millis, id::DeliveryId, job::BACKLOG_LASTS};
use sqlx::{PgPool, Result};
use uuid::Uuid;

use super::{Claimed, PUT_OFF_MS, Pick, Times, as_i64, share::Candidate};

/// The time, asked for once a statement and not once a row.
macro_rules! now {
    () => {
        "(SELECT now_ms() + $2)"
    };
}

/// The time, and the commit of this statement does not wait for the disk. Whoever comes after a crash of the server finds
/// the delivery due: it is sent again, as after any crash.
macro_rules! hastily {
    () => {
        "(SELECT now_ms() + $2 FROM set_config('synchronous_commit', 'off', true))"
    };
}

/// A claim of the rows that `due` locks; their ids, and what else it does. A delivery whose event or lane is gone is claimed
/// all the same: it is buried, not passed over for ever.
macro_rules! claim {
    ($due:expr, $ids:expr, $more:expr) => {
        concat!(
            "WITH due AS MATERIALIZED (",
            $due,
            "), candidate AS MATERIALIZED (
                SELECT d.id, d.event_id, d.rescued, e.url, e.sealed_secret, e.sealed_headers, e.timeout_ms, e.retry_schedule
                FROM due AS d
                LEFT JOIN LATERAL (SELECT * FROM lane WHERE id = d.lane_id LIMIT 1) AS l ON true
                LEFT JOIN LATERAL (SELECT * FROM endpoint WHERE id = d.recipient_id LIMIT 1) AS e ON true
                WHERE coalesce(l.state = 'active' AND greatest(l.blocked_until, l.breaker_until) <= ",
            now!(),
            "
                    AND (d.hinted_until > ",
            now!(),
            " OR (l.rate_limit IS NULL AND l.max_in_flight IS NULL
                         AND l.breaker_until = 0 AND d.due_at > l.drain_before)), true)
            )",
            $more,
            " UPDATE delivery d
            SET claim = d.claim + 1, hinted_until = 0, lease_until = ",
            hastily!(),
            " + coalesce(candidate.timeout_ms, $3) + $4
            FROM candidate
                LEFT JOIN LATERAL (SELECT body FROM event WHERE id = candidate.event_id LIMIT 1) AS event ON true
            WHERE d.id = ANY(",
            $ids,
            ") AND d.id = candidate.id
            RETURNING d.id, d.event_id, d.user_id, d.lane_id, d.channel, coalesce(d.body, event.body, '') AS body,
                coalesce(d.body, event.body) IS NOT NULL AS has_body, candidate.rescued,
                d.position, d.attempts, d.claim, d.recorded_claim, d.created_at, d.due_at,
                candidate.url, candidate.sealed_secret, candidate.sealed_headers, candidate.timeout_ms,
                candidate.retry_schedule, ",
            now!(),
            " AS claimed_at"
        )
    };
}

// No lane is named beside the ids: a plan along the index of what is due would read all of it.
const NAMED: &str = claim!(
    concat!(
        "SELECT id, event_id, lane_id, recipient_id, due_at, hinted_until, false AS rescued FROM delivery
        WHERE id = ANY($1) AND due_at <= ",
        now!(),
        " AND lease_until <= ",
        now!(),
        " FOR UPDATE SKIP LOCKED"
    ),
    "$1",
    ""
);

// As a look takes them: of each lane only the rows before the edge, the window, are looked at, however many there are. A lane
// that gives all that it is asked for has a backlog still; the lanes' locks are never waited for.
const OF_LANES: &str = claim!(
    concat!(
        "SELECT row.*, row.n = asked.rows AS is_last FROM unnest($1::uuid[], $5::bigint[]) AS asked (lane_id, rows)
        LEFT JOIN LATERAL (
            SELECT due_at, id FROM delivery WHERE lane_id = asked.lane_id AND due_at <= ",
        now!(),
        " ORDER BY due_at, id OFFSET $6 LIMIT 1
        ) AS edge ON true
        CROSS JOIN LATERAL (
            SELECT d.*, row_number() OVER () AS n FROM (
                SELECT id, event_id, lane_id, recipient_id, due_at, hinted_until,
                    hinted_until > 0 OR lease_until > 0 AS rescued
                FROM delivery
                WHERE lane_id = asked.lane_id AND due_at <= ",
        now!(),
        " AND (due_at, id) < (coalesce(edge.due_at, 9223372036854775807),
                                      coalesce(edge.id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
                  AND hinted_until <= ",
        now!(),
        " AND lease_until <= ",
        now!(),
        " ORDER BY due_at, id LIMIT asked.rows FOR UPDATE OF delivery SKIP LOCKED
            ) AS d
        ) AS row"
    ),
    "ARRAY(SELECT id FROM due)",
    ", backlog AS (
        UPDATE lane SET backlog_until = now_ms() + $2 + $7 WHERE id = ANY(ARRAY(
            SELECT id FROM lane WHERE backlog_until <= now_ms() + $2 + $7 / 2
                AND id = ANY(ARRAY(SELECT lane_id FROM due WHERE is_last))
            ORDER BY id FOR NO KEY UPDATE SKIP LOCKED))
    )"
);

// The lanes' locks are never waited for.
const PUT_OFF: &str = "WITH backlog AS (
        UPDATE lane SET backlog_until = now_ms() + $2 + $4 WHERE id = ANY(ARRAY(
            SELECT id FROM lane WHERE backlog_until <= now_ms() + $2 + $4 / 2 AND id = ANY($5)
            ORDER BY id FOR NO KEY UPDATE SKIP LOCKED))
    ), refused AS MATERIALIZED (
        SELECT id, lane_id, due_at FROM delivery
        WHERE id = ANY($1) AND lease_until <= now_ms() + $2 FOR UPDATE SKIP LOCKED
    )
    UPDATE delivery d SET hinted_until = CASE WHEN l.is_limited OR refused.due_at <= l.drain_before THEN 0
        ELSE now_ms() + $2 + $3 END
    FROM refused LEFT JOIN LATERAL (
        SELECT rate_limit IS NOT NULL OR max_in_flight IS NOT NULL OR breaker_until > 0 AS is_limited, drain_before
        FROM lane WHERE id = refused.lane_id LIMIT 1
    ) AS l ON true
    WHERE d.id = ANY($1) AND d.id = refused.id";

pub(super) async fn claim(pool: &PgPool, pick: Pick<'_>, times: Times) -> Result<Vec<Claimed>> {
    match pick {
        Pick::Ids(ids) => {
            let query = sqlx::query_as(NAMED).bind(ids).bind(times.now_or_offset);
            query.bind(times.deadline).bind(times.margin).fetch_all(pool).await
        }
        Pick::Lanes { wanted, window } => {
            let lanes: Vec<Uuid> = wanted.iter().map(|wanted| wanted.lane).collect();
            let rows: Vec<i64> = wanted.iter().map(|wanted| as_i64(wanted.rows)).collect();
            let query = sqlx::query_as(OF_LANES).bind(lanes).bind(times.now_or_offset);
            let query = query.bind(times.deadline).bind(times.margin).bind(rows);
            query.bind(as_i64(window)).bind(millis(BACKLOG_LASTS)).fetch_all(pool).await
        }
    }
}

pub(super) async fn put_off(pool: &PgPool, refused: &[Candidate], now_or_offset: i64) -> Result<()> {
    let (ids, lanes): (Vec<Uuid>, Vec<Uuid>) = refused.iter().copied().unzip();
    let query = sqlx::query(PUT_OFF).bind(ids).bind(now_or_offset).bind(PUT_OFF_MS);
    query.bind(millis(BACKLOG_LASTS)).bind(lanes).execute(pool).await.map(drop)
}

pub(super) async fn release(pool: &PgPool, claimed: &[(DeliveryId, i32)]) -> Result<()> {
    const SQL: &str = "UPDATE delivery d SET lease_until = 0, recorded_claim = d.claim
        FROM unnest($1::uuid[], $2::integer[]) AS mine (id, claim)
        WHERE d.id = ANY($1) AND d.id = mine.id AND d.claim = mine.claim";
    let (ids, claims): (Vec<Uuid>, Vec<i32>) = claimed.iter().map(|(id, claim)| (id.0, *claim)).unzip();
    sqlx::query(SQL).bind(ids).bind(claims).execute(pool).await.map(drop)
}
