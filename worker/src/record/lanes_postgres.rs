//! Lanes of a batch on Postgres: one statement locks them in the order of their ids, one writes them.

use sqlx::{PgConnection, Result};

use super::lanes::{self, KNOWN_WITHIN_MS, LaneChanges, LaneRow, Sends};

const LOCK: &str = "SELECT l.id, l.channel, l.state, l.blocked_until, l.failures, l.failing_since, l.succeeded_at, l.breaker_until,
        l.breaker_wait, l.drain_before, l.off_since, l.off_reason, l.resumed_at, l.tell_owner, now_ms() + $4 AS now
    FROM unnest($1::uuid[], $2::boolean[], $3::bigint[]) AS asked (id, failed, succeeded_at)
    JOIN lane l ON l.id = asked.id
    WHERE l.id = ANY($1)
      AND (asked.failed OR l.failures > 0 OR l.breaker_until > 0 OR l.succeeded_at < asked.succeeded_at - $5)
    ORDER BY l.id FOR NO KEY UPDATE OF l";

const WRITE: &str = "UPDATE lane l
    SET state = row.state, blocked_until = row.blocked_until, failures = row.failures,
        failing_since = row.failing_since, succeeded_at = row.succeeded_at, breaker_until = row.breaker_until,
        breaker_wait = row.breaker_wait, drain_before = row.drain_before, off_since = row.off_since,
        off_reason = row.off_reason, tell_owner = row.tell_owner
    FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::integer[], $5::bigint[], $6::bigint[], $7::bigint[],
            $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::boolean[])
         AS row (id, state, blocked_until, failures, failing_since, succeeded_at, breaker_until, breaker_wait,
                 drain_before, off_since, off_reason, tell_owner)
    WHERE l.id = row.id AND l.id = ANY($1)";

/// Folds the sends into their lanes; returns what changed.
pub(super) async fn fold(tx: &mut PgConnection, sends: &Sends, offset: i64) -> Result<LaneChanges> {
    if sends.is_empty() {
        return Ok(LaneChanges::default());
    }
    let (changed, changes) = lanes::fold(lock(tx, sends, offset).await?, sends);
    if !changed.is_empty() {
        write(tx, &changed).await?;
    }
    Ok(changes)
}

async fn lock(tx: &mut PgConnection, sends: &Sends, offset: i64) -> Result<Vec<LaneRow>> {
    let asked = lanes::asked(sends);
    sqlx::query_as(LOCK)
        .bind(asked.iter().map(|asked| asked.id).collect::<Vec<_>>())
        .bind(asked.iter().map(|asked| asked.failed).collect::<Vec<_>>())
        .bind(asked.iter().map(|asked| asked.succeeded_at).collect::<Vec<_>>())
        .bind(offset)
        .bind(KNOWN_WITHIN_MS)
        .fetch_all(tx)
        .await
}

async fn write(tx: &mut PgConnection, rows: &[LaneRow]) -> Result<()> {
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
