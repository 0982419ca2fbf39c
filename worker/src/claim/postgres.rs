//! Claims on Postgres. `SKIP LOCKED`: two workers with the same hint never wait for each other.

use domain::id::DeliveryId;
use sqlx::{PgPool, Result};
use uuid::Uuid;

use super::Claimed;

// A delivery whose event or lane is gone is claimed all the same: it is buried, not passed over for ever.
const CLAIM: &str = "WITH due AS MATERIALIZED (
        SELECT d.id, d.event_id, e.url, e.sealed_secret, e.sealed_headers, e.timeout_ms
        FROM delivery d
        LEFT JOIN lane l ON l.id = d.lane_id
        LEFT JOIN endpoint e ON e.id = d.recipient_id
        WHERE d.id = ANY($1) AND d.due_at <= now_ms() + $2 AND d.lease_until <= now_ms() + $2
          AND coalesce(l.state = 'active' AND l.blocked_until <= now_ms() + $2, true)
        FOR UPDATE OF d SKIP LOCKED
    )
    UPDATE delivery d
    SET claim = d.claim + 1, hinted_until = 0, lease_until = now_ms() + $2 + coalesce(due.timeout_ms, $3) + $4
    FROM due LEFT JOIN event ON event.id = due.event_id
    WHERE d.id = due.id
    RETURNING d.id, d.event_id, d.user_id, d.lane_id, d.channel, coalesce(d.body, event.body, '') AS body,
        coalesce(d.body, event.body) IS NOT NULL AS has_body,
        d.position, d.attempts, d.claim, d.recorded_claim, d.created_at, d.due_at,
        due.url, due.sealed_secret, due.sealed_headers, due.timeout_ms";

pub(super) async fn claim(
    pool: &PgPool,
    ids: &[Uuid],
    offset: i64,
    deadline_ms: i64,
    margin_ms: i64,
) -> Result<Vec<Claimed>> {
    let query = sqlx::query_as(CLAIM).bind(ids).bind(offset).bind(deadline_ms).bind(margin_ms);
    query.fetch_all(pool).await
}

pub(super) async fn release(pool: &PgPool, claimed: &[(DeliveryId, i32)]) -> Result<()> {
    const SQL: &str = "UPDATE delivery d SET lease_until = 0, recorded_claim = d.claim
        FROM unnest($1::uuid[], $2::integer[]) AS mine (id, claim)
        WHERE d.id = mine.id AND d.claim = mine.claim";
    let (ids, claims): (Vec<Uuid>, Vec<i32>) = claimed.iter().map(|(id, claim)| (id.0, *claim)).unzip();
    sqlx::query(SQL).bind(ids).bind(claims).execute(pool).await.map(drop)
}
