//! Health of lanes on Postgres: one statement locks them, one writes them.

use sqlx::{PgConnection, Result};

use super::{KNOWN_WITHIN_MS, LaneHealthRow, LaneOutcome, columns, is_changed, set};
use crate::rows::postgres::column;

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
        .bind(column(outcomes, |outcome| outcome.id))
        .bind(column(outcomes, |outcome| outcome.failed))
        .bind(column(outcomes, LaneOutcome::newest_success))
        .bind(offset)
        .bind(KNOWN_WITHIN_MS)
        .fetch_all(tx)
        .await
}

pub(super) async fn write(tx: &mut PgConnection, rows: &[LaneHealthRow]) -> Result<()> {
    sqlx::query(WRITE)
        .bind(column(rows, |row| row.id))
        .bind(column(rows, |row| row.state.as_str()))
        .bind(column(rows, |row| row.blocked_until))
        .bind(column(rows, |row| row.failures))
        .bind(column(rows, |row| row.failing_since))
        .bind(column(rows, |row| row.succeeded_at))
        .bind(column(rows, |row| row.breaker_until))
        .bind(column(rows, |row| row.breaker_wait))
        .bind(column(rows, |row| row.drain_before))
        .bind(column(rows, |row| row.off_since))
        .bind(column(rows, |row| row.off_reason.as_deref()))
        .bind(column(rows, |row| row.tell_owner))
        .execute(tx)
        .await
        .map(drop)
}
