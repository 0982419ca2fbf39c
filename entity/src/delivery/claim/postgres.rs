//! Claims of open lanes on Postgres. `SKIP LOCKED`: two workers at one lane share what is due and never wait for each other.

use domain::{clock::millis, job::LEASE};
use sqlx::{PgPool, Result};
use uuid::Uuid;

use super::{ClaimedRow, LaneClaim, as_i64};
use crate::lane::rules::{eligible, sendable_at, unlimited};

/// The time, asked for once a statement and not once a row.
macro_rules! now {
    () => {
        "(SELECT now_ms() + $2)"
    };
}

/// Leases the rows of `due` and returns them with what their send needs. The commit does not wait for the disk: a claim that
/// is lost with the server leaves its delivery due, so it is sent again as after any crash. A delivery whose event or lane is
/// gone is claimed too: it is buried instead of passed over.
macro_rules! lease {
    ($due:expr) => {
        concat!(
            "WITH due AS MATERIALIZED (",
            $due,
            ") UPDATE delivery d
            SET claim = d.claim + 1,
                lease_until = (SELECT now_ms() + $2 + $3 FROM set_config('synchronous_commit', 'off', true))
            FROM due LEFT JOIN LATERAL (SELECT body FROM event WHERE id = due.event_id LIMIT 1) AS event ON true
            WHERE d.id = ANY(ARRAY(SELECT id FROM due)) AND d.id = due.id
            RETURNING d.id, d.event_id, d.user_id, d.lane_id, d.channel, d.recipient_id,
                coalesce(d.body, event.body, '') AS body, coalesce(d.body, event.body) IS NOT NULL AS has_body,
                due.rescued, d.position, d.attempts, d.claim, d.recorded_claim, d.created_at, d.due_at,
                (SELECT now_ms() + $2) AS claimed_at"
        )
    };
}
pub(super) use lease;

const CLAIM: &str = lease!(concat!(
    "SELECT row.* FROM unnest($1::uuid[], $4::bigint[]) AS asked (lane_id, rows)
        LEFT JOIN LATERAL (SELECT * FROM lane WHERE id = asked.lane_id LIMIT 1) AS l ON true
        CROSS JOIN LATERAL (
            SELECT id, event_id, lane_id, lease_until > 0 AS rescued FROM delivery
            WHERE lane_id = asked.lane_id AND ",
    eligible!("delivery", now!()),
    " ORDER BY due_at, id LIMIT asked.rows FOR UPDATE OF delivery SKIP LOCKED
        ) AS row
        WHERE coalesce(",
    sendable_at!(postgres "l"),
    now!(),
    " AND ",
    unlimited!("l"),
    ", true)"
));

pub(super) async fn claim(pool: &PgPool, lanes: &[LaneClaim], offset: i64) -> Result<Vec<ClaimedRow>> {
    let ids: Vec<Uuid> = lanes.iter().map(|claim| claim.lane).collect();
    let rows: Vec<i64> = lanes.iter().map(|claim| as_i64(claim.rows)).collect();
    let query = sqlx::query_as(CLAIM).bind(ids).bind(offset).bind(millis(LEASE)).bind(rows);
    query.fetch_all(pool).await
}
