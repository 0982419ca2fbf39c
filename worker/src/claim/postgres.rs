//! Claims on Postgres. `SKIP LOCKED`: two workers with the same hint never wait for each other.

use domain::id::DeliveryId;
use sqlx::{PgPool, Result};
use uuid::Uuid;

use super::{BACKLOG_MS, Claimed, PUT_OFF_MS, Share, Times};

// A delivery whose event or lane is gone is claimed all the same: it is buried, not passed over for ever.
// Ranked by what its lane holds already, a row gets a slot while that is less than a third of what is then free: the
// same as one by one, since both sides only get worse along the ranks. The lanes' locks are never waited for.
const CLAIM: &str = "WITH candidate AS MATERIALIZED (
        SELECT d.id, d.lane_id, d.event_id, e.url, e.sealed_secret, e.sealed_headers, e.timeout_ms, e.retry_schedule,
            coalesce(l.rate_limit IS NOT NULL OR l.max_in_flight IS NOT NULL OR l.breaker_until > 0
                OR d.due_at <= l.drain_before, false) AS granted_only
        FROM delivery d
        LEFT JOIN lane l ON l.id = d.lane_id
        LEFT JOIN endpoint e ON e.id = d.recipient_id
        WHERE d.id = ANY($1) AND d.due_at <= now_ms() + $2 AND d.lease_until <= now_ms() + $2
          AND coalesce(l.state = 'active' AND greatest(l.blocked_until, l.breaker_until) <= now_ms() + $2
            AND (d.hinted_until > now_ms() + $2 OR (l.rate_limit IS NULL AND l.max_in_flight IS NULL
                 AND l.breaker_until = 0 AND d.due_at > l.drain_before)), true)
        FOR UPDATE OF d SKIP LOCKED
    ), counted AS (
        SELECT c.*, coalesce(used.slots, 0) + row_number() OVER (PARTITION BY c.lane_id ORDER BY c.id) - 1 AS ahead
        FROM candidate c LEFT JOIN unnest($5::uuid[], $6::bigint[]) AS used (lane_id, slots) ON used.lane_id = c.lane_id
    ), ranked AS MATERIALIZED (
        SELECT *, ahead * 3 < $7 - (row_number() OVER (ORDER BY ahead, id) - 1) AS granted FROM counted
    ), put_off AS (
        UPDATE delivery d SET hinted_until = CASE WHEN ranked.granted_only THEN 0 ELSE now_ms() + $2 + $8 END
        FROM ranked WHERE NOT ranked.granted AND d.id = ranked.id
    ), backlog AS (
        UPDATE lane SET backlog_until = now_ms() + $2 + $9
        FROM (SELECT id FROM lane WHERE backlog_until <= now_ms() + $2 + $9 / 2
                AND id = ANY(ARRAY(SELECT lane_id FROM ranked WHERE NOT granted))
              ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) AS held
        WHERE lane.id = held.id
    ), due AS MATERIALIZED (SELECT * FROM ranked WHERE granted)
    UPDATE delivery d
    SET claim = d.claim + 1, hinted_until = 0, lease_until = now_ms() + $2 + coalesce(due.timeout_ms, $3) + $4
    FROM due LEFT JOIN event ON event.id = due.event_id
    WHERE d.id = due.id
    RETURNING d.id, d.event_id, d.user_id, d.lane_id, d.channel, coalesce(d.body, event.body, '') AS body,
        coalesce(d.body, event.body) IS NOT NULL AS has_body,
        d.position, d.attempts, d.claim, d.recorded_claim, d.created_at, d.due_at,
        due.url, due.sealed_secret, due.sealed_headers, due.timeout_ms, due.retry_schedule,
        now_ms() + $2 AS claimed_at";

pub(super) async fn claim(pool: &PgPool, ids: &[Uuid], times: Times, share: &Share) -> Result<Vec<Claimed>> {
    // What lanes hold matters only when something might be refused.
    let counts = !share.has_room_for_all(ids.len());
    let used = share.used.iter().filter(|_| counts).map(|(lane, used)| (*lane, whole(*used)));
    let (lanes, slots): (Vec<Uuid>, Vec<i64>) = used.unzip();
    let query =
        sqlx::query_as(CLAIM).bind(ids).bind(times.now_or_offset).bind(times.deadline).bind(times.margin);
    let query = query.bind(lanes).bind(slots).bind(whole(share.free)).bind(PUT_OFF_MS).bind(BACKLOG_MS);
    query.fetch_all(pool).await
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) async fn release(pool: &PgPool, claimed: &[(DeliveryId, i32)]) -> Result<()> {
    const SQL: &str = "UPDATE delivery d SET lease_until = 0, recorded_claim = d.claim
        FROM unnest($1::uuid[], $2::integer[]) AS mine (id, claim)
        WHERE d.id = mine.id AND d.claim = mine.claim";
    let (ids, claims): (Vec<Uuid>, Vec<i32>) = claimed.iter().map(|(id, claim)| (id.0, *claim)).unzip();
    sqlx::query(SQL).bind(ids).bind(claims).execute(pool).await.map(drop)
}
