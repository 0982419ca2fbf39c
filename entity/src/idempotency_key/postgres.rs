//! Idempotency keys on Postgres.

use sqlx::{PgConnection, Result};
use uuid::Uuid;

use super::keys::{KeptKey, KeyRow};

pub(super) async fn take(
    tx: &mut PgConnection,
    rows: &[KeyRow],
    offset: i64,
    kept: i64,
) -> Result<Vec<Uuid>> {
    if rows.is_empty() {
        return Ok(vec![]);
    }
    const SQL: &str =
        "INSERT INTO idempotency_key AS mine (user_id, key, body_hash, event_id, deliveries, created_at)
        SELECT user_id, key, body_hash, event_id, deliveries, now_ms() + $1
        FROM unnest($3::bigint[], $4::text[], $5::bytea[], $6::uuid[], $7::integer[])
             AS row (user_id, key, body_hash, event_id, deliveries)
        ON CONFLICT (user_id, key) DO UPDATE
        SET body_hash = excluded.body_hash, event_id = excluded.event_id, deliveries = excluded.deliveries,
            created_at = excluded.created_at
        WHERE mine.created_at <= excluded.created_at - $2
        RETURNING event_id";
    let column = rows.iter();
    sqlx::query_scalar(SQL)
        .bind(offset)
        .bind(kept)
        .bind(column.clone().map(|row| row.user_id.0).collect::<Vec<_>>())
        .bind(column.clone().map(|row| row.key.as_str()).collect::<Vec<_>>())
        .bind(column.clone().map(|row| row.body_hash.as_slice()).collect::<Vec<_>>())
        .bind(column.clone().map(|row| row.event_id.0).collect::<Vec<_>>())
        .bind(column.map(|row| row.deliveries).collect::<Vec<_>>())
        .fetch_all(tx)
        .await
}

pub(super) async fn read(
    tx: &mut PgConnection,
    keys: &[(i64, String)],
    offset: i64,
    kept: i64,
) -> Result<Vec<KeptKey>> {
    if keys.is_empty() {
        return Ok(vec![]);
    }
    const SQL: &str = "SELECT k.user_id, k.key, k.body_hash, k.event_id, k.deliveries,
               k.created_at > now_ms() + $1 - $2 AS is_live
        FROM unnest($3::bigint[], $4::text[]) AS asked (user_id, key)
        CROSS JOIN LATERAL (
            SELECT * FROM idempotency_key WHERE user_id = asked.user_id AND key = asked.key LIMIT 1
        ) AS k";
    let (users, keys): (Vec<i64>, Vec<String>) = keys.iter().cloned().unzip();
    sqlx::query_as(SQL).bind(offset).bind(kept).bind(users).bind(keys).fetch_all(tx).await
}

/// Forgets at most `most` keys that were taken longer than `kept` ms ago, and returns how many. Rows that are about
/// to be taken over are left alone.
///
/// # Errors
/// Those of the database.
pub async fn forget(tx: &mut PgConnection, offset: i64, kept: i64, most: i64) -> Result<u64> {
    const SQL: &str = "DELETE FROM idempotency_key WHERE (user_id, key) IN (
            SELECT user_id, key FROM idempotency_key WHERE created_at <= now_ms() + $1 - $2
            ORDER BY created_at LIMIT $3 FOR UPDATE SKIP LOCKED)";
    let deleted = sqlx::query(SQL).bind(offset).bind(kept).bind(most).execute(tx).await?;
    Ok(deleted.rows_affected())
}
