//! Health of lanes on Postgres: one statement locks them, one writes them.

use sqlx::{PgConnection, Result};

use super::{KNOWN_WITHIN_MS, LaneHealthRow, LaneOutcome, columns, is_changed, set};

const LOCK: &str = concat!(
    columns!(),
    "now_ms() + $4 AS now
    FROM unnest($1::uuid[], $2::boolean[], $3::bigint[]) AS asked (id, failed, succeeded_at)
    JOIN lane l ON l.id = asked.id
    WHERE l.id = ANY($1) AND ",
    is_changed!(),
    "$5) ORDER BY l.id FOR NO KEY UPDATE OF l"
);

const WRITE: &str = concat!(
    "UPDATE lane l",
    set!(),
    " FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::integer[], $5::bigint[], $6::bigint[], $7::bigint[],
            $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::boolean[])
         AS row (id, state, blocked_until, failures, failing_since, succeeded_at, breaker_until, breaker_wait,
                 drain_before, off_since, off_reason, tell_owner)
    WHERE l.id = row.id AND l.id = ANY($1)"
);

pub(super) async fn lock_changed(
    tx: &mut PgConnection,
    outcomes: &[LaneOutcome],
    offset: i64,
) -> Result<Vec<LaneHealthRow>> {
    sqlx::query_as(LOCK)
        .bind(outcomes.iter().map(|outcome| outcome.id).collect::<Vec<_>>())
        .bind(outcomes.iter().map(|outcome| outcome.failed).collect::<Vec<_>>())
        .bind(outcomes.iter().map(LaneOutcome::newest_success).collect::<Vec<_>>())
        .bind(offset)
        .bind(KNOWN_WITHIN_MS)
        .fetch_all(tx)
        .await
}

pub(super) async fn write(tx: &mut PgConnection, rows: &[LaneHealthRow]) -> Result<()> {
    let rows = rows.iter();
    sqlx::query(WRITE)
        .bind(rows.clone().map(|row| row.id).collect::<Vec<_>>())
        .bind(rows.clone().map(|row| row.state.as_str()).collect::<Vec<_>>())
        .bind(rows.clone().map(|row| row.blocked_until).collect::<Vec<_>>())
        .bind(rows.clone().map(|row| row.failures).collect::<Vec<_>>())
        .bind(rows.clone().map(|row| row.failing_since).collect::<Vec<_>>())
        .bind(rows.clone().map(|row| row.succeeded_at).collect::<Vec<_>>())
        .bind(rows.clone().map(|row| row.breaker_until).collect::<Vec<_>>())
        .bind(rows.clone().map(|row| row.breaker_wait).collect::<Vec<_>>())
        .bind(rows.clone().map(|row| row.drain_before).collect::<Vec<_>>())
        .bind(rows.clone().map(|row| row.off_since).collect::<Vec<_>>())
        .bind(rows.clone().map(|row| row.off_reason.as_deref()).collect::<Vec<_>>())
        .bind(rows.map(|row| row.tell_owner).collect::<Vec<_>>())
        .execute(tx)
        .await
        .map(drop)
}
